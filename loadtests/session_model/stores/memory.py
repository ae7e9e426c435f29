"""A session in the memory of one node: its home knows it, as long as that has its memory, and nobody else does."""

from __future__ import annotations

from loadtests.faults.effects import (
    AffinityLost,
    MemoryGone,
    MemoryKeepsAtMost,
    RingTurns,
    SeveralMemories,
    Unreachable,
)
from loadtests.model.history import Exchange
from loadtests.session_model.circumstances import NOTHING, Circumstances, Factor, Harm, Without
from loadtests.session_model.life import (
    SessionLife,
    began_to_stray,
    home_since,
    lifetime_over,
    over_by_clock,
    seen,
    setting,
)
from loadtests.session_model.stores.contract import Outlived, StoreRules, written_back

RINGS = ("hash", "address")
AFFINE = ("cookie", *RINGS)


class MemoryRules(StoreRules):
    """One node holds it."""

    def harms(self, life: SessionLife, answer: Exchange, around: Circumstances, without: Without) -> list[Harm]:
        """First who answers; then, if that is its home, whether it still has it."""
        astray = routed_elsewhere(life, answer, around, without)
        return astray or held_no_more(life, answer, around, without)

    def outlived(self, used: Outlived, around: Circumstances, without: Without) -> list[Harm]:
        """A logout everywhere reaches the memory of the node that answers it, and no other."""
        everywhere = used.end.do == "logout_everywhere" and used.end.node != used.answer.node
        not_told = Factor("setting", "node_not_told")
        if everywhere and not_told not in without:
            return [Harm(not_told, "node_not_told", -1)]
        return written_back(used, without)

    def cart_harms(
        self, last: Exchange, answer: Exchange, life: SessionLife, around: Circumstances, without: Without
    ) -> list[Harm]:
        """Another node knows the shopper by another session."""
        return routed_elsewhere(life, answer, around, without, home=last.node)


def routed_elsewhere(
    life: SessionLife, answer: Exchange, around: Circumstances, without: Without, home: str = ""
) -> list[Harm]:
    """Why another node answered than the home; none: the home did, or would have."""
    home = home or life.home
    if not answer.node or answer.node == home:
        return []
    affinity = around.run.affinity
    if affinity not in AFFINE:
        harm = setting("other_node")
        return [] if harm.factor in without else [harm]
    found = _moved(life, answer, around, without, home)
    if found or _moved(life, answer, around, NOTHING, home):
        return found  # what is thought away was what moved it
    held = seen("held_for_dead", began_to_stray(life, answer).sent_us)
    return [] if held.factor in without else [held]


def _moved(life: SessionLife, answer: Exchange, around: Circumstances, without: Without, home: str) -> list[Harm]:
    """What may have moved it between the last answer of its home and the first of another node: all of that did."""
    last = home_since(life)
    since_us = last.sent_us if last is not None else -1
    until_us = began_to_stray(life, answer).done_us
    direct: list[tuple[Factor, Harm]] = [
        (factor, Harm(factor, effect.word, effect.from_us))
        for factor, effect in (*around.at(Unreachable, home, NOTHING), *around.of(AffinityLost, NOTHING))
        if effect.overlaps(since_us, until_us)
    ]
    if life.forgot is not None and since_us <= life.forgot.done_us <= until_us:
        harm = seen("affinity_lost", life.forgot.done_us)
        direct.append((harm.factor, harm))
    if not direct and around.run.affinity in RINGS:
        direct = [
            (factor, Harm(factor, effect.word, effect.from_us))
            for factor, effect in around.of(RingTurns, NOTHING)
            if effect.overlaps(since_us, until_us)
        ]
    return [harm for factor, harm in direct if factor not in without]


def held_no_more(life: SessionLife, answer: Exchange, around: Circumstances, without: Without) -> list[Harm]:
    """Why its home does not have it any more."""
    opened, known = life.opened, life.known
    if opened is None or known is None:
        return []
    home = opened.node
    found = [
        Harm(factor, gone.word, gone.from_us, opened.done_us <= gone.from_us)
        for factor, gone in around.at(MemoryGone, home, without)
        if known.sent_us <= gone.until_us and gone.from_us <= answer.done_us
    ]
    over = lifetime_over(life, answer, around, without)
    found += [over] if over else over_by_clock(life, answer, around, home, without)
    return [*found, *thrown_out(home, known, answer, around, without)]


def thrown_out(node: str, known: Exchange, answer: Exchange, around: Circumstances, without: Without) -> list[Harm]:
    """That node may have held too many, or may have asked another of its memories."""
    found = [
        Harm(factor, cap.word, cap.from_us, sure=False)
        for factor, cap in around.at(MemoryKeepsAtMost, node, without)
        if cap.overlaps(known.sent_us, answer.done_us) and not around.ended(node, cap.from_us, known.sent_us, without)
    ]
    split = [
        (factor, several)
        for factor, several in around.of(SeveralMemories, NOTHING)
        if several.overlaps(known.sent_us, answer.done_us)
    ]
    found += [
        Harm(factor, several.word, several.from_us, sure=False) for factor, several in split if factor not in without
    ]
    run = around.run
    by_setting = []
    if run.fullest.get(node, 0) >= run.limits.session_cap:
        by_setting.append(setting("memory_cap", sure=False))
    if run.limits.node_workers > 1 and not split:
        by_setting.append(setting("worker", sure=False))
    return found + [harm for harm in by_setting if harm.factor not in without]
