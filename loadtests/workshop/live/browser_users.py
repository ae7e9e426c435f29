"""The people with browsers: who served each last, and whether they are in, from what nodes and balancer wrote down.

A node writes down whom it took the client for; a stranger has no name. Two things tell all the same who was logged out:

- A stranger's cookie names the session that another node has opened: whoever opened it is the same browser.
- The balancer numbers the connections that clients keep. Whoever was known on a connection, and is a stranger on the
  same one, is the same browser. (On a connection on which nobody has been known yet, a stranger is just a stranger.)

Where sessions live in the nodes' memory, a session is gone when the memory of the node that opened it is. Who had it is
*undecided* from then on: they are logged out when they ask, and are told so.
"""

import re
from collections.abc import Iterable
from typing import TypeVar

import msgspec

from compose.applications import SHIPPED
from compose.cluster import BALANCER
from loadtests.faults import FAULTS
from loadtests.model.events import FaultEvent
from loadtests.workshop.contract import GuestView
from loadtests.workshop.live.states import TrackedRows
from shared.request_log import LoggedRequest, LoggedSession, LogRecord

# Finds the lines of request logs and access logs that are not a simulated shopper's.
OF_GUESTS = re.compile(rb'"id":"(?![0-9a-f]+-[0-9]{4,}-[0-9]+")')
MOST_WAITING = 500  # of so many requests one log has told of and the other has not yet
OUTAGE = 500  # from this status on, nobody looked who it was

V = TypeVar("V")


class BalancerLine(msgspec.Struct, frozen=True):
    """What matters here of a line of the balancer's access log; null for what it does not know."""

    at_us: int
    id: str | None = None
    connection: int | None = None


GuestRecord = LogRecord | BalancerLine


class _Guest:
    __slots__ = ("at_us", "home", "in_since_us", "session", "view")

    def __init__(self, user: str) -> None:
        self.at_us = 0
        self.home = ""
        self.in_since_us = 0
        self.session = ""
        self.view = GuestView(user, "", logged_in=False)


class BrowserUsers:
    """All guests of one side that have been seen."""

    def __init__(self, users: Iterable[str]) -> None:
        self._users = frozenset(users)
        self._guests: dict[str, _Guest] = {}
        self._views: TrackedRows[str, GuestView] = TrackedRows()
        self._answers: dict[str, LoggedRequest] = {}
        self._connections: dict[str, int] = {}
        self._on: dict[int, str] = {}
        self._sessions: dict[str, str] = {}

    def logged(self, record: GuestRecord) -> None:
        """A node or the balancer has said something."""
        if isinstance(record, BalancerLine):
            self._balanced(record)
        elif isinstance(record, LoggedSession):
            self._session(record)
        else:
            self._answered(record)

    def fault(self, event: FaultEvent, at_us: int, *, in_memory: bool) -> None:
        """A step of a fault, at that wall clock: it may have taken a node's memory, and the sessions in it."""
        if event.victim == BALANCER:
            self._on.clear()  # it begins to count anew
        about = FAULTS.get(event.kind)
        if not in_memory or about is None or not about.takes_memory:
            return
        # Where the healing takes the memory, who is in there is known until then.
        if event.phase == ("observed" if about.forgets == "injected" else "observed_healed"):
            for guest in self._guests.values():
                # Who logged in since then is in the new memory: logs and events are two files, read in no order.
                if guest.home == event.victim and guest.in_since_us < at_us:
                    guest.home = ""
                    self._show(guest, at_us, guest.view.node, logged_in=False, undecided=guest.view.logged_in)

    def all(self) -> tuple[GuestView, ...]:
        """Everybody, in the order in which they came."""
        return tuple(self._views.values())

    def news(self) -> tuple[GuestView, ...]:
        """Who has changed since the last time."""
        return tuple(self._views.news().values())

    def _session(self, record: LoggedSession) -> None:
        if record.user in self._users:
            guest = self._guest(record.user)
            if record.event == "opened":
                guest.home, guest.in_since_us = record.node, record.at_us
                self._sessions.pop(guest.session, None)  # a login replaces it
                guest.session = record.session
                if record.session:
                    self._sessions[record.session] = record.user
            # Who comes in again after the memory was gone had been logged out, though they never asked in between.
            self._show(guest, record.at_us, record.node, logged_in=record.event == "opened", lost=guest.view.undecided)

    def _answered(self, request: LoggedRequest) -> None:
        if request.user in self._users:
            self._show(self._guest(request.user), request.at_us, request.node, logged_in=True)
        elif request.user or request.status >= OUTAGE or request.path.startswith(SHIPPED.http.tells_nobody):
            return
        elif (owner := self._sessions.get(request.session)) is not None:
            self._stranger(owner, request)
            return
        connection = self._connections.pop(request.id, None)
        if connection is None:
            _keep(self._answers, request.id, request)
        else:
            self._join(request, connection)

    def _balanced(self, line: BalancerLine) -> None:
        if line.id is None or line.connection is None:
            return
        request = self._answers.pop(line.id, None)
        if request is None:
            _keep(self._connections, line.id, line.connection)
        else:
            self._join(request, line.connection)

    def _join(self, request: LoggedRequest, connection: int) -> None:
        if request.user:
            self._on[connection] = request.user
        elif (user := self._on.get(connection)) is not None:
            self._stranger(user, request)

    def _stranger(self, user: str, request: LoggedRequest) -> None:
        guest = self._guest(user)
        lost = guest.view.logged_in or guest.view.undecided
        self._show(guest, request.at_us, request.node, logged_in=False, lost=lost)

    def _guest(self, user: str) -> _Guest:
        return self._guests.setdefault(user, _Guest(user))

    def _show(
        self, guest: _Guest, at_us: int, node: str, *, logged_in: bool, lost: bool = False, undecided: bool = False
    ) -> None:
        """What happened later counts, whichever was read first. `lost`: the shop has ended their session, not they."""
        if at_us < guest.at_us:
            return
        guest.at_us = at_us
        guest.view = GuestView(guest.view.user, node, logged_in, guest.view.lost or lost, undecided)
        self._views.tell(guest.view.user, guest.view)


def _keep(waiting: dict[str, V], request: str, what: V) -> None:
    waiting[request] = what
    if len(waiting) > MOST_WAITING:
        del waiting[next(iter(waiting))]
