"""Why something was lost: a closed table, and the rules that pick from it, using nothing but history and events.

A rule names a cause only where the events prove that it was there at the right time, between the last answer that knew
the shopper and the one that did not. What no rule proves is `unexplained`: better than a guess.
"""

from __future__ import annotations

from typing import NamedTuple

from loadtests.model.history import Exchange
from loadtests.session_model.shopper_trace import Person
from loadtests.session_model.timeline import NEVER_US, Scene, Strike

CAUSES: dict[str, str] = {
    "node_killed": "The node that held the session in its memory was killed, and the session with it.",
    "node_stopped": "The node that held the session in its memory was stopped or restarted, and the session with it.",
    "other_node": "Another node answered than the one that holds the session in its memory, and it does not know it.",
    "node_frozen": "The node that holds the session was frozen, and the balancer sent the shopper to another one.",
    "moved_by_ring": "Nodes came or went, and the balancer's hash ring sent the shopper to another node.",
    "affinity_lost": "The balancer no longer knew which node the shopper belongs to.",
    "memory_cap": "The node that held the session in its memory held too many, and threw it out.",
    "worker": "The node serves its address with several processes, and another one answered than holds the session.",
    "key_changed": "Nodes were given another signing key, and this one refused what another had signed.",
    "clock_ahead": "The token was signed by a node whose clock is ahead: for the others it comes from the future.",
    "store_lost": "The session store was killed, and came back without the session.",
    "store_evicted": "The session store was full, and threw the session out.",
    "not_replicated": "The session store died, and its replica had not heard of it.",
    "delayed_write": "A write hung on its way to the session store, got through later, and undid a newer one.",
    "session_gone_with_login": "The cart was part of the session that was lost with the login before.",
    "cookie_too_large": "The cookie that carries the cart had grown beyond 4,096 bytes; browsers ignore such a one.",
    "refreshed_by_slow_page": "A slow page, begun before the write, saved the session as it was then.",
    "overlapping_write": "Two writes of the shopper overlapped, and the one saved over the other.",
    "fixation": "The session was opened by somebody else, and the login kept its id.",
    "not_revoked": "The session travels with the shopper, and no node asks whether it was ended.",
    "request_repeated": "One request reached the shop twice: something between client and shop sent it again.",
    "key_ignored": "The shop made a second order for an idempotency key that it had already seen.",
    "unexplained": "Nothing that the events or the answers show explains it.",
}
"""Every cause a loss can have, and what it means."""

REKEYED = ("key-swap", "key-one-phase", "key-announce", "key-switch")
IN_NODES = ("memory", "replicated")
"""Stores whose sessions are in the nodes' memory."""
IN_TOKENS = ("token", "denylist")
RINGS = ("hash", "address")
HANGS = ("store-cut", "store-freeze", "store-slow")
"""While they last, what was written to the store hangs, and gets through afterwards."""


class Reason(NamedTuple):
    """A cause, and the fault behind it, if one is."""

    cause: str
    strike: Strike | None = None


UNEXPLAINED = Reason("unexplained")


def home_of(person: Person) -> str:
    """The node that acknowledged the login: where a session in memory lives."""
    return person.login.node if person.login else ""


def strike_on_home(scene: Scene, person: Person, exchange: Exchange) -> Strike | None:
    """The fault that explains why this answer did not know the shopper, or lacked something of the cart."""
    return reason_of_logout(scene, person, exchange).strike or reason_of_cart_loss(scene, person, exchange).strike


def cause_of_logout(scene: Scene, person: Person, exchange: Exchange) -> str:
    """Why this answer did not know a shopper whose login was acknowledged."""
    return reason_of_logout(scene, person, exchange).cause


def cause_of_cart_loss(scene: Scene, person: Person, exchange: Exchange) -> str:
    """Why this answer showed another cart than the acknowledged one."""
    return reason_of_cart_loss(scene, person, exchange).cause


def cause_of_use_after_logout(scene: Scene) -> str:
    """Why a session was good after its logout: where nobody is asked for it, nobody can know."""
    return "not_revoked" if scene.store == "token" else "unexplained"


def cause_of_shared_session(scene: Scene) -> str:
    """Why a session that a stranger had opened became a shopper's: where sessions have ids, the id was kept."""
    regenerated = scene.limits.regenerate_at_login
    return "unexplained" if scene.store in IN_TOKENS or regenerated else "fixation"


def reason_of_logout(scene: Scene, person: Person, exchange: Exchange) -> Reason:
    """The same as `cause_of_logout`, with the fault behind it.

    Counted from the *sending* of what was last answered: its answer may have left just before the blow.
    """
    if scene.store in IN_NODES:
        return _gone_from_memory(scene, person, exchange)
    if person.known is None:
        return UNEXPLAINED
    if scene.store in IN_TOKENS:
        return _refused_token(scene, person.known, exchange)
    return _gone_from_store(scene, person.known, exchange)


def _gone_from_memory(scene: Scene, person: Person, exchange: Exchange) -> Reason:
    home, known = home_of(person), person.known
    if known is not None and (strike := scene.struck(home, known.sent_us, exchange.done_us)):
        return Reason("node_killed" if strike.kind == "kill" else "node_stopped", strike)
    if exchange.node and exchange.node != home:
        moved = None if known is None or scene.store != "memory" else _moved(scene, person, known, exchange)
        return moved or Reason("other_node")
    if known is None:
        return UNEXPLAINED
    if capped := scene.holding(("memory-cap",), known.sent_us, exchange.done_us, home):
        return Reason("memory_cap", capped)
    if scene.fullest.get(home, 0) >= scene.limits.session_cap:
        return Reason("memory_cap")
    if doubled := scene.holding(("workers",), known.sent_us, exchange.done_us):
        return Reason("worker", doubled)
    return UNEXPLAINED


def _moved(scene: Scene, person: Person, known: Exchange, exchange: Exchange) -> Reason | None:
    """Why the balancer sent the shopper away from a node that still has the session."""
    since_us, until_us = known.sent_us, exchange.done_us
    if lost := scene.holding(("no-affinity",), since_us, until_us):
        return Reason("affinity_lost", lost)
    if person.forgot is not None and since_us <= person.forgot.done_us:
        return Reason("affinity_lost")
    if frozen := scene.holding(("freeze",), since_us, until_us, home_of(person)):
        return Reason("node_frozen", frozen)
    if scene.affinity in RINGS:
        turned = [strike for strike in scene.strikes if _turns_ring(strike) and strike.held(since_us, until_us)]
        return Reason("moved_by_ring", turned[-1]) if turned else None
    return None


def _turns_ring(strike: Strike) -> bool:
    """Whether it takes a node out of the balancer's ring, or adds one."""
    return strike.takes_memory or strike.kind in ("freeze", "drain", "scale-out")


def _refused_token(scene: Scene, known: Exchange, exchange: Exchange) -> Reason:
    ahead = scene.holding(("clock-ahead",), known.sent_us, known.done_us, known.node)
    if ahead and (exchange.node != known.node or exchange.done_us >= (ahead.healed_us or NEVER_US)):
        return Reason("clock_ahead", ahead)
    rekeyed = [strike for strike in scene.strikes if strike.kind in REKEYED and strike.held(0, exchange.done_us)]
    return Reason("key_changed", rekeyed[-1]) if rekeyed else UNEXPLAINED


def _gone_from_store(scene: Scene, known: Exchange, exchange: Exchange) -> Reason:
    for kind, cause in (
        ("promoted", "not_replicated"), ("store-kill", "store_lost"), ("store-full", "store_evicted"),
    ):  # fmt: skip
        if strike := scene.holding((kind,), known.sent_us, exchange.done_us):
            return Reason(cause, strike)
    return UNEXPLAINED


def reason_of_cart_loss(scene: Scene, person: Person, exchange: Exchange) -> Reason:
    """The same as `cause_of_cart_loss`, with the fault behind it."""
    last = person.cart or person.login
    if person.out is not None:
        return Reason("session_gone_with_login")
    if last is None:
        return UNEXPLAINED
    if person.refused is not None and person.refused.done_us >= last.done_us:
        return Reason("cookie_too_large")
    if person.lingered is not None and _overlap(person.lingered, last):
        return Reason("refreshed_by_slow_page")
    if last.overlapped:
        return Reason("overlapping_write")
    if scene.store in IN_NODES and exchange.node != last.node:
        return Reason("other_node")
    if again := _asked_again(scene, last, exchange):
        return Reason("request_repeated", again)
    if scene.store != "redis":
        return UNEXPLAINED
    gone = _gone_from_store(scene, last, exchange)
    return _got_through(scene, last, exchange) if gone is UNEXPLAINED else gone


def _asked_again(scene: Scene, last: Exchange, exchange: Exchange) -> Strike | None:
    """A node did what it was asked and answered that it failed, and the balancer asked another one."""
    return scene.holding(("sick-afterwards",), last.sent_us, exchange.done_us) if scene.retries else None


def _got_through(scene: Scene, last: Exchange, exchange: Exchange) -> Reason:
    """Whether what had hung on the way to the store can have arrived in between: when the way was free again."""
    for strike in scene.strikes:
        freed_us = strike.healed_us
        if strike.kind in HANGS and freed_us is not None and last.sent_us <= freed_us <= exchange.done_us:
            return Reason("delayed_write", strike)
    return UNEXPLAINED


def _overlap(one: Exchange, other: Exchange) -> bool:
    return one.sent_us < other.done_us and other.sent_us < one.done_us
