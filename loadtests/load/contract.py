"""What a visit needs of the world: a browser, a clock, a desk for its records, and a way to do two things at once.

A visit knows nothing of Locust and gevent; these are the only words that it has for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, Protocol

import msgspec

from compose.cluster import HttpInterface
from loadtests.load.answers import NOTHING, ShopAnswer, ShownState
from loadtests.load.cookies import Pocket
from loadtests.model.history import Exchange, Jar, Outcome
from loadtests.model.plan import Action, ClientLimits
from loadtests.session_model.carts import Contradiction


class Browser(Protocol):
    """Sends requests, each with the cookies of one jar, and keeps the cookies that come back."""

    def ask(self, method: str, path: str, headers: dict[str, str], body: bytes = b"", jar: Jar = "main") -> ShopAnswer:
        """Send one request, once. The answer, or why there is none; raises nothing of the network's."""

    def watch(self, path: str, headers: dict[str, str], until_ns: int) -> ShopAnswer:
        """Open an event stream with the cookies of `main` and hold it until then (time.monotonic_ns())."""

    def pocket(self, jar: Jar) -> Pocket:
        """That jar."""


class HttpRequest(NamedTuple):
    """One request, without what every one carries (its id, its shopper's address, its trace)."""

    method: str
    path: str
    headers: dict[str, str]
    """The visit adds to them: make new ones each time."""
    body: bytes


class Reading(msgspec.Struct, frozen=True):
    """What the answer to an action means."""

    outcome: Outcome
    shown: ShownState = NOTHING
    error: str = ""
    """What was amiss with an answer that came; or what the network said."""
    stranger: bool = False
    """It was answered as to somebody who is not logged in, though perhaps not by 401."""


class Clock(Protocol):
    """Microseconds since the zero of the load window."""

    zero_ns: int
    """The zero, time.monotonic_ns()."""
    end_us: int
    """When the load window ends, as far as is known: it may be ended early."""

    def now_us(self) -> int:
        """Now."""

    def wait_until(self, at_us: int) -> None:
        """Sleep until then; not at all if it is past."""

    def reach(self, at_us: int) -> bool:
        """The same, and True; False as soon as it is known that the load window ends before."""


class ExchangeSink(Protocol):
    """Where a visit's records go."""

    def saw(self, exchange: Exchange, answer: ShopAnswer | None, findings: tuple[Contradiction, ...]) -> None:
        """Take one exchange; no answer if nothing was sent."""


class BackgroundJob(Protocol):
    """Something that is being done at the same time."""

    def join(self) -> None:
        """Wait until it is done; raises what it raised."""

    def stop(self) -> None:
        """Interrupt it, and wait until it has taken note. No-op if it is done."""


StartBackgroundJob = Callable[[Callable[[], object]], BackgroundJob]
"""Does something at the same time."""


class VisitConfig(msgspec.Struct, frozen=True):
    """What is the same for all visits to one shop."""

    architecture: str
    run: str
    """Every answer must carry it; empty: not looked at."""
    prefix: str
    """Of request ids."""
    limits: ClientLimits
    http: HttpInterface
    addresses: int = 0
    """From how many addresses the shoppers come; 0: each from one of its own."""
    gives_up: bool = False
    """The client takes any error of the shop for a logout."""
    window_us: int = 0
    """When the load window ends, and with it what is watched."""
    in_account: bool = False
    """What is remembered belongs to the account: it outlives a logout."""


AT_ONCE = 6  # requests of one shopper at most are on their way at once, as many as a browser sends to one server


class OpenRequest:
    """One request of a company, while it is on its way."""

    __slots__ = ("beside", "overlapped", "writes")

    def __init__(self, writes: bool) -> None:
        self.writes = writes
        self.beside = False
        """Another one is, or was, on its way at the same time."""
        self.overlapped = False
        """Another one is, or was, on its way at the same time, and one of the two writes."""


class ConcurrentGroup:
    """The requests of one action and of those beside it."""

    def __init__(self) -> None:
        self._open: list[OpenRequest] = []

    def begin(self, writes: bool) -> OpenRequest:
        """A request is about to be sent."""
        mine = OpenRequest(writes)
        # Both are marked: the one that began first was not alone either, whichever is answered first.
        for other in self._open:
            mine.beside = other.beside = True
            if writes or other.writes:
                mine.overlapped = other.overlapped = True
        self._open.append(mine)
        return mine

    def end(self, mine: OpenRequest) -> None:
        """It was answered, or given up."""
        self._open.remove(mine)


def concurrent_groups(actions: Iterable[Action]) -> Iterator[tuple[Action, tuple[Action, ...]]]:
    """Each action that waits for the one before, with those that are done beside it."""
    first: Action | None = None
    beside: tuple[Action, ...] = ()
    for action in actions:
        if first is None:
            first = action
        # What would be one too many waits, as in a browser, and begins a group of its own.
        elif action.beside and len(beside) < AT_ONCE - 1:
            beside = (*beside, action)
        else:
            yield first, beside
            first, beside = action, ()
    if first is not None:
        yield first, beside
