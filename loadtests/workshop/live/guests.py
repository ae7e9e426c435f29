"""The people with browsers: who served each last, and whether they are in, from what the nodes themselves wrote down.

A node writes down whom it took the client for. A stranger has no name, so that a guest who is answered as one cannot
be told from any other stranger. What can be known all the same: where sessions live in the nodes' memory, a session is
gone when the memory of the node that opened it is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from loadtests.events import FaultEvent
from loadtests.faults import FAULTS
from loadtests.workshop.contract import GuestView
from shared.demo_accounts import account_number
from shared.request_log import LoggedSession, LogRecord, read_request_log

REQUEST_LOGS = "*.requests.ndjson"
ANY_USER = re.compile(rb'"user":"(user-\d+)"')


def naming(users: Iterable[str]) -> re.Pattern[bytes]:
    """Finds the lines of request logs that name one of these users."""
    return re.compile(b'"user":"(?:' + b"|".join(re.escape(user.encode()) for user in users) + b')"')


def guests_in(logs: Path, shoppers: int) -> tuple[str, ...]:
    """The guests that the nodes of a finished run wrote of: accounts above its last shopper's."""
    named = {user for log in logs.glob(REQUEST_LOGS) for user in ANY_USER.findall(log.read_bytes())}
    users = sorted(user.decode() for user in named)
    return tuple(user for user in users if account_number(user) > shoppers)


def guest_lines(logs: Path, guests: Collection[str]) -> Iterator[LogRecord]:
    """What the nodes of a finished run wrote of these guests.

    Raises:
        RunFolderError: a log is damaged.
    """
    for log in sorted(logs.glob(REQUEST_LOGS)) if guests else ():
        yield from (record for record in read_request_log(log) if record.user in guests)


class _Guest:
    __slots__ = ("at_us", "home", "in_since_us", "view")

    def __init__(self, user: str) -> None:
        self.at_us = 0
        self.home = ""
        self.in_since_us = 0
        self.view = GuestView(user, "", logged_in=False)


class Guests:
    """All guests of one side that have been seen."""

    def __init__(self, users: Iterable[str]) -> None:
        self._users = frozenset(users)
        self._guests: dict[str, _Guest] = {}
        self._changed: set[str] = set()

    def logged(self, record: LogRecord) -> None:
        """A node has said something; of two records the later one counts, whichever was read first."""
        if record.user not in self._users:
            return
        guest = self._guests.get(record.user)
        if guest is None:
            guest = self._guests[record.user] = _Guest(record.user)
        if record.at_us < guest.at_us:
            return
        guest.at_us = record.at_us
        ended = isinstance(record, LoggedSession) and record.event == "ended"
        if isinstance(record, LoggedSession) and not ended:
            guest.home, guest.in_since_us = record.node, record.at_us
        self._show(guest, record.node, logged_in=not ended)

    def fault(self, event: FaultEvent, at_us: int, *, in_memory: bool) -> None:
        """A step of a fault, at that wall clock: it may have taken a node's memory, and the sessions in it."""
        about = FAULTS.get(event.kind)
        if not in_memory or about is None or not about.takes_memory:
            return
        if event.phase == ("observed" if about.forgets == "injected" else "observed_healed"):
            for guest in self._guests.values():
                if guest.home == event.victim and guest.in_since_us < at_us:
                    guest.at_us = max(guest.at_us, at_us)  # what it did before, it may tell of later
                    self._show(guest, guest.view.node, logged_in=False)

    def all(self) -> tuple[GuestView, ...]:
        """Everybody, in the order in which they came."""
        return tuple(guest.view for guest in self._guests.values())

    def news(self) -> tuple[GuestView, ...]:
        """Who has changed since the last time."""
        changed, self._changed = self._changed, set()
        return tuple(guest.view for user, guest in self._guests.items() if user in changed)

    def _show(self, guest: _Guest, node: str, *, logged_in: bool) -> None:
        view = GuestView(guest.view.user, node, logged_in)
        if view != guest.view:
            guest.view = view
            self._changed.add(view.user)
