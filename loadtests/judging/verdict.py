"""The verdict: as predicted, not as predicted, or inconclusive. And everything that can be predicted.

Within one architecture an experiment that did not happen decides nothing: it is inconclusive, whatever was predicted.
Over all architectures a failure is never masked by an unknown: not as predicted > inconclusive > as predicted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from loadtests.judging.predictions import Terms, predict
from loadtests.results import ArchitectureResult, Prediction, VerdictWord

Read = Callable[[ArchitectureResult], float]

EXIT_CODES: dict[VerdictWord, int] = {"as predicted": 0, "not as predicted": 1, "inconclusive": 3}


class Measure(msgspec.Struct, frozen=True):
    """Something that a scenario can predict."""

    definition: str
    read: Read


MEASURES: dict[str, Measure] = {
    "logged_out": Measure("Shoppers logged out involuntarily at least once.", lambda it: it.logged_out.shoppers),
    "logged_out_events": Measure("Involuntary logouts; one shopper can have several.", lambda it: it.logged_out.events),
    "logged_out_more_than_once": Measure(
        "Shoppers logged out involuntarily at least twice.", lambda it: it.logged_out.more_than_once
    ),
    "logged_out_before_fault": Measure(
        "Shoppers logged out involuntarily before the first fault was injected (without a fault: at all).",
        lambda it: it.logged_out_before_fault,
    ),
    "never_logged_in": Measure(
        "Shoppers whose login was never acknowledged, nor shown by a later answer.", lambda it: it.users.never_logged_in
    ),
    "carts_lost": Measure("Times that an acknowledged cart was shown empty.", lambda it: it.carts_lost),
    "items_lost": Measure(
        "Times that a cart which is not empty, or an order, lacked acknowledged units.", lambda it: it.items_lost
    ),
    "units_lost": Measure("Units of goods lost with carts, items and orders.", lambda it: it.items.lost),
    "carts_rolled_back": Measure(
        "Times that a cart held more than any possible one: something was back.", lambda it: it.carts_rolled_back
    ),
    "wrong_user": Measure("Times that somebody else's name was shown.", lambda it: it.wrong_user),
    "orders_lost": Measure("Acknowledged orders that the database does not hold.", lambda it: it.orders_lost),
    "orders_duplicated": Measure("Second orders of one checkout in the database.", lambda it: it.orders_duplicated),
    "failed": Measure("Planned actions that surely did not happen.", lambda it: it.actions.failed),
    "unknown": Measure("Planned actions of which nobody knows whether they happened.", lambda it: it.actions.unknown),
    "not_sent": Measure("Planned actions that were not sent.", lambda it: it.actions.not_sent),
    "seconds_without_service": Measure(
        "Summed over shoppers: from the sending of the first planned action that was not ok to the answer of the next.",
        lambda it: it.seconds_without_service,
    ),
}
"""By name: the definition, and how it is read from the results."""


def predictions_for(
    expected: Mapping[str, str], result: ArchitectureResult, nodes: int
) -> tuple[tuple[Prediction, ...], tuple[str, ...]]:
    """Each prediction of the scenario beside what was measured; and, in sentences, those that have no value.

    (A scenario is checked when it is read; but "U / at_risk" has no value if nobody was at risk.)
    """
    terms = Terms(result.shoppers, nodes, result.at_risk)
    found, doubts = [], []
    for measure, text in expected.items():
        try:
            found.append(predict(measure, text, MEASURES[measure].read(result), terms))
        except ValueError as error:
            doubts.append(f"the prediction of {measure} has no value here: {error}")
    return tuple(found), tuple(doubts)


def verdict_of(doubts: Sequence[str], predictions: Iterable[Prediction]) -> tuple[VerdictWord, tuple[str, ...]]:
    """The verdict on one architecture, and its reasons in sentences (none if as predicted)."""
    refuted = [_refuted(prediction) for prediction in predictions if not prediction.holds]
    if doubts:
        return "inconclusive", (*doubts, *refuted)  # said, though it decides nothing: never masked
    return ("not as predicted", tuple(refuted)) if refuted else ("as predicted", ())


def overall(verdicts: Iterable[VerdictWord]) -> VerdictWord:
    """The verdict on the run; inconclusive if nothing was measured."""
    words = set(verdicts)
    if "not as predicted" in words:
        return "not as predicted"
    return "as predicted" if words == {"as predicted"} else "inconclusive"


def exit_code(verdict: VerdictWord) -> int:
    """0 as predicted, 1 not as predicted, 3 inconclusive."""
    return EXIT_CODES[verdict]


def _refuted(prediction: Prediction) -> str:
    text, value = prediction.predicted, f"{prediction.value:g}"
    predicted = text if text == value else f"{text} = {value}" if text[:1] not in "<>=" else f"{text} (that is {value})"
    return f"predicted {prediction.measure} {predicted}, measured {prediction.measured:g}"
