"""Witnesses in words: what was asked, what came back, what struck."""

from loadtests.faults.words import what_was_done
from loadtests.model.fault_timeline import FaultTimeline
from loadtests.model.history import NEEDS_LOGIN, Exchange, StoredOrder
from loadtests.model.results import WitnessEvent
from loadtests.session_model.carts import Cart
from loadtests.session_model.causes import Reason, words_of
from loadtests.session_model.shopper_trace import ShopperTrace
from shared.demo_accounts import account_name

_ASKED = {
    "login": "asked to be logged in",
    "browse": "looked at the products",
    "add": "put {quantity} {sku} into the cart",
    "remove": "took {sku} out of the cart",
    "cart": "asked for the cart",
    "checkout": "ordered the cart",
    "orders": "asked for the orders",
    "me": "asked who it is",
    "logout": "asked to be logged out",
    "logout_everywhere": "asked to be logged out everywhere",
    "linger": "asked for the slow page",
    "watch": "watched the orders' progress",
    "arrive": "came as a stranger",
    "forget_node": "forgot the balancer's cookie",
    "forget_session": "took an error for a logout and threw its cookies away",
    "read_cookie": "read what stands there",
    "remember": "asked it to remember {sku}",
    "recall": "asked what it remembers",
    "page": "fetched a page on the way",
}
_WHO = {
    "second": "from a second device: ",
    "stolen": "with a copy of the cookies: ",
    "planted": "whoever planted the session: ",
    "thief": "whoever has a copy of the cookies: ",
}


def witness_event(exchange: Exchange | None) -> WitnessEvent | None:
    """What was asked and what came back; None for what there never was."""
    if exchange is None:
        return None
    asked = _ASKED[exchange.do].format(sku=exchange.sku, quantity=exchange.quantity)
    what = f"{_WHO.get(exchange.jar, '')}{asked}: {_answer(exchange)}"
    return WitnessEvent(exchange.done_us / 1000, what, exchange.node, exchange.request)


def affected_by(fault: FaultTimeline | None) -> WitnessEvent | None:
    """A fault that was observed."""
    if fault is None or fault.injected_us is None:
        return None
    seen = f": {fault.evidence[0]}" if fault.evidence else ""
    done = f"{what_was_done(fault.kind, fault.victim)} ({fault.kind}), and seen to be{seen}"
    return WitnessEvent(fault.injected_us / 1000, done, fault.victim if fault.on_node else "")


def answered_as_shopper(exchange: Exchange) -> bool:
    """The shop took whoever sent this for the shopper; an answer that names nobody is for somebody who is logged in."""
    knew = exchange.outcome == "ok" and not exchange.as_stranger and exchange.do in NEEDS_LOGIN
    return knew and exchange.user in ("", account_name(exchange.shopper))


def in_database(order: StoredOrder | None, at_ms: float) -> WitnessEvent:
    """What the database held after the run."""
    if order is None:
        return WitnessEvent(at_ms, "after the run, the database holds no such order")
    what = f"after the run, the database holds order {order.order} of {order.user}: {units(order.lines)}"
    return WitnessEvent(at_ms, what, request=order.request)


def before_loss(why: Reason, person: ShopperTrace) -> list[WitnessEvent | None]:
    """What had been acknowledged, and the faults without which it would not have been lost; in order of time."""
    events = [witness_event(person.login)]
    # Time is counted from the last write, so where time is the cause that write is part of the proof.
    written = person.life.written if "expired" in words_of(why.cause) else None
    # With the underscore: `refreshed_by_slow_page` is about a page, and no token is its witness.
    tokens = person.life.tokens if "refresh_" in why.cause else None
    for use in tokens.uses if tokens is not None else ():
        events.append(witness_event(use.exchange) if use.sure else None)  # what only may have been used proves nothing
    for later in (written, person.life.known, person.cart, person.out):
        events.append(witness_event(later) if later is not person.login else None)
    events += map(affected_by, why.faults)
    # One exchange can be several of these at once: the last that knew the shopper is often the last cart.
    unique = {(event.at_ms, event.request, event.what): event for event in events if event is not None}
    return [unique[key] for key in sorted(unique)]


def units(cart: Cart) -> str:
    """A cart in words: "2 mug-red, 1 tea"."""
    return ", ".join(f"{number} {sku}" for sku, number in sorted(cart.items())) or "nothing"


def _answer(exchange: Exchange) -> str:
    if exchange.status == 0:
        return f"no answer ({exchange.error or 'none came'})"
    # A login is asked for by strangers: 401 only says there that it was refused.
    if exchange.as_stranger and exchange.do != "login":
        return f"answered as a stranger ({exchange.status})"
    if exchange.dropped:
        return f"the connection broke off ({exchange.status})"
    if exchange.outcome != "ok":
        return f"{exchange.error or 'refused'} ({exchange.status})"
    # Of a login, "acknowledged" says it already.
    parts = [f"known as {exchange.user}"] if exchange.user and exchange.do != "login" else []
    if exchange.cart is not None:
        what = "what it remembers is" if exchange.do == "recall" else "the cart shown holds"
        parts.append(f"{what} {units(exchange.cart)}")
    if exchange.order:
        parts.append(f"order {exchange.order}")
    if exchange.kept_from:
        parts.append(f"a page that was made for request {exchange.kept_from}, and kept on the way")
    if exchange.kept_session:
        parts.append("with the cookie of that session")
    return f"{', '.join(parts) or 'acknowledged'} ({exchange.status})"
