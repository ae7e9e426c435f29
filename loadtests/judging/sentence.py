"""The answer first: one sentence of at most 30 words, made from the numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from loadtests.faults import FAULTS
from loadtests.plan import PlannedFault
from loadtests.results import ArchitectureResult

MOST_WORDS = 30


def sentence_of(faults: Sequence[PlannedFault], architectures: Mapping[str, ArchitectureResult]) -> str:
    """Who was logged out, where, and after what. Of inconclusive architectures it says nothing but that."""
    if not architectures:
        return "Nothing was measured."
    clear = {name: result for name, result in architectures.items() if result.verdict != "inconclusive"}
    unclear = [name for name in architectures if name not in clear]
    if not clear:
        return f"Inconclusive: the experiment did not happen as planned in {_listed(unclear, 'and')}."
    short = f"; inconclusive in {len(unclear)}" if unclear else ""
    long = f"; inconclusive in {_listed(unclear, 'and')}" if unclear else ""
    people = sum(result.logged_out.shoppers for result in clear.values())
    where = f"{len(_hit_ones(clear))} of {len(clear)} architectures"
    wordings = (
        _told_apart(clear) + long,
        _told_together(clear) + long,
        _told_together(clear) + short,
        f"{people} shoppers in {where}" + short,
    )
    sentences = [f"{_opening(faults)} logged out {wording}." for wording in wordings]
    return next((sentence for sentence in sentences if len(sentence.split()) <= MOST_WORDS), sentences[-1])


def _opening(faults: Sequence[PlannedFault]) -> str:
    if not faults:
        return "Without any fault, the shop"
    nodes = sorted({fault.victim for fault in faults})
    kinds = {fault.kind for fault in faults}
    if len(nodes) > 2:
        return f"{len(faults)} faults on {len(nodes)} nodes"
    known = [FAULTS[kind].doing for kind in kinds if kind in FAULTS]
    doing = known[0] if len(kinds) == len(known) == 1 else "Faults on"
    return f"{doing} {' and '.join(nodes)}"


def _told_apart(architectures: Mapping[str, ArchitectureResult]) -> str:
    """As in: 20 of 60 shoppers in sticky-memory (all whose sessions it held) and 60 in …; nobody in redis."""
    hit = [_hit(name, result, number == 0) for number, (name, result) in enumerate(_hit_ones(architectures))]
    spared = [name for name, result in architectures.items() if not result.logged_out.shoppers]
    if not hit:
        return f"nobody in {_listed(spared, 'or')}"
    return _listed(hit, "and") + (f"; nobody in {_listed(spared, 'or')}" if spared else "")


def _told_together(architectures: Mapping[str, ArchitectureResult]) -> str:
    """The same without the reasons."""
    hit = [f"{result.logged_out.shoppers} in {name}" for name, result in _hit_ones(architectures)]
    others = len(architectures) - len(hit)
    if not hit:
        return f"nobody in {others} architectures"
    return _listed(hit, "and") + (f"; nobody in {others} others" if others else "")


def _hit_ones(architectures: Mapping[str, ArchitectureResult]) -> list[tuple[str, ArchitectureResult]]:
    return [(name, result) for name, result in architectures.items() if result.logged_out.shoppers]


def _hit(name: str, result: ArchitectureResult, first: bool) -> str:
    out = result.logged_out.shoppers
    who = f"{out} of {result.shoppers} shoppers" if first else str(out)
    exactly = out == result.at_risk and all(
        loss.cause == "node_killed" for loss in result.losses if loss.kind == "logged_out"
    )
    return f"{who} in {name}" + (" (all whose sessions it held)" if exactly else "")


def _listed(words: Sequence[str], joint: str) -> str:
    """As in: a, b and c."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {joint} {words[-1]}"
