"""The till: checkout, orders, and an order's progress, an event stream for as long as somebody looks at it."""

import threading
import time
from collections.abc import Iterator

import msgspec
from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from shared.shop import identity
from shared.shop.answers import RequestRefused, answer, done, sent_fields
from shared.shop.catalogue import products_of
from shared.shop.counter import counter
from shared.shop.database import ShopOrder
from shared.shop.request_notes import current_notes
from shared.shop.stopping import is_stopping

blueprint = Blueprint("orders", __name__)

_LONGEST_KEY = 255
MOST_STREAMS = 48
"""In one process: each keeps one of the node's threads (`shared.node.MORE_THREADS`)."""
HEARTBEAT_S = 0.5
LASTS_S = 60.0
"""Then the stream ends, and a browser opens a new one."""
_LOOKS_UP_S = 0.1
"""How often a stream looks whether the node is to stop."""
_RETRY_MS = 1000
_STAGES = ((0, "received"), (2, "packed"), (6, "on its way"), (30, "delivered"))
"""After how many seconds an order is where."""


@blueprint.post("/checkout")
def checkout() -> ResponseReturnValue:
    """Order the cart. The same key by the same user: the same order, however often and at whichever node.

    Unless the shop was told to know nothing of keys: then each time is an order, as in shops that never heard of them.
    """
    user, key = identity.current_user(), _key()
    if not counter().settings.idempotency_keys:
        key = None
    cart = identity.current_cart()
    order, new = counter().orders.with_key(user, key), False
    if order is None:
        if not cart:
            raise RequestRefused(400, "empty_cart", "there is nothing in the cart")
        order, new = counter().orders.place(user, cart, key=key, request=current_notes().id)
    # Asked again with the very cart that was ordered: the first answer, which emptied it, never arrived.
    if new or cart == order.lines:
        identity.keep_cart({})
    return done(_told(order), f"/orders#{order.order}", status=201 if new else 200)


@blueprint.get("/orders")
def orders() -> ResponseReturnValue:
    """What I have ordered, oldest first."""
    mine = counter().orders.of(identity.current_user())
    return answer(
        {"orders": [_told(order) for order in mine]},
        "orders.html",
        orders=list(reversed(mine)),
        products=products_of(sku for order in mine for sku in order.lines),
    )


def _told(order: ShopOrder) -> dict[str, object]:
    told: dict[str, object] = msgspec.structs.asdict(order)
    del told["created_us"]
    return told


def _key() -> str | None:
    """The idempotency key, from the header or, for a person, from the form."""
    header = request.headers.get("Idempotency-Key")
    key = (sent_fields().get("key") or None) if header is None else header
    if key is None:
        return None
    # The node's server hands over a header that is not ASCII as an empty one: a promise that could not be kept.
    if not isinstance(key, str) or not 1 <= len(key) <= _LONGEST_KEY or not key.isprintable():
        raise RequestRefused(400, "bad_key", f"expected an Idempotency-Key of 1 to {_LONGEST_KEY} printable characters")
    return key


@blueprint.get("/orders/progress")
def progress() -> Response:
    """Events: `status` at once, then a `heartbeat` every half second; ids go on from `Last-Event-ID`."""
    shop, user = counter(), identity.current_user()
    mine = shop.orders.of(user)
    if not shop.streams.acquire(blocking=False):
        raise RequestRefused(503, "too_many_streams", f"at most {MOST_STREAMS} can look at their progress here")
    current_notes().streams = True  # or `Stamp` would wait for the end of it
    who = {"user": user, "node": shop.settings.node, "orders": len(mine)}
    return Response(Stream(who, mine[-1] if mine else None, _seen(), shop.streams), mimetype="text/event-stream")


class Stream(Iterator[bytes]):
    """The events of one stream. A class and no generator: it must give its place back also if nobody ever reads it."""

    def __init__(
        self, who: dict[str, object], latest: ShopOrder | None, seen: int, places: threading.BoundedSemaphore
    ) -> None:
        self._who = who
        self._latest = latest
        self._id = seen
        self._first = True
        self._ends = time.monotonic() + LASTS_S
        self._places = places
        self._closed = threading.Lock()

    def __next__(self) -> bytes:
        """The next event, when it is time for it."""
        if self._first:
            self._first = False
            return f"retry: {_RETRY_MS}\n".encode() + self._event("status")
        due = time.monotonic() + HEARTBEAT_S
        while (left := due - time.monotonic()) > 0:
            if is_stopping() or time.monotonic() > self._ends:
                raise StopIteration
            time.sleep(min(left, _LOOKS_UP_S))  # in short pieces: a node that is stopped has 2 s in all
        return self._event("heartbeat")

    def close(self) -> None:
        """Give the place back; safe to repeat."""
        if self._closed.acquire(blocking=False):
            self._places.release()

    def _event(self, name: str) -> bytes:
        self._id += 1
        told = msgspec.json.encode({**self._who, "count": self._id, **_stage(self._latest)})
        return b"id: %d\nevent: %s\ndata: %s\n\n" % (self._id, name.encode(), told)


def _stage(order: ShopOrder | None) -> dict[str, str]:
    if order is None:
        return {"order": "", "stage": ""}
    age_s = time.time() - order.created_us / 1e6
    stages = [stage for after_s, stage in _STAGES if age_s >= after_s]
    return {"order": order.order, "stage": stages[-1] if stages else _STAGES[0][1]}


def _seen() -> int:
    """The id of the last event that a client has seen; 0 if it does not say."""
    text = request.headers.get("Last-Event-ID", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 9 else 0
