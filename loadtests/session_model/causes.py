"""Why something was lost: the rules, which use nothing but history and events.

A fault's own file says by which mechanisms it can make a shop lose something, and the word for each; when a mechanism
can be the reason, and before which others, is said here.

A rule names a cause only where the events prove that it was there at the right time, between the last answer that knew
the shopper and the one that did not. What no rule proves is `unexplained`: better than a guess.
"""

from __future__ import annotations

from typing import NamedTuple

from loadtests.faults import FAULTS
from loadtests.faults.bases import AFFINITY_LOST, MEMORY_CAP, MOVED_BY_RING, NODE_STOPPED, REQUEST_REPEATED
from loadtests.faults.contract import Mechanism
from loadtests.model.cause import Cause
from loadtests.model.fault_timeline import NEVER_US, FaultTimeline
from loadtests.model.history import Exchange
from loadtests.session_model.shopper_trace import ShopperTrace
from loadtests.session_model.timeline import RunTimeline

UNEXPLAINED = Cause("unexplained", "Nothing that the events or the answers show explains it.")
OTHER_NODE = Cause(
    "other_node", "Another node answered than the one that holds the session in its memory, and it does not know it."
)
GONE_WITH_LOGIN = Cause(
    "session_gone_with_login", "The cart was part of the session that was lost with the login before."
)
TOO_LARGE = Cause(
    "cookie_too_large",
    "The cookie that carries the cart had grown beyond 4,096 bytes; browsers ignore such a one.",
)
SLOW_PAGE = Cause("refreshed_by_slow_page", "A slow page, begun before the write, saved the session as it was then.")
OVERLAPPING = Cause("overlapping_write", "Two writes of the shopper overlapped, and the one saved over the other.")
FIXATION = Cause("fixation", "The session was opened by somebody else, and the login kept its id.")
NOT_REVOKED = Cause("not_revoked", "The session travels with the shopper, and no node asks whether it was ended.")

CAUSES: dict[str, str] = {
    cause.name: cause.meaning
    for cause in (
        *(cause for fault in FAULTS.values() for _, cause in fault.explains),
        OTHER_NODE, NODE_STOPPED, AFFINITY_LOST, MEMORY_CAP, MOVED_BY_RING, GONE_WITH_LOGIN, TOO_LARGE, SLOW_PAGE,
        OVERLAPPING, FIXATION, NOT_REVOKED, REQUEST_REPEATED, UNEXPLAINED,
    )
}  # fmt: skip
"""What faults declare of themselves, and what the rules here name; `loadtests.checks.CAUSES` has those of checks."""

IN_NODES = ("memory", "replicated")
"""Stores whose sessions are in the nodes' memory."""
IN_TOKENS = ("token", "denylist")
RINGS = ("hash", "address")


class Reason(NamedTuple):
    """A cause, and the fault behind it, if one is."""

    cause: Cause
    fault: FaultTimeline | None = None


NO_REASON = Reason(UNEXPLAINED)


def home_of(person: ShopperTrace) -> str:
    """The node that acknowledged the login: where a session in memory lives."""
    return person.login.node if person.login else ""


def fault_behind(run: RunTimeline, person: ShopperTrace, exchange: Exchange) -> FaultTimeline | None:
    """The fault that explains why this answer did not know the shopper, or lacked something of the cart."""
    return reason_of_logout(run, person, exchange).fault or reason_of_cart_loss(run, person, exchange).fault


def cause_of_logout(run: RunTimeline, person: ShopperTrace, exchange: Exchange) -> str:
    """Why this answer did not know a shopper whose login was acknowledged."""
    return reason_of_logout(run, person, exchange).cause.name


def cause_of_cart_loss(run: RunTimeline, person: ShopperTrace, exchange: Exchange) -> str:
    """Why this answer showed another cart than the acknowledged one."""
    return reason_of_cart_loss(run, person, exchange).cause.name


def cause_of_use_after_logout(run: RunTimeline) -> str:
    """Why a session was good after its logout: where nobody is asked for it, nobody can know."""
    return (NOT_REVOKED if run.store == "token" else UNEXPLAINED).name


def cause_of_shared_session(run: RunTimeline) -> str:
    """Why a session that a stranger had opened became a shopper's: where sessions have ids, the id was kept."""
    regenerated = run.limits.regenerate_at_login
    return (UNEXPLAINED if run.store in IN_TOKENS or regenerated else FIXATION).name


def reason_of_logout(run: RunTimeline, person: ShopperTrace, exchange: Exchange) -> Reason:
    """The same as `cause_of_logout`, with the fault behind it.

    Counted from the *sending* of what was last answered: its answer may have left just before the blow.
    """
    if run.store in IN_NODES:
        return _gone_from_memory(run, person, exchange)
    if person.known is None:
        return NO_REASON
    if run.store in IN_TOKENS:
        return _refused_token(run, person.known, exchange)
    return _gone_from_store(run, person.known, exchange)


def _gone_from_memory(run: RunTimeline, person: ShopperTrace, exchange: Exchange) -> Reason:
    home, known = home_of(person), person.known
    if known is not None and (fault := run.affected_by(home, known.sent_us, exchange.done_us)):
        return Reason(_cause(fault, "memory_gone") or NODE_STOPPED, fault)
    if exchange.node and exchange.node != home:
        moved = None if known is None or run.store != "memory" else _moved(run, person, known, exchange)
        return moved or Reason(OTHER_NODE)
    if known is None:
        return NO_REASON
    if capped := _lasting(run, "memory_capped", known.sent_us, exchange.done_us, home):
        return capped
    if run.fullest.get(home, 0) >= run.limits.session_cap:
        return Reason(MEMORY_CAP)
    return _lasting(run, "memory_split", known.sent_us, exchange.done_us) or NO_REASON


def _moved(run: RunTimeline, person: ShopperTrace, known: Exchange, exchange: Exchange) -> Reason | None:
    """Why the balancer sent the shopper away from a node that still has the session."""
    since_us, until_us = known.sent_us, exchange.done_us
    if lost := _lasting(run, "routed_anywhere", since_us, until_us):
        return lost
    if person.forgot is not None and since_us <= person.forgot.done_us:
        return Reason(AFFINITY_LOST)
    if away := _lasting(run, "routed_away", since_us, until_us, home_of(person)):
        return away
    return _lasting(run, "ring_turned", since_us, until_us) if run.affinity in RINGS else None


def _refused_token(run: RunTimeline, known: Exchange, exchange: Exchange) -> Reason:
    ahead = _lasting(run, "clock_ahead", known.sent_us, known.done_us, known.node)
    if (
        ahead
        and ahead.fault
        and (exchange.node != known.node or exchange.done_us >= (ahead.fault.healed_us or NEVER_US))
    ):
        return ahead
    # A node that was given another key keeps it: the change counts however long ago it was.
    return _lasting(run, "keys_changed", 0, exchange.done_us) or NO_REASON


def _gone_from_store(run: RunTimeline, known: Exchange, exchange: Exchange) -> Reason:
    mechanisms: tuple[Mechanism, ...] = ("store_rolled_back", "store_gone", "store_evicts")
    reasons = (_lasting(run, mechanism, known.sent_us, exchange.done_us) for mechanism in mechanisms)
    return next((reason for reason in reasons if reason), NO_REASON)


def _lasting(run: RunTimeline, mechanism: Mechanism, since_us: int, until_us: int, victim: str = "") -> Reason | None:
    """The last observed fault that works so (and has that victim) and was there within that time."""
    found = None
    for fault in run.faults:
        if victim in ("", fault.victim) and fault.lasted(since_us, until_us) and (cause := _cause(fault, mechanism)):
            found = Reason(cause, fault)
    return found


def _cause(fault: FaultTimeline, mechanism: Mechanism) -> Cause | None:
    about = FAULTS.get(fault.kind)
    return None if about is None else about.cause_by(mechanism)


def reason_of_cart_loss(run: RunTimeline, person: ShopperTrace, exchange: Exchange) -> Reason:
    """The same as `cause_of_cart_loss`, with the fault behind it."""
    last = person.cart or person.login
    if person.out is not None:
        return Reason(GONE_WITH_LOGIN)
    if last is None:
        return NO_REASON
    if person.refused is not None and person.refused.done_us >= last.done_us:
        return Reason(TOO_LARGE)
    if person.lingered is not None and _overlap(person.lingered, last):
        return Reason(SLOW_PAGE)
    if last.overlapped:
        return Reason(OVERLAPPING)
    if run.store in IN_NODES and exchange.node != last.node:
        return Reason(OTHER_NODE)
    if run.retries and (again := _lasting(run, "done_twice", last.sent_us, exchange.done_us)):
        return again
    if run.store != "redis":
        return NO_REASON
    gone = _gone_from_store(run, last, exchange)
    return _got_through(run, last, exchange) if gone is NO_REASON else gone


def _got_through(run: RunTimeline, last: Exchange, exchange: Exchange) -> Reason:
    """Whether what had hung on the way to the store can have arrived in between: when the way was free again."""
    for fault in run.faults:
        freed_us, cause = fault.healed_us, _cause(fault, "writes_late")
        if cause and freed_us is not None and last.sent_us <= freed_us <= exchange.done_us:
            return Reason(cause, fault)
    return NO_REASON


def _overlap(one: Exchange, other: Exchange) -> bool:
    return one.sent_us < other.done_us and other.sent_us < one.done_us
