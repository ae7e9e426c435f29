"""The table of results: which measures it shows, and where each number leads."""

import msgspec

from loadtests.checks import MEASURES
from loadtests.model.measures import Measure, in_order
from loadtests.model.results import ArchitectureResult, Prediction, Results, Threshold
from loadtests.model.wording import brief, readable
from loadtests.report.evidence import Evidence

MOST_LETTERS = 28
"""Longer predictions do not fit into a cell."""

OTHER_LOSSES = Measure(
    "other_losses",
    "Carts rolled back, somebody else’s name or cart shown, orders lost, orders made twice.",
    lambda it: sum(it or 0 for it in (it.carts_rolled_back, it.wrong_user, it.orders_lost, it.orders_duplicated)),
    sort="loss",
    group="Goods",
    meaning="Carts rolled back (they held more than any acknowledged state: something was back), somebody else’s "
    "name or cart shown, orders lost, orders made twice: all four together.",
    kinds=("cart_rolled_back", "wrong_user", "order_lost", "order_duplicated"),
    report="always",
    counted="each time",
    place=30,
)
P95_PLAN = Measure(
    "p95_plan",
    "The same, from the moment at which the action was planned: a freeze is not left out.",
    lambda it: it.latency_ms.from_plan.p95,
    sort="latency",
    group="Service",
    label="p95 from the plan",
    counted="from when it was due",
    unit="ms",
    digits=1,
    report="always",
    place=62,
)


def columns() -> tuple[Measure, ...]:
    """All that the table has a place for. Two of them nobody can predict: they stand beside others that one can."""
    found = [it for it in MEASURES.values() if it.group != "Cost" and it.report != "never"]
    return tuple(in_order([*found, OTHER_LOSSES, P95_PLAN]).values())


LEADS = "logged_out"
"""The measure that every report shows, also where it is 0 everywhere."""


def shown_columns(results: Results) -> tuple[Measure, ...]:
    """Those that the table of these results has: what happened anywhere, or was predicted."""
    return tuple(it for it in columns() if it.name == LEADS or is_of_interest(it, results))


def zero_columns(results: Results) -> tuple[Measure, ...]:
    """Those that are always counted and are 0 in every architecture."""
    return tuple(it for it in columns() if it.report == "always" and it not in shown_columns(results))


def is_of_interest(measure: Measure, results: Results) -> bool:
    """Whether it is not 0 everywhere, or somebody predicted it."""
    return any(measure.read(result) or _is_predicted(measure, result) for result in results.architectures.values())


def _is_predicted(measure: Measure, result: ArchitectureResult) -> bool:
    return any(prediction.measure == measure.name for prediction in result.predictions)


def shown_costs(results: Results) -> tuple[Measure, ...]:
    """What requests and sessions cost, as far as it was measured, or predicted, anywhere."""
    found = results.architectures.values()
    return tuple(
        it for it in MEASURES.values()
        if it.group == "Cost" and any(it.read(result) is not None or _is_predicted(it, result) for result in found)
    )  # fmt: skip


class Row(msgspec.Struct, frozen=True):
    """One architecture. `result` is None if it was not measured; then `missing` says why."""

    name: str
    css: str
    result: ArchitectureResult | None
    missing: str


def rows(evidence: Evidence, results: Results) -> tuple[Row, ...]:
    """The table, in the order of the run."""
    found = []
    for name in dict.fromkeys([*evidence.provenance.architectures, *results.architectures]):
        story, result = evidence.stories[name], results.architectures.get(name)
        missing = story.run.interrupted or ("" if result else "The run ended before it was begun.")
        found.append(Row(name, story.css, result, missing))
    return tuple(found)


def loss_id(architecture: str, number: int) -> str:
    """The id of a loss on the page; `number` is its index in results.json."""
    return f"loss-{architecture}-{number}"


def witness_of(column: Measure, architecture: str, result: ArchitectureResult) -> str:
    """The id of the loss that shows that number; empty if there is none."""
    # Losses are in order of time, so it is the first that anybody could have seen.
    first = next((number for number, loss in enumerate(result.losses) if loss.kind in column.kinds), None)
    return "" if first is None else loss_id(architecture, first)


def in_cell(limit: Prediction | Threshold) -> str:
    """What was predicted, for a narrow cell: of a long formula what it comes to; `more_predictions` has it whole."""
    text = readable(limit)
    return text if len(text) <= MOST_LETTERS else brief(limit)


class More(msgspec.Struct, frozen=True):
    """A prediction that the tables do not tell, or not whole, and the architectures where it went the same way."""

    prediction: Prediction
    names: tuple[str, ...]
    doubtful: bool
    """They are inconclusive: nothing is kept there, and nothing refuted."""

    @property
    def refuted(self) -> bool:
        """Whether it was measured, and came out otherwise."""
        return not (self.doubtful or self.prediction.holds)


def more_predictions(results: Results) -> tuple[More, ...]:
    """Those that no table has a place for, and those too long for it; equal ones are told once."""
    shown = {it.name for it in MEASURES.values() if it.report != "never"}
    # By the whole of it and not only its words, which may come to another number elsewhere, or be refuted there.
    names: dict[tuple[Prediction, bool], list[str]] = {}
    for name, result in results.architectures.items():
        for prediction in result.predictions:
            if prediction.measure not in shown or len(readable(prediction)) > MOST_LETTERS:
                names.setdefault((prediction, result.verdict == "inconclusive"), []).append(name)
    return tuple(More(prediction, tuple(those), doubtful) for (prediction, doubtful), those in names.items())
