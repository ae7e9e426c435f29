"""The table of results: which numbers it shows, in which order, and where each one leads."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from loadtests.model.results import ArchitectureResult, LossKind, Prediction, Results
from loadtests.report.evidence import Evidence
from loadtests.report.spending import SPENDINGS


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
    always: bool = True
    """Shown also where it is 0 everywhere and nobody predicted it."""

    def text(self, result: ArchitectureResult) -> str:
        """The number as it is printed."""
        return f"{self.value(result):,.{self.digits}f}"

    def is_shown(self, results: Results) -> bool:
        """Whether the table has it."""
        return self.always or any(
            self.value(result) or any(prediction.measure in self.measures for prediction in result.predictions)
            for result in results.architectures.values()
        )


MOST_LETTERS = 28
"""Longer predictions do not fit into a cell."""
OF_ALL = frozenset({"logged-out", "failed-shoppers", "stalled", "flickered", "cookies-refused", "read-by-others"})
"""Columns that count shoppers."""
OTHER: tuple[LossKind, ...] = ("cart_rolled_back", "wrong_user", "order_lost", "order_duplicated")

COLUMNS = (
    Column("logged-out", "People", lambda r: r.logged_out.shoppers, ("logged_out",), ("logged_out",)),
    Column("logouts", "People", lambda r: r.logged_out.events, ("logged_out",), ("logged_out_events",)),
    Column("flickered", "People", lambda r: r.counts.flickered.shoppers, (), ("flickered",), always=False),
    Column("carts-lost", "Goods", lambda r: r.carts_lost, ("cart_lost",), ("carts_lost",)),
    Column("items-lost", "Goods", lambda r: r.items_lost, ("items_lost",), ("items_lost",)),
    Column("units-lost", "Goods", lambda r: r.items.lost, ("cart_lost", "items_lost"), ("units_lost",)),
    Column(
        "cookies-refused",
        "Goods",
        lambda r: r.counts.cookies_refused.shoppers,
        (),
        ("cookies_refused",),
        always=False,
    ),
    Column(
        "other-losses",
        "Goods",
        lambda r: r.carts_rolled_back + r.wrong_user + r.orders_lost + r.orders_duplicated,
        OTHER,
    ),
    Column(
        "orders-duplicated",
        "Goods",
        lambda r: r.orders_duplicated,
        ("order_duplicated",),
        ("orders_duplicated",),
        always=False,
    ),
    Column(
        "still-logged-in",
        "Security",
        lambda r: r.still_logged_in,
        ("still_logged_in",),
        ("still_logged_in",),
        always=False,
    ),
    Column(
        "sessions-shared",
        "Security",
        lambda r: r.sessions_shared,
        ("session_shared",),
        ("sessions_shared",),
        always=False,
    ),
    Column(
        "read-by-others",
        "Security",
        lambda r: r.counts.read_by_others.shoppers,
        (),
        ("read_by_others",),
        always=False,
    ),
    Column("failed", "Actions", lambda r: r.actions.failed, (), ("failed",)),
    Column("unknown", "Actions", lambda r: r.actions.unknown, (), ("unknown",)),
    Column("not-sent", "Actions", lambda r: r.actions.not_sent, (), ("not_sent",)),
    Column("rate-limited", "Actions", lambda r: r.counts.rate_limited.events, (), ("rate_limited",), always=False),
    Column("over-limit", "Actions", lambda r: r.counts.over_limit.events, (), ("over_limit",), always=False),
    Column(
        "failed-shoppers", "Service", lambda r: r.counts.not_served.shoppers, (), ("failed_shoppers",), always=False
    ),
    Column("stalled", "Service", lambda r: r.counts.stalled.shoppers, (), ("stalled",), always=False),
    Column(
        "streams-dropped", "Service", lambda r: r.counts.streams_dropped.events, (), ("streams_dropped",), always=False
    ),
    Column("streams-lost", "Service", lambda r: r.counts.streams_lost.events, (), ("streams_lost",), always=False),
    Column("without-service", "Service", lambda r: r.seconds_without_service, (), ("seconds_without_service",), "s", 1),
    Column("p95-raw", "Service", lambda r: r.latency_ms.raw.p95, (), ("p95_ms",), "ms", 1),
    Column("p95-plan", "Service", lambda r: r.latency_ms.from_plan.p95, (), (), "ms", 1),
)


def shown_columns(results: Results) -> tuple[Column, ...]:
    """Those that the table of these results has."""
    return tuple(column for column in COLUMNS if column.is_shown(results))


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
    for sign, better in ((">=", "≥"), ("<=", "≤"), ("**", "^"), ("*", "×"), ("_", " "), ("..", " to ")):
        text = text.replace(sign, better)
    text = " ".join(text.split())
    if prediction.upper is not None:
        ends = f"{prediction.value:g} to {prediction.upper:g}"
        return text if text == ends else f"{text}: {ends}"
    value = f"{prediction.value:g}"
    return text if value in text.split() else f"{text}: {value}"


def brief(prediction: Prediction) -> str:
    """The same for a narrow cell: of a long formula only what it comes to; `more_predictions` tells it whole."""
    text = formula(prediction)
    if len(text) <= MOST_LETTERS:
        return text
    if prediction.upper is not None:
        return f"{prediction.value:g} to {prediction.upper:g}"
    relation = next((sign for sign in ("≥", "≤", "==", ">", "<") if text.startswith(sign)), "")
    return f"{relation} {prediction.value:g}".strip()


class More(msgspec.Struct, frozen=True):
    """A prediction that the tables do not tell, or not whole, and the architectures where it went the same way."""

    prediction: Prediction
    names: tuple[str, ...]


def more_predictions(results: Results) -> tuple[More, ...]:
    """Those that no table has a place for, and those too long for it; equal ones are told once."""
    shown = {measure for column in COLUMNS for measure in column.measures} | {spent.measure for spent in SPENDINGS}
    names: dict[Prediction, list[str]] = {}
    for name, result in results.architectures.items():
        for prediction in result.predictions:
            if prediction.measure not in shown or len(formula(prediction)) > MOST_LETTERS:
                names.setdefault(prediction, []).append(name)
    return tuple(More(prediction, tuple(its_names)) for prediction, its_names in names.items())


def loss_id(architecture: str, number: int) -> str:
    """The id of a loss on the page; `number` is its index in results.json."""
    return f"loss-{architecture}-{number}"


def rows(evidence: Evidence, results: Results) -> tuple[Row, ...]:
    """The table, in the order of the run."""
    names = [*evidence.provenance.architectures]
    names += [name for name in results.architectures if name not in names]
    columns = shown_columns(results)
    return tuple(_row(evidence, name, results.architectures.get(name), columns) for name in names)


def _row(evidence: Evidence, name: str, result: ArchitectureResult | None, columns: tuple[Column, ...]) -> Row:
    story = evidence.stories.get(name)
    css = story.css if story else ""
    about = story.ready.description.summary if story and story.ready else ""
    interrupted = (story.run.interrupted if story else None) or ""
    if result is None:
        return Row(name, css, about, None, (), interrupted or "The run ended before its turn came.")
    return Row(name, css, about, result, tuple(_cell(name, column, result) for column in columns), interrupted)


def _cell(name: str, column: Column, result: ArchitectureResult) -> Cell:
    first = next((number for number, loss in enumerate(result.losses) if loss.kind in column.losses), None)
    return Cell(
        id=f"n-{name}-{column.key}",
        column=column,
        text=column.text(result),
        of=f"of {result.shoppers:,}" if column.key in OF_ALL else "",
        witness="" if first is None else loss_id(name, first),
        predictions=tuple(prediction for prediction in result.predictions if prediction.measure in column.measures),
    )
