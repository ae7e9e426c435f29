"""What an answer means: its outcome, what it showed, and whether it is one of ours at all."""

from __future__ import annotations

from typing import Any

import msgspec

from compose.applications.twins import Twins
from loadtests.load.cookies import NODE_COOKIES
from loadtests.model.history import WRITES, Do, Jar, Outcome

UNREAD: frozenset[Do] = frozenset({"browse", "arrive", "watch"})
"""What says nothing about the shopper, or says it to a person and not in JSON."""
NODE_HEADER, RUN_HEADER = Twins.http.node_header, Twins.http.run_header


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


class _ShownOrder(msgspec.Struct, frozen=True):
    order: str


class ShownState(msgspec.Struct, frozen=True):
    """What the shop's JSON says about the shopper; what it does not say keeps its default."""

    user: str = ""
    cart: dict[str, int] | None = None
    order: str = ""
    orders: tuple[_ShownOrder, ...] | None = None


NOTHING = ShownState()
_decoder = msgspec.json.Decoder(ShownState)


def outcome_of(do: Do, answer: ShopAnswer, jar: Jar = "main") -> Outcome:
    """ok, failed (it surely did not happen) or unknown.

    Who only tries what somebody else's cookies are good for is answered properly by being turned away, too: the status
    tells.
    """
    if 200 <= answer.status < 300:
        return "ok"
    if answer.status == 401 and jar != "main" and do not in WRITES:
        return "ok"
    if do in WRITES and answer.sent and (answer.status == 0 or answer.status >= 500):
        return "unknown"
    return "failed"


def read_answer(answer: ShopAnswer) -> ShownState | None:
    """What the answer shows; None if a successful one cannot be read."""
    if answer.status == 0 or answer.status >= 500:
        return NOTHING
    try:
        return _decoder.decode(answer.body)
    except msgspec.DecodeError:
        return None if answer.status < 300 else NOTHING


def made_for(answer: ShopAnswer, request: str) -> str:
    """The request that a shop made this answer for, if it is another one than was asked; "" if it is this one."""
    named = answer.header("X-Request-Id")
    return "" if named == request else named


def brings_session(answer: ShopAnswer) -> bool:
    """A cookie came with it that is not the balancer's."""
    values = answer.headers.get("Set-Cookie") if answer.headers is not None else None
    return any(not each.startswith(NODE_COOKIES) for each in ([values] if isinstance(values, str) else values or ()))


def foreign(answer: ShopAnswer, run: str) -> str:
    """Why this answer is not one of the run's; "" if it is, or if nobody answered, or the balancer did so itself."""
    if not run or answer.status == 0:
        return ""
    said = answer.header(RUN_HEADER)
    if said == run:
        return ""
    if not said:
        from compose.balancers import made_by_a_balancer  # hardly ever needed, and costs 0.05 s

        if made_by_a_balancer(answer.header):
            return ""
    whose = f"of run {said}" if said else f"without {RUN_HEADER}"
    return f"an answer {whose} (status {answer.status}), expected run {run}"
