"""What is sent and what came back: an answer, what it showed and means, and whether it is one of ours at all."""

from typing import Any, NamedTuple

import msgspec

from loadtests.load.cookies import NODE_COOKIES
from loadtests.model.history import Outcome


class HttpRequest(NamedTuple):
    """One request, without what every one carries (its id, its shopper's address, its trace)."""

    method: str
    path: str
    headers: dict[str, str]
    """The visit adds to them: make new ones each time."""
    body: bytes


class ShopAnswer(msgspec.Struct, frozen=True):
    """What came back, or why nothing did. Times are time.monotonic_ns()."""

    sent_ns: int
    done_ns: int
    status: int = 0
    """0: no whole answer came."""
    error: str = ""
    """connect_timeout, refused, …: nothing was sent. timeout, reset, closed, garbled, …: it may have been received."""
    sent: bool = True
    headers: Any = None
    """A case-insensitive mapping; None if no answer came."""
    body: bytes = b""
    streamed: int = 0
    """Bytes of an event stream; they are counted, not kept."""
    dropped: bool = False
    """The event stream ended before its time."""
    cookie_bytes: int = 0
    """Of the Cookie header that was sent."""
    cookie_refused: bool = False
    """A cookie that came was too long for a browser to keep."""

    def header(self, name: str) -> str:
        """A header's value; "" if there is none."""
        value = self.headers.get(name) if self.headers is not None else None
        return value if isinstance(value, str) else ""


class ShownState(msgspec.Struct, frozen=True):
    """What an answer says about the shopper; what it does not say keeps its default."""

    user: str = ""
    cart: dict[str, int] | None = None
    order: str = ""
    orders: tuple[str, ...] | None = None


NOTHING = ShownState()


class Reading(msgspec.Struct, frozen=True):
    """What the answer to an action means."""

    outcome: Outcome
    shown: ShownState = NOTHING
    error: str = ""
    """What was amiss with an answer that came; or what the network said."""
    stranger: bool = False
    """It was answered as to somebody who is not logged in, though perhaps not by 401."""


def made_for(answer: ShopAnswer, request: str) -> str:
    """The request that a shop made this answer for, if it is another one than was asked; "" if it is this one."""
    # Nodes repeat the id that they were asked with: another one there means that something on the way kept the page.
    named = answer.header("X-Request-Id")
    return "" if named == request else named


def brings_session(answer: ShopAnswer) -> bool:
    """A cookie came with it that is not the balancer's."""
    # One header is a text, several are a list.
    values = answer.headers.get("Set-Cookie") if answer.headers is not None else None
    return any(not each.startswith(NODE_COOKIES) for each in ([values] if isinstance(values, str) else values or ()))


def foreign(answer: ShopAnswer, run: str, run_header: str) -> str:
    """Why this answer is not one of the run's; "" if it is, or if nobody answered, or the balancer did so itself."""
    if not run or answer.status == 0:
        return ""
    said = answer.header(run_header)
    if said == run:
        return ""
    # Some balancers cannot put the run's id on the errors that they make themselves.
    if not said:
        from compose.balancers import made_by_a_balancer  # hardly ever needed, and costs 0.05 s

        if made_by_a_balancer(answer.header):
            return ""
    whose = f"of run {said}" if said else f"without {run_header}"
    return f"an answer {whose} (status {answer.status}), expected run {run}"
