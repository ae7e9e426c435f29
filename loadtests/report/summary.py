"""The table of results: which numbers it shows, in which order, and where each one leads."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from loadtests.report.evidence import Evidence
from loadtests.results import ArchitectureResult, LossKind, Prediction, Results


class Column(msgspec.Struct, frozen=True):
    """One number of each architecture."""

    key: str
    """A key of `words.DEFINITIONS`."""
    group: str
    value: Callable[[ArchitectureResult], float]
    losses: tuple[LossKind, ...] = ()
    """The losses that are its witnesses."""
    measures: tuple[str, ...] = ()
    """The names under which scenarios predict it."""
    unit: str = ""
    digits: int = 0

    def text(self, result: ArchitectureResult) -> str:
        """The number as it is printed."""
        return f"{self.value(result):,.{self.digits}f}"


OTHER: tuple[LossKind, ...] = ("cart_rolled_back", "wrong_user", "order_lost", "order_duplicated")

COLUMNS = (
    Column("logged-out", "People", lambda r: r.logged_out.shoppers, ("logged_out",), ("logged_out",)),
    Column("logouts", "People", lambda r: r.logged_out.events, ("logged_out",), ("logged_out_events",)),
    Column("carts-lost", "Goods", lambda r: r.carts_lost, ("cart_lost",), ("carts_lost",)),
    Column("items-lost", "Goods", lambda r: r.items_lost, ("items_lost",), ("items_lost",)),
    Column("units-lost", "Goods", lambda r: r.items.lost, ("cart_lost", "items_lost"), ("units_lost",)),
    Column(
        "other-losses",
        "Goods",
        lambda r: r.carts_rolled_back + r.wrong_user + r.orders_lost + r.orders_duplicated,
        OTHER,
    ),
    Column("failed", "Actions", lambda r: r.actions.failed, (), ("failed",)),
    Column("unknown", "Actions", lambda r: r.actions.unknown, (), ("unknown",)),
    Column("not-sent", "Actions", lambda r: r.actions.not_sent, (), ("not_sent",)),
    Column("without-service", "Service", lambda r: r.seconds_without_service, (), ("seconds_without_service",), "s", 1),
    Column("p95-raw", "Service", lambda r: r.latency_ms.raw.p95, (), (), "ms", 1),
    Column("p95-plan", "Service", lambda r: r.latency_ms.from_plan.p95, (), (), "ms", 1),
)


class Cell(msgspec.Struct, frozen=True):
    """One number of the table."""

    id: str
    column: Column
    text: str
    of: str
    """ "of 60": what it is a part of."""
    witness: str
    """The id of the loss that shows it; empty if there is none."""
    predictions: tuple[Prediction, ...]


class Row(msgspec.Struct, frozen=True):
    """One architecture. `result` is None if it was not measured; then `missing` says why."""

    name: str
    css: str
    about: str
    result: ArchitectureResult | None
    cells: tuple[Cell, ...]
    missing: str = ""


def formula(prediction: Prediction) -> str:
    """What was predicted, for reading: "at risk: 20", "≥ 0.95 × U: 57", "0"."""
    text = prediction.predicted.strip()
    for sign, better in ((">=", "≥"), ("<=", "≤"), ("*", "×"), ("_", " ")):
        text = text.replace(sign, better)
    value = f"{prediction.value:g}"
    return text if value in text.split() else f"{text}: {value}"


class More(msgspec.Struct, frozen=True):
    """A prediction about a number that the table does not show, and the architectures where it went the same way."""

    prediction: Prediction
    names: tuple[str, ...]


def more_predictions(results: Results) -> tuple[More, ...]:
    """Those that the table has no column for; equal ones are told once."""
    shown = {measure for column in COLUMNS for measure in column.measures}
    names: dict[Prediction, list[str]] = {}
    for name, result in results.architectures.items():
        for prediction in result.predictions:
            if prediction.measure not in shown:
                names.setdefault(prediction, []).append(name)
    return tuple(More(prediction, tuple(its_names)) for prediction, its_names in names.items())


def loss_id(architecture: str, number: int) -> str:
    """The id of a loss on the page; `number` is its index in results.json."""
    return f"loss-{architecture}-{number}"


def rows(evidence: Evidence, results: Results) -> tuple[Row, ...]:
    """The table, in the order of the run."""
    names = [*evidence.provenance.architectures]
    names += [name for name in results.architectures if name not in names]
    return tuple(_row(evidence, name, results.architectures.get(name)) for name in names)


def _row(evidence: Evidence, name: str, result: ArchitectureResult | None) -> Row:
    story = evidence.stories.get(name)
    css = story.css if story else ""
    about = story.ready.description.summary if story and story.ready else ""
    interrupted = (story.interrupted if story else None) or ""
    if result is None:
        return Row(name, css, about, None, (), interrupted or "The run ended before its turn came.")
    return Row(name, css, about, result, tuple(_cell(name, column, result) for column in COLUMNS), interrupted)


def _cell(name: str, column: Column, result: ArchitectureResult) -> Cell:
    first = next((number for number, loss in enumerate(result.losses) if loss.kind in column.losses), None)
    return Cell(
        id=f"n-{name}-{column.key}",
        column=column,
        text=column.text(result),
        of=f"of {result.shoppers:,}" if column.key == "logged-out" else "",
        witness="" if first is None else loss_id(name, first),
        predictions=tuple(prediction for prediction in result.predictions if prediction.measure in column.measures),
    )
