"""The history: what was asked and answered, from the shoppers' side. The only evidence that checks read.

`history.ndjson` holds one record a line, grouped by architecture, in order of `done_us` within it. All times are whole
microseconds since the zero of that architecture's load window (its `load_started` event).
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from shared.ndjson import WHOLE_FILE, FilePart, read_batches, read_records

Do = Literal[
    "login", "browse", "add", "remove", "cart", "checkout", "orders", "me", "logout", "linger", "logout_everywhere",
    "watch", "forget_node", "read_cookie", "arrive", "forget_session", "remember", "recall", "page",
]  # fmt: skip
"""What a shopper does; what that is on the wire, the application's interface says, which need not have all of it.
browse looks at the goods, linger at a slow page; watch holds an event stream; arrive comes as a stranger, which opens
an anonymous session where there is one; remember puts a value in the place of the one before (add puts it beside), and
recall reads back what is remembered; page is what an action fetches on its way: a form, or what leads on to another
page. Three send nothing: forget_node, the browser loses the balancer's cookie; read_cookie, somebody copies the
shopper's cookies and reads what can be read without a key; forget_session, the shopper's client takes an error for a
logout, and throws the shop's cookies away."""

NOT_ASKED: frozenset[Do] = frozenset({"forget_node", "read_cookie", "forget_session"})
"""What the shop is not asked for: nothing is sent, and nothing can go wrong."""

Jar = Literal["main", "second", "stolen", "planted", "thief"]
"""Whose cookies a request carries: the shopper's own; those of a second device of theirs; a copy of their own, taken
just before they logged out; those of somebody who planted theirs on the shopper before the login; a copy in the browser
of somebody who goes on with it, and takes what cookies come."""

Why = Literal["plan", "recovery", "audit", "way"]
"""A planned action; a login after an involuntary logout (or after a failed login), or an event stream that is opened
again after it was dropped; the last audit; a page on the way to one of them."""

Outcome = Literal["ok", "failed", "unknown", "not_sent"]
"""failed: it surely did not happen. unknown: it may or may not have happened (timeout or 5xx on a write). As the client
knew it: whether something on the way had asked twice, a client does not see (`RunTimeline.as_judged`)."""


Whole = Annotated[int, msgspec.Meta(ge=-(2**62), le=2**62)]
"""A number that somebody may have measured; whoever judges adds such numbers up, in 64 bits."""

NOT_LOGGED_IN = "not_logged_in"
"""Why a shopper did not send an action: the shop does not let them in. That is the shop's doing, not the load's."""
UNREADABLE = "unreadable"
"""The error of an answer that says it is a success and cannot be read."""


class Exchange(
    msgspec.Struct,
    frozen=True,
    gc=False,  # a run has millions of them, and none can be part of a circle: the collector need not look
    omit_defaults=True,
    tag_field="record",
    tag="exchange",
    forbid_unknown_fields=True,
):
    """One request of one shopper and what came back (or did not)."""

    architecture: str
    shopper: Whole
    """1 … U; its account is user-%04d."""
    request: str
    """The `X-Request-Id` it carried: unique in a run. Empty if not sent."""
    why: Why
    do: Do
    outcome: Outcome
    planned_us: Whole
    """When it should have been sent; for recovery and audit, when it was due."""
    sent_us: Whole = -1
    done_us: Whole = -1
    """When the answer was complete, or when the client gave up."""
    step: Whole = -1
    """The index of the planned action among the shopper's actions; -1 if not from the plan."""
    jar: Jar = "main"
    """Only what the shopper's own jar did counts for its memory and its cart; the others are looked at by checks."""
    cookie_bytes: Whole = 0
    """Of the Cookie header that was sent."""
    body_bytes: Whole = 0
    """Of the answer's body."""
    cookie_refused: bool = False
    """The answer set a cookie of over 4,096 bytes, which a browser ignores (RFC 6265bis), and so did the client."""
    overlapped: bool = False
    """While it was on its way, another request of the same jar was, and one of the two writes: either may have been
    answered without the other's effect."""
    beside: bool = False
    """While it was on its way, another request of the same shopper was, whatever the two do."""
    dropped: bool = False
    """The event stream ended before its time."""
    status: Whole = 0
    """The HTTP status; 0 if no answer came."""
    error: str = ""
    """What the client saw instead of an answer: "timeout", "refused", "reset", …; or why it was not sent."""
    node: str = ""
    """The answer's `X-Node`; empty if no shop answered."""
    sku: str = ""
    quantity: Whole = 0
    key: str = ""
    """The idempotency key of a checkout."""
    user: str = ""
    """Whose name the answer showed; of read_cookie, the shopper's if it stands in their cookies."""
    cart: dict[str, int] | None = None
    """The cart the answer showed (sku to quantity); None if it showed none."""
    order: str = ""
    """The order's id that the answer acknowledged."""
    orders: tuple[str, ...] | None = None
    """The order ids that the answer listed; None if it listed none."""
    kept_from: str = ""
    """The request that the answer was made for, by its own `X-Request-Id`, if that is another one: something on the way
    had kept it, and no shop was asked."""
    kept_session: bool = False
    """A cookie of the shop came with it: this browser has another one's session from now on."""
    stranger: bool = False
    """Answered as to somebody who is not logged in, by whatever sign the application's description names."""

    @property
    def refused(self) -> bool:
        """An application answered, and would not do it."""
        return self.as_stranger or 400 <= self.status < 500

    @property
    def as_stranger(self) -> bool:
        """Answered as to somebody who is not logged in; said of a login, it was refused."""
        return self.stranger or self.status == 401


class StoredOrder(
    msgspec.Struct,
    frozen=True,
    gc=False,
    omit_defaults=True,
    tag_field="record",
    tag="order",
    forbid_unknown_fields=True,
):
    """An order as the database held it after the run: read from the database, not from the shop."""

    architecture: str
    order: str
    user: str
    request: str
    lines: dict[str, int]
    key: str = ""


Record = Exchange | StoredOrder

_decoder = msgspec.json.Decoder(Record)
_encoder = msgspec.json.Encoder()
_WHAT = "a history record"


def read_history(path: Path) -> Iterator[Record]:
    """The records of a history, one by one.

    Raises:
        RunFolderError: a line is damaged or cut off; names the file and the line.
    """
    return read_records(path, _decoder.decode, _WHAT)


def read_history_batches(path: Path, part: FilePart = WHOLE_FILE) -> Iterator[list[Record]]:
    """The same in lists, or those of a part of the file: for whoever reads millions.

    Raises:
        RunFolderError: as `read_history`.
    """
    return read_batches(path, _decoder, _WHAT, part)


def encode_records(records: Iterable[Record]) -> bytes:
    """The records as NDJSON."""
    return _encoder.encode_lines(list(records))


_OF_A_RUN = re.compile(r"([0-9a-f]{8})([a-z])-(\d{1,10})-(\d{1,10})")


def trace_of(request: str) -> str:
    """The trace id that a request carries (W3C Trace Context, https://www.w3.org/TR/trace-context/): 32 hex digits.

    It can be read: the run, the architecture's number, the shopper, and the number of the request.
    """
    parts = _OF_A_RUN.fullmatch(request)
    if parts is None:  # none of a run's shoppers: any that is as good
        return hashlib.sha256(request.encode()).hexdigest()[:32]
    run, letter, shopper, number = parts.groups()
    return f"{run}{ord(letter) - ord('a') + 1:04d}{int(shopper):010d}{int(number):010d}"


def shopper_of(request: str) -> int:
    """The shopper in a request id `<prefix>-<shopper>-<n>`; 0 if there is none."""
    parts = request.rsplit("-", 2)  # from the right: a prefix may have hyphens of its own
    return int(parts[1]) if len(parts) == 3 and parts[1].isdecimal() else 0


CART_WRITES: frozenset[Do] = frozenset({"add", "remove", "checkout", "remember"})
ENDS_SESSION: frozenset[Do] = frozenset({"logout", "logout_everywhere"})
"""What ends a session on purpose."""
WRITES: frozenset[Do] = CART_WRITES | ENDS_SESSION | {"login"}
"""What changes something: if nobody answers, it may or may not have happened."""
NOT_ABOUT_CART: frozenset[Do] = NOT_ASKED | {"watch", "arrive", "page"}
"""What goes on aside from shopping and shows nothing of the cart."""
SLOW_ON_PURPOSE: frozenset[Do] = frozenset({"watch", "linger"})
"""What takes its time because it is meant to: its waits say nothing about the shop."""
STALLED_US = 900_000
"""An answer that takes longer, and comes, is a stall. Less than a second, so that a freeze of one is seen."""
NEEDS_LOGIN: frozenset[Do] = frozenset({"add", "remove", "cart", "checkout", "orders", "me", "remember", "recall"})
"""What the shop only does for somebody who is logged in: being answered proves that it knew the shopper."""
