"""The answer first: one sentence of at most 30 words, made from the numbers."""

from collections.abc import Iterable, Mapping, Sequence

from loadtests.checks import MEASURES
from loadtests.faults.words import doing, listed
from loadtests.judging.verdict import AT_RISK_UNKNOWN, NOT_TO_ITS_END, NOTHING_PREDICTED
from loadtests.model.plan import PlannedFault
from loadtests.model.results import ArchitectureResult, Because, Loss
from loadtests.model.wording import number
from loadtests.session_model.causes import words_of
from shared.plurals import counted, inflected

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
    clear = dict(architectures)
    if any(result.reasons != (NOTHING_PREDICTED,) for result in architectures.values()):
        clear = {name: result for name, result in architectures.items() if result.verdict != "inconclusive"}
    unclear = [name for name in architectures if name not in clear]
    if not clear and all(_only_ended_early(result) for result in architectures.values()):
        return "Nothing was predicted, and it ended before a last look at everybody: counted is what was seen by then."
    if not clear:
        names = listed(unclear, "and") if len(unclear) <= MOST_WORDS // 2 else f"{len(unclear)} architectures"
        doubts = [reason for result in architectures.values() for reason in result.reasons or ("",)]
        if all(doubt.endswith(AT_RISK_UNKNOWN) for doubt in doubts):
            return f"Inconclusive: the predictions go by who was at risk, which was not measured in {names}."
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
    """Shoppers with a logout that faults alone explain: a sentence credits the faults with these, and no more.

    Whose session was lost for something beside the fault, too, would have been logged out without it, or may have been.
    """
    return frozenset(loss.shopper for loss in result.losses if loss.kind == LOGGED_OUT and _by_faults_alone(loss))


def _by_faults_alone(loss: Loss) -> bool:
    """One of the alternatives that explain it consists of faults."""
    alternatives: dict[int, list[Because]] = {}
    for factor in loss.because:
        alternatives.setdefault(factor.alternative, []).append(factor)
    return any(all(factor.fault is not None for factor in together) for together in alternatives.values())


def _reasons(losses: Iterable[Loss]) -> str:
    """What is said of those whom no fault alone logged out: a fault may be among their causes."""
    shared = any(factor.fault is not None for loss in losses for factor in loss.because)
    return "for other or further reasons" if shared else "for other reasons"


class _Logouts:
    """Who was logged out in one architecture, told apart by what was behind it."""

    def __init__(self, name: str, result: ArchitectureResult, *, by_faults: bool) -> None:
        self.name, self.result = name, result
        self.shoppers = result.logged_out.shoppers
        self._losses = [loss for loss in result.losses if loss.kind == LOGGED_OUT]
        self._credited = credited(result)
        self.by = len(self._credited) if by_faults else self.shoppers
        """Of whom the sentence says that what it begins with logged them out: all, where it is no fault."""
        self.others = self.shoppers - self.by
        first_us = min((fault.injected_us for fault in result.faults if fault.injected_us is not None), default=0)
        # By people: whom a fault logged out is told of there, also if their other losses have other causes.
        self.rest = [loss for loss in self._losses if by_faults and loss.shopper not in self._credited]
        self._out_before = {loss.shopper for loss in self._losses if loss.at_ms * 1000 < first_us}
        self.before = result.logged_out_before_fault
        # Beside "had already lost 58", people whom the fault logged out a second time would be counted twice.
        self.again = len(self._credited & self._out_before) if self.before and self.others > 0 else 0

    def by_it(self, they: str, *, first: bool) -> str:
        """As in: 20 of 60 shoppers in sticky-memory (all whose sessions it held)."""
        of = f" of {self.result.shoppers:,} {inflected('shopper', self.result.shoppers)}" if first else ""
        who = f"{self.by:,}{of}"
        # Three numbers alike and no cause of another kind: only then are those who are out the very ones it held.
        exactly = self.by == self.result.at_risk == self.shoppers and all(
            _NOT_THE_VICTIMS.isdisjoint(words_of(loss.cause)) for loss in self._losses
        )
        return f"{who} in {self.name}" + (f" (all whose sessions {they} held)" if exactly else "")

    def otherwise(self) -> str:
        """Who was logged out and not by a fault: as in roundrobin-memory had already lost 57 of 60 before."""
        # Only if time alone was behind all of them: one other cause, and "by time" would be wrong for somebody.
        alone = {word for loss in self.rest for word in words_of(loss.cause)} == {"expired"}
        if not self.before:
            return f"{'time logged out' if alone else _reasons(self.rest)} {self.others} in {self.name}"
        later = [loss for loss in self.rest if loss.shopper not in self._out_before]
        told, people = f"{self.already()} of {self.result.shoppers} before", len({loss.shopper for loss in later})
        return told + (f", and later {people} {'by time' if alone else _reasons(later)}" if later else "")

    def already(self) -> str:
        """How many a fault found logged out."""
        return f"{self.name} had already lost {self.before}"


def _logged_out(
    faults: Sequence[PlannedFault], clear: Mapping[str, ArchitectureResult], long: str, short: str
) -> list[str]:
    """The longest wording first."""
    outs = [_Logouts(name, result, by_faults=bool(faults)) for name, result in clear.items()]
    also = _security(clear)
    they = "they" if len({fault.victim for fault in faults}) > 1 and not _one_each(faults, clear) else "it"
    apart = [it for it in outs if it.others > 0]
    told = listed([it.otherwise() for it in apart], "and")
    short_told = listed([it.already() if it.before else it.otherwise() for it in apart if not it.again], "and")
    brief = listed([f"{it.others} in {it.name}" for it in apart], "and")
    reasons = _reasons(loss for it in apart for loss in it.rest)
    brief = f"{reasons} {brief}" if brief else ""
    most = f"{reasons} {sum(it.others for it in apart)}" if apart else ""
    by = sum(it.by for it in outs)
    where = f"{sum(it.by > 0 for it in outs)} of {counted(len(clear), 'architecture')}"
    wordings = (
        _joined(_told_apart(outs, they, " ({it.again} again)"), told, also, long),
        _joined(_told_apart(outs, they, " ({it.again} of the {it.before} out before)"), short_told, also, long),
        _joined(_told_apart(outs, they, ""), brief, also, long),
        _joined(_told_together(outs), brief, also, long),
        _joined(_told_together(outs), brief, also, short),
        _joined(f"{counted(by, 'shopper')} in {where}" if by else "nobody", most, short),
    )
    return [f"logged out {wording}" for wording in wordings]


def _counted_or_named(names: Sequence[str], beside: object) -> str:
    """As few words as there are for these architectures: a single one has the fewest by its name."""
    return names[0] if len(names) == 1 else f"{len(names)} {'others' if beside else 'architectures'}"


def _told_apart(outs: Sequence[_Logouts], they: str, note: str) -> str:
    """As in: 20 of 60 shoppers in sticky-memory (all whose sessions it held) and 3 in … (2 again); nobody in redis."""
    hit = [it for it in outs if it.by]
    told = [it.by_it(they, first=it is hit[0]) + (note.format(it=it) if it.again else "") for it in hit]
    nobody = [it.name for it in outs if not it.shoppers]
    return _joined(listed(told, "and"), f"nobody in {listed(nobody, 'or')}" if nobody else "") or "nobody"


def _told_together(outs: Sequence[_Logouts]) -> str:
    """The same without the reasons."""
    hit = [f"{it.by} in {it.name}" for it in outs if it.by]
    nobody = [it.name for it in outs if not it.shoppers]
    others = f"nobody in {_counted_or_named(nobody, hit)}" if nobody else ""
    return _joined(listed(hit, "and"), others) or "nobody"


def _security(clear: Mapping[str, ArchitectureResult]) -> str:
    """Losses by which nobody is logged out and that nobody must miss: sessions that outlived their logout, say."""
    return _joined(*(
        f"{measure.phrase}: {listed([f'{number(value)} in {name}' for name, value in found.items()], 'and')}"
        for measure in MEASURES.values()
        if measure.sort == "loss" and measure.group == "Security"
        and (found := {name: value for name, result in clear.items() if (value := measure.read(result))})
    ))  # fmt: skip


def _counted(headline: str, clear: Mapping[str, ArchitectureResult], long: str, short: str) -> list[str]:
    """As in: 60 in redis and 4 in redis-replica; none in signed-token. The longest wording first."""
    values = {name: MEASURES[headline].read(result) for name, result in clear.items()}
    some = listed([f"{number(value)} in {name}" for name, value in values.items() if value], "and")
    none = [name for name, value in values.items() if value == 0]  # and not None: what was not measured is no "none"
    unknown = [name for name, value in values.items() if value is None]
    named = f"none in {listed(none, 'or')}" if none else ""
    others = f"none in {_counted_or_named(none, some)}" if none else ""
    not_known = f"not measured in {len(unknown)}" if unknown else ""
    known = [value for value in values.values() if value is not None]
    most = f"at most {number(max(known))} in {counted(len(clear), 'architecture')}" if known else ""
    return [
        _joined(some, named, not_known, long),
        _joined(some, others, not_known, long),
        _joined(some, others, not_known, short),
        _joined(most, not_known, short),
    ]
