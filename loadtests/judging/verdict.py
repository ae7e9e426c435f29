"""The verdict: as predicted, not as predicted, or inconclusive; and thresholds, which decide the exit code beside it.

Within one architecture an experiment that did not happen decides nothing: it is inconclusive, whatever was predicted.
Over all architectures a failure is never masked by an unknown: not as predicted > inconclusive > as predicted.

Thresholds stand in `[fail_if]` of a scenario:

    [fail_if]                       # on every architecture
    wrong_user = "> 0"

    [fail_if.redis]                 # on this one; of one measure, its own threshold stands for the general one
    logged_out = "> 0"

A prediction says what somebody believes; a threshold says what somebody will not have. Both are written alike, over the
same measures, but for this: a threshold needs a relation or a range. A bare "0" would fire when nobody is lost, which
nobody means who writes it.
"""

from collections.abc import Iterable, Mapping, Sequence

from loadtests.checks import MEASURES
from loadtests.faults import FAULTS
from loadtests.model.application import cannot_count, like
from loadtests.model.formulas import Terms, predict
from loadtests.model.results import ArchitectureResult, Prediction, Results, Threshold, VerdictWord
from loadtests.model.scenario import Scenario
from loadtests.model.wording import beside, fails_if
from loadtests.session_model.timeline import RunTimeline
from shared.plurals import counted

NOTHING_PREDICTED = "the scenario predicts nothing for it"
"""The one doubt that is not about the measurement."""
NOT_TO_ITS_END = "it was not measured to its end"
"""How the doubt begins of which no other one is needed: half a measurement proves nothing."""
AT_RISK_UNKNOWN = "which was not measured"
"""How the doubt ends that is only about the prediction: who was at risk can be unknown where all went as planned."""
UNSEEN = "nothing that the scenario predicts for it can be seen of it"

EXIT_CODES: dict[VerdictWord, int] = {"as predicted": 0, "not as predicted": 1, "inconclusive": 3}


def expected_of(scenario: Scenario, run: RunTimeline) -> dict[str, str]:
    """What the scenario predicts there: of a described application, what it predicts of the twins' architecture that
    keeps its sessions and is routed as this one."""
    facts, description = run.application, run.description
    if facts is None or description is None:
        return scenario.expect.get(run.architecture, {})
    if (
        # What is predicted of the twins' store says nothing of one that our faults cannot reach.
        any(FAULTS[fault.kind].strikes in ("store", "replica") for fault in scenario.fault)
        and not description.uses_server
    ):
        return {}
    return scenario.expect.get(like(description), {})


def predictions_for(
    expected: Mapping[str, str], result: ArchitectureResult, terms: Terms
) -> tuple[tuple[Prediction, ...], tuple[str, ...]]:
    """Each prediction of the scenario beside what was measured; and, in sentences, those that have no value.

    (A scenario is checked when it is read; but "U / at_risk" has no value if nobody was at risk, and not every cluster
    can say what its nodes use.)
    """
    found, doubts, open_ones = [], [], []
    for measure, text in expected.items():
        measured = MEASURES[measure].read(result)
        # That it cannot be seen is known beforehand, and no doubt; what should have been seen, and was not, is one.
        if measured is None and cannot_count(measure, result.facts):
            continue
        if measured is None:
            doubts.append(f"{measure} was predicted and not measured")
            continue
        if result.at_risk is None and "at_risk" in text:
            doubts.append(f"{measure} was predicted by at_risk ({text}), {AT_RISK_UNKNOWN}")
            continue
        try:
            found.append(predict(measure, text, measured, terms))
            if hangs_on_undecided(measure, text, result, terms):
                open_ones.append(measure)
        except ValueError as error:
            doubts.append(f"the prediction of {measure} has no value here: {error}")
    if expected and not found and not doubts:
        doubts.append(UNSEEN)
    if open_ones:
        undecided = counted(result.users.undecided, "shopper")
        doubts.append(
            f"{undecided} could not be looked at in the audit, so nobody knows what would have been counted: "
            f"{', '.join(open_ones)}"
        )
    return tuple(found), tuple(doubts)


def hangs_on_undecided(measure: str, text: str, result: ArchitectureResult, terms: Terms) -> bool:
    """Whether what became of those whom nobody could look at could turn it: each may have lost once what it counts.

    Orders are looked at in the database, whoever answers or not.

    Raises:
        ValueError: it has no value with these terms.
    """
    undecided, it = result.users.undecided, MEASURES[measure]
    if not undecided or it.sort != "loss" or any(kind.startswith("order") for kind in it.kinds):
        return False
    measured = it.read(result) or 0
    # Tried with every number that it may have been: a prediction can be a range, so the two ends do not suffice.
    return len({predict(measure, text, measured + more, terms).holds for more in range(undecided + 1)}) > 1


def verdict_of(
    doubts: Sequence[str], predictions: Iterable[Prediction], in_their_stead: Iterable[Threshold] = ()
) -> tuple[VerdictWord, tuple[str, ...]]:
    """The verdict on one architecture, and its reasons in sentences (none if as predicted).

    `in_their_stead`: where nothing is predicted, that none of these thresholds fires is the prediction.
    """
    refuted = [beside(prediction) for prediction in predictions if not prediction.holds]
    refuted += [fails_if(threshold) for threshold in in_their_stead if threshold.fired]
    if doubts:
        return "inconclusive", (*doubts, *refuted)  # said, though it decides nothing: never masked
    return ("not as predicted", tuple(refuted)) if refuted else ("as predicted", ())


def overall(verdicts: Iterable[VerdictWord]) -> VerdictWord:
    """The verdict on the run; inconclusive if nothing was measured."""
    words = set(verdicts)
    # First: a prediction that was refuted somewhere stays refuted, however little the others show.
    if "not as predicted" in words:
        return "not as predicted"
    return "as predicted" if words == {"as predicted"} else "inconclusive"


def exit_code(verdict: VerdictWord, *, fired: bool = False) -> int:
    """0 as predicted, 1 not as predicted, 3 inconclusive; 1 whatever the verdict if a threshold fired."""
    return EXIT_CODES["not as predicted" if fired else verdict]


FailIf = Mapping[str, str | Mapping[str, str]]
"""`[fail_if]` as a scenario has it: by measure, or by architecture and measure."""


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
            undecided = counted(result.users.undecided, "shopper")
            doubts.append(f"the threshold of {measure} hangs on {undecided} whom nobody could look at")
        found.append(Threshold(measure, text, it.value, measured, it.holds, it.upper))
    return tuple(found), tuple(doubts)


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
