"""A session in the memory of one node: its home knows it, as long as that has its memory, and nobody else does."""

from loadtests.faults.effects import (
    FOREVER_US,
    AffinityCookieEnds,
    AffinityForgotten,
    AffinityLost,
    Effect,
    MemoryGone,
    MemoryKeepsAtMost,
    RingTurns,
    SeveralMemories,
    Unreachable,
)
from loadtests.model.history import Exchange
from loadtests.session_model.circumstances import NOTHING, Circumstances, Factor, Harm, seen, setting
from loadtests.session_model.life import (
    US,
    SessionLife,
    began_to_stray,
    home_since,
    over_by_age,
    went_adrift,
)
from loadtests.session_model.stores.contract import Outlived, StoreRules, written_back

RINGS = ("hash", "address")
AFFINE = ("cookie", *RINGS)


class MemoryRules(StoreRules):
    """One node holds it."""

    held = "in the memory of {node}"

    def harms(self, life: SessionLife, answer: Exchange, around: Circumstances) -> list[Harm]:
        """First who answers; then, if that is its home, whether it still has it."""
        astray = routed_elsewhere(life, answer, around)
        # One or the other: a node that never held it tells nothing of whether its home still has it.
        return astray or held_no_more(life, answer, around)

    def outlived(self, used: Outlived, around: Circumstances) -> list[Harm]:
        """A logout everywhere reaches the memory of the node that answers it, and no other."""
        everywhere = used.end.do == "logout_everywhere" and used.end.node != used.answer.node
        not_told = around.left(setting("node_not_told")) if everywhere else []
        return not_told or written_back(used, around)

    def cart_harms(self, last: Exchange, answer: Exchange, life: SessionLife, around: Circumstances) -> list[Harm]:
        """Another node knows the shopper by another session."""
        return routed_elsewhere(life, answer, around, home=last.node)


def routed_elsewhere(life: SessionLife, answer: Exchange, around: Circumstances, home: str = "") -> list[Harm]:
    """Why another node answered than the home; none: the home did, or would have."""
    home = home or life.home
    if not answer.node or answer.node == home:
        return []
    # Without affinity it is nobody's fault that another one answered: that is how it was built.
    affinity = around.run.affinity
    if affinity not in AFFINE:
        return around.left(setting("other_node"))
    # By all that was done: if what is thought away was what moved it, nothing else did.
    moved = _moved(life, answer, around.but_for(NOTHING), home)
    # Nothing that was done explains it, and the balancer moved the shopper: then it took the node for dead.
    return around.left(*(moved or [seen("held_for_dead", began_to_stray(life, answer).sent_us)]))


def _moved(life: SessionLife, answer: Exchange, around: Circumstances, home: str) -> list[Harm]:
    """What may have moved it away from its home: all of that did."""
    last = home_since(life)
    if last is None:  # nobody was known: nothing moved it
        return []
    since_us, until_us = _decided(life, answer, around)
    moved: list[tuple[Factor, Effect]] = [
        (factor, effect) for factor, effect in around.at(Unreachable, home) if effect.overlaps(since_us, until_us)
    ]
    moved += [(factor, lost) for factor, lost in around.of(AffinityLost) if _went_by(lost, life, answer)]
    moved += [(factor, gone) for factor, gone in around.of(AffinityForgotten) if gone.overlaps(last.sent_us, until_us)]
    moved += [(factor, ends) for factor, ends in around.of(AffinityCookieEnds) if _ended_by(ends, life, until_us)]
    harms = [Harm(factor, effect.word, effect.from_us) for factor, effect in moved]
    if _forgotten(life, last, until_us, around, home) and life.forgot is not None:
        harms.append(seen("affinity_lost", life.forgot.done_us))
    # Last: a ring turns with each change of members, so it has turned beside nearly everything else.
    if not harms and around.run.affinity in RINGS:
        harms = [
            Harm(factor, turns.word, turns.from_us)
            for factor, turns in around.of(RingTurns)
            if last.sent_us <= turns.settled_us
            and (turns.overlaps(since_us, until_us) or turns.overlaps(last.sent_us, last.done_us))
        ]
        # Its home answered in the place of the node that it belonged to.
        stood_in = around.during(Unreachable, last.sent_us, last.done_us)
        turned = {harm.factor for harm in harms}
        harms += [harm for harm in stood_in if harm.factor not in turned]
    return harms


def _decided(life: SessionLife, answer: Exchange, around: Circumstances) -> tuple[int, int]:
    """When it was decided who answers: on a ring, with each request anew.

    With a cookie, when a request first went elsewhere: its answer took the cookie there, and all others followed. But
    not while the balancer heeded no cookies: then it was some request since.
    """
    if around.run.affinity in RINGS:
        return answer.sent_us, answer.done_us
    strayed = began_to_stray(life, answer)
    unheeded = around.during(AffinityLost, strayed.sent_us, strayed.done_us)
    return went_adrift(life, answer).sent_us, (answer if unheeded else strayed).done_us


def _forgotten(life: SessionLife, last: Exchange, until_us: int, around: Circumstances, home: str) -> bool:
    """Whether the browser lost the balancer's cookie since its home answered, or before, and its home answered only
    because the balancer heeded no cookies: the cookie led to another node."""
    forgot, led, opened = life.forgot, life.led, life.opened
    if forgot is None or around.run.affinity == "address":
        return False
    if last.sent_us <= forgot.done_us <= until_us:
        return True
    if around.run.affinity != "cookie" or led is None or opened is None or led.sent_us < opened.done_us:
        return False
    unheeded = [lost for _, lost in around.of(AffinityLost) if lost.overlaps(last.sent_us, last.done_us)]
    return led.node != home and bool(unheeded) and not any(lost.overlaps(led.sent_us, led.done_us) for lost in unheeded)


def _ended_by(ends: AffinityCookieEnds, life: SessionLife, until_us: int) -> bool:
    """Whether the cookie can have been over by then: cookies count whole seconds."""
    # A second early: which part of a second the browser dropped, nobody knows.
    over_us = FOREVER_US if life.arrived is None else life.arrived.sent_us + ends.lifetime_us - US
    return until_us >= max(ends.from_us, over_us)


def _went_by(lost: AffinityLost, life: SessionLife, answer: Exchange) -> bool:
    """Whether there was no affinity: at that answer, or ever since the login, so that no cookie names its home."""
    opened, last = life.opened, home_since(life)
    if lost.overlaps(answer.sent_us, answer.done_us):
        return True
    return (
        opened is not None and last is not None
        and lost.overlaps(opened.sent_us, opened.done_us) and lost.overlaps(last.sent_us, last.done_us)
    )  # fmt: skip


def held_no_more(life: SessionLife, answer: Exchange, around: Circumstances) -> list[Harm]:
    """Why its home does not have it any more."""
    opened, known = life.opened, life.known
    if opened is None or known is None:
        return []
    home = opened.node
    found = [
        Harm(factor, gone.word, gone.from_us, opened.done_us <= gone.from_us and gone.until_us <= answer.sent_us)
        for factor, gone in around.at(MemoryGone, home)
        if gone.overlaps(known.sent_us, answer.done_us)
    ]
    found += over_by_age(life, answer, around, home, home)
    return [*found, *thrown_out(home, known, answer, around)]


def thrown_out(node: str, known: Exchange, answer: Exchange, around: Circumstances) -> list[Harm]:
    """That node may have held too many, or may have asked another of its memories."""
    found = [
        Harm(factor, cap.word, cap.from_us, sure=False)
        for factor, cap in around.at(MemoryKeepsAtMost, node)
        if cap.overlaps(known.sent_us, answer.done_us) and not around.ended(node, cap.from_us, known.sent_us)
    ]
    # By all that was done: where a fault made them several, that is named and not the setting, which is its doing.
    split = around.but_for(NOTHING).during(SeveralMemories, known.sent_us, answer.done_us, sure=False)
    found += split
    run = around.run
    # No fault, but as it was built or set: it may have thrown the session out, and nobody saw whether it did.
    if run.fullest.get(node, 0) >= run.limits.session_cap:
        found.append(setting("memory_cap", sure=False))
    if run.limits.node_workers > 1 and not split:
        found.append(setting("worker", sure=False))
    return around.left(*found)
