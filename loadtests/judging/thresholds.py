"""Thresholds: when a run is to fail, whatever was predicted. `[fail_if]` in a scenario.

    [fail_if]                       # on every architecture
    wrong_user = "> 0"

    [fail_if.redis]                 # on this one; of one measure, its own threshold stands for the general one
    logged_out = "> 0"

A prediction says what somebody believes; a threshold says what somebody will not have. Both are written alike, over the
same measures, but for this: a threshold needs a relation or a range. A bare "0" would fire when nobody is lost, which
nobody means who writes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from loadtests.checks import MEASURES
from loadtests.judging.verdict import exit_code, hangs_on_undecided
from loadtests.model.formulas import Terms, predict
from loadtests.model.results import ArchitectureResult, Results, Threshold, VerdictWord
from loadtests.model.wording import fails_if

FailIf = Mapping[str, str | Mapping[str, str]]
"""As a scenario has it: by measure, or by architecture and measure."""


def thresholds_of(fail_if: FailIf, architecture: str) -> dict[str, str]:
    """What is to fail one architecture, by measure: the general ones, then its own, which win."""
    own = fail_if.get(architecture, {})
    general = {measure: text for measure, text in fail_if.items() if isinstance(text, str)}
    return general if isinstance(own, str) else {**general, **own}


def judge_thresholds(
    wanted: Mapping[str, str], result: ArchitectureResult, terms: Terms
) -> tuple[tuple[Threshold, ...], tuple[str, ...]]:
    """Each threshold beside what was measured; and, in sentences, those of which nobody can say whether they fired."""
    found, doubts = [], []
    for measure, text in wanted.items():
        measured = MEASURES[measure].read(result)
        if measured is None:
            doubts.append(f"{measure} has a threshold and was not measured")
            continue
        try:
            it = predict(measure, text, measured, terms)
        except ValueError as error:
            doubts.append(f"the threshold of {measure} has no value here: {error}")
            continue
        # It holds: it fires, and whom nobody could look at needs no more asking.
        if not it.holds and hangs_on_undecided(measure, text, result, terms):
            doubts.append(
                f"the threshold of {measure} hangs on {result.users.undecided} shoppers whom nobody could look at"
            )
        found.append(Threshold(measure, text, it.value, measured, it.holds, it.upper))
    return tuple(found), tuple(doubts)


def in_their_stead(
    verdict: VerdictWord, reasons: tuple[str, ...], thresholds: Iterable[Threshold]
) -> tuple[VerdictWord, tuple[str, ...]]:
    """The verdict on an architecture of which nothing is predicted: that no threshold fires is the prediction then."""
    fired = tuple(fails_if(threshold) for threshold in thresholds if threshold.fired)
    if fired and verdict != "inconclusive":
        verdict = "not as predicted"
    return verdict, (*reasons, *fired)


def fired(results: Results) -> list[tuple[str, Threshold]]:
    """The thresholds that fired, by architecture. Where the experiment did not happen, none decides anything."""
    return [
        (name, threshold)
        for name, result in results.architectures.items()
        if result.verdict != "inconclusive"
        for threshold in result.thresholds
        if threshold.fired
    ]


def exit_code_of(results: Results) -> int:
    """1 if a threshold fired, else that of the verdict: 0 as predicted, 1 not as predicted, 3 inconclusive.

    A threshold that fired on one architecture is not masked by another one that is inconclusive.
    """
    return exit_code(results.verdict, fired=bool(fired(results)))
