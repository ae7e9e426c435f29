"""The answer first: one sentence of at most 30 words, made from the numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from loadtests.checks import MEASURES
from loadtests.faults.words import doing, listed
from loadtests.judging.verdict import NOT_TO_ITS_END, NOTHING_PREDICTED
from loadtests.model.plan import PlannedFault
from loadtests.model.results import ArchitectureResult
from loadtests.model.wording import number
from loadtests.session_model.causes import words_of

MOST_WORDS = 30
LOGGED_OUT = "logged_out"
_NOT_THE_VICTIMS = frozenset({"expired", "held_for_dead", "other_node", "unexplained"})
"""Causes that do not say that a session went with the node that held it."""


def sentence_of(
    faults: Sequence[PlannedFault], architectures: Mapping[str, ArchitectureResult], headline: str = LOGGED_OUT
) -> str:
    """What the headline measure came to, where, and after what. Of inconclusive architectures it says only that.

    Where nothing was predicted of any, and nothing else is amiss, there is nothing to doubt in what was measured.
    """
    if not architectures:
        return "Nothing was measured."
    if all(result.reasons == (NOTHING_PREDICTED,) for result in architectures.values()):
        clear = dict(architectures)
    else:
        clear = _clear_ones(architectures)
    unclear = [name for name in architectures if name not in clear]
    if not clear and all(_only_ended_early(result) for result in architectures.values()):
        return "Nothing was predicted, and it ended before a last look at everybody: counted is what was seen by then."
    if not clear:
        names = listed(unclear, "and") if len(unclear) <= MOST_WORDS // 2 else f"{len(unclear)} architectures"
        return f"Inconclusive: the experiment did not happen as planned in {names}."
    short = f"inconclusive in {len(unclear)}" if unclear else ""
    long = f"inconclusive in {listed(unclear, 'and')}" if unclear else ""
    done = _done(faults, clear)
    if headline == LOGGED_OUT:
        opening = done or "Without any fault, the shop"
        sentences = [f"{opening} {wording}." for wording in _logged_out(faults, clear, long, short)]
    else:
        lead = f"After {done[:1].lower()}{done[1:]}" if done else "Without any fault"
        sentences = [
            f"{lead}, {MEASURES[headline].phrase}: {wording}." for wording in _counted(headline, clear, long, short)
        ]
    # The longest that fits; where none does, the shortest there is, as a sentence that is cut off says something else.
    return next((sentence for sentence in sentences if len(sentence.split()) <= MOST_WORDS), sentences[-1])


def _only_ended_early(result: ArchitectureResult) -> bool:
    """Somebody has left it when they had seen enough: where nothing was asked, nothing is open."""
    doubts = [reason for reason in result.reasons if reason != NOTHING_PREDICTED]
    return len(doubts) == len(result.reasons) - 1 and all(doubt.startswith(NOT_TO_ITS_END) for doubt in doubts)


def _clear_ones(architectures: Mapping[str, ArchitectureResult]) -> dict[str, ArchitectureResult]:
    return {name: result for name, result in architectures.items() if result.verdict != "inconclusive"}


def _done(faults: Sequence[PlannedFault], clear: Mapping[str, ArchitectureResult]) -> str:
    """What was done to all of them; of faults that some were spared nobody could say so."""
    if not any(_spared(result) for result in clear.values()):
        return doing(faults)
    return doing(faults, "or") if _one_each(faults, clear) else "Faults that not every architecture met"


def _one_each(faults: Sequence[PlannedFault], clear: Mapping[str, ArchitectureResult]) -> bool:
    """The same was done to another victim in each: somebody struck, say, the node that served them."""
    return len({fault.kind for fault in faults}) == 1 < len(faults) == 1 + min(map(_spared, clear.values()))


def _spared(result: ArchitectureResult) -> int:
    return sum(step.step == "spared" for step in result.experiment)


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


def credited(result: ArchitectureResult) -> frozenset[int]:
    """Shoppers with a logout that has a fault among its causes: a sentence credits the faults with these, and no more.

    Where several factors were needed together, the fault is one of them: it is credited, and not alone.
    """
    return frozenset(
        loss.shopper
        for loss in result.losses
        if loss.kind == LOGGED_OUT and any(factor.fault is not None for factor in loss.because)
    )


def _out_by(faults: Sequence[PlannedFault], result: ArchitectureResult) -> int:
    """Shoppers of whom the sentence says that what it begins with logged them out: all, where it is no fault."""
    return len(credited(result)) if faults else result.logged_out.shoppers


def _logged_out(
    faults: Sequence[PlannedFault], clear: Mapping[str, ArchitectureResult], long: str, short: str
) -> list[str]:
    """The longest wording first."""
    by = {name: _out_by(faults, result) for name, result in clear.items()}
    where = f"{sum(map(bool, by.values()))} of {len(clear)} architectures"
    also = _security(clear)
    they = "they" if len({fault.victim for fault in faults}) > 1 and not _one_each(faults, clear) else "it"
    apart = [(name, result) for name, result in clear.items() if result.logged_out.shoppers > by[name]]
    # Beside "had already lost 58", people whom the fault logged out a second time would be counted twice.
    again = {name: count for name, result in apart if (count := _logged_out_again(result))}
    those = {
        name: f" ({count} of the {clear[name].logged_out_before_fault} out before)" for name, count in again.items()
    }
    told = listed([_out_otherwise(name, result, by[name]) for name, result in apart], "and")
    short_told = listed(
        [_out_otherwise(name, result, by[name], brief=True) for name, result in apart if name not in again], "and"
    )
    brief = listed([f"{result.logged_out.shoppers - by[name]} in {name}" for name, result in apart], "and")
    brief = f"for other reasons {brief}" if brief else ""
    most = f"for other reasons {sum(result.logged_out.shoppers - by[name] for name, result in apart)}" if apart else ""
    wordings = (
        _joined(
            _told_apart(clear, by, they, {name: f" ({count} again)" for name, count in again.items()}), told, also, long
        ),
        _joined(_told_apart(clear, by, they, those), short_told, also, long),
        _joined(_told_apart(clear, by, they, {}), brief, also, long),
        _joined(_told_together(clear, by), brief, also, long),
        _joined(_told_together(clear, by), brief, also, short),
        _joined(f"{sum(by.values())} shoppers in {where}" if any(by.values()) else "nobody", most, short),
    )
    return [f"logged out {wording}" for wording in wordings]


def _security(clear: Mapping[str, ArchitectureResult]) -> str:
    """Losses by which nobody is logged out and that nobody must miss: sessions that outlived their logout, say."""
    return _joined(*(
        f"{measure.phrase}: {listed([f'{number(value)} in {name}' for name, value in found.items()], 'and')}"
        for measure in MEASURES.values()
        if measure.sort == "loss" and measure.group == "Security"
        and (found := {name: value for name, result in clear.items() if (value := measure.read(result))})
    ))  # fmt: skip


def _out_otherwise(name: str, result: ArchitectureResult, by_faults: int, *, brief: bool = False) -> str:
    """Who was logged out and not by a fault: as in roundrobin-memory had already lost 57 of 60 before."""
    if brief and result.logged_out_before_fault:
        return f"{name} had already lost {result.logged_out_before_fault}"
    by = credited(result)
    # By people: whom a fault logged out is told of there, also if the same shopper's other losses have other causes.
    rest = [loss for loss in result.losses if loss.kind == LOGGED_OUT and loss.shopper not in by]
    later = {loss.shopper for loss in rest} - _out_before_fault(result)
    # Only if time alone was behind all of them: one other cause, and "by time" would be wrong for somebody.
    alone = {word for loss in rest for word in words_of(loss.cause)} == {"expired"}
    if not result.logged_out_before_fault:
        others = result.logged_out.shoppers - by_faults
        return f"time logged out {others} in {name}" if alone else f"for other reasons {others} in {name}"
    before = f"{name} had already lost {result.logged_out_before_fault} of {result.shoppers} before"
    return before + (f", and later {len(later)} {'by time' if alone else 'for other reasons'}" if later else "")


def _out_before_fault(result: ArchitectureResult) -> frozenset[int]:
    """Shoppers who had been logged out before the first fault struck; nobody, without one."""
    first_us = min((fault.injected_us for fault in result.faults if fault.injected_us is not None), default=0)
    return frozenset(loss.shopper for loss in result.losses if loss.kind == LOGGED_OUT and loss.at_ms * 1000 < first_us)


def _logged_out_again(result: ArchitectureResult) -> int:
    """Shoppers whom a fault logged out, and who had been logged out before any struck."""
    return len(credited(result) & _out_before_fault(result)) if result.logged_out_before_fault else 0


def _told_apart(
    architectures: Mapping[str, ArchitectureResult], by: Mapping[str, int], they: str, notes: Mapping[str, str]
) -> str:
    """As in: 20 of 60 shoppers in sticky-memory (all whose sessions it held) and 3 in … (2 again); nobody in redis."""
    names = [name for name in architectures if by[name]]
    hit = [
        _hit(name, architectures[name], by[name], they, place == 0) + notes.get(name, "")
        for place, name in enumerate(names)
    ]
    nobody = [name for name, result in architectures.items() if not result.logged_out.shoppers]
    named = f"nobody in {listed(nobody, 'or')}" if nobody else ""
    return _joined(listed(hit, "and"), named) or "nobody"


def _told_together(architectures: Mapping[str, ArchitectureResult], by: Mapping[str, int]) -> str:
    """The same without the reasons."""
    hit = [f"{by[name]} in {name}" for name in architectures if by[name]]
    nobody = sum(not result.logged_out.shoppers for result in architectures.values())
    others = f"nobody in {nobody} {'others' if hit else 'architectures'}" if nobody else ""
    return _joined(listed(hit, "and"), others) or "nobody"


def _hit(name: str, result: ArchitectureResult, out: int, they: str, first: bool) -> str:
    who = f"{out:,} of {result.shoppers:,} shoppers" if first else f"{out:,}"
    # Three numbers alike and no cause of another kind: only then are those who are out the very ones it held.
    exactly = out == result.at_risk == result.logged_out.shoppers and all(
        _NOT_THE_VICTIMS.isdisjoint(words_of(loss.cause)) for loss in result.losses if loss.kind == LOGGED_OUT
    )
    return f"{who} in {name}" + (f" (all whose sessions {they} held)" if exactly else "")


def _counted(headline: str, clear: Mapping[str, ArchitectureResult], long: str, short: str) -> list[str]:
    """As in: 60 in redis and 4 in redis-replica; none in signed-token. The longest wording first."""
    values = {name: MEASURES[headline].read(result) for name, result in clear.items()}
    some = listed([f"{number(value)} in {name}" for name, value in values.items() if value], "and")
    none = [name for name, value in values.items() if value == 0]  # and not None: what was not measured is no "none"
    unknown = [name for name, value in values.items() if value is None]
    named = f"none in {listed(none, 'or')}" if none else ""
    others = f"none in {len(none)} {'others' if some else 'architectures'}" if none else ""
    not_known = f"not measured in {len(unknown)}" if unknown else ""
    known = [value for value in values.values() if value is not None]
    most = f"at most {number(max(known))} in {len(clear)} architectures" if known else ""
    return [
        _joined(some, named, not_known, long),
        _joined(some, others, not_known, long),
        _joined(some, others, not_known, short),
        _joined(most, not_known, short),
    ]
