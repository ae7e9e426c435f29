"""The tables of a run: actions (a row for each exchange of the history), losses (a row for each loss) and measures.

What their columns are called, hold and mean stands here once; every form of table, and the reference, is made of it.
"""

from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter
from typing import Generic, Literal, NamedTuple, TypeVar

import msgspec

from compose.interface import Call
from loadtests.checks import MEASURES
from loadtests.model.application import interface_of
from loadtests.model.history import Exchange, read_history
from loadtests.model.measures import Measure
from loadtests.model.results import ArchitectureResult, Loss, Prediction
from loadtests.report.exports.judged import JudgedRun

Kind = Literal["text", "whole", "number", "yes or no"]
Value = str | int | float | bool | None
T = TypeVar("T")


class Found(NamedTuple):
    """One loss, and where it stands in the results."""

    architecture: str
    place: int
    loss: Loss
    fault: int | None


class Measured(NamedTuple):
    """One measure of one architecture."""

    architecture: str
    result: ArchitectureResult
    measure: Measure
    value: float | None

    @property
    def prediction(self) -> Prediction | None:
        """What was predicted of it, if anything was."""
        return next((it for it in self.result.predictions if it.measure == self.measure.name), None)


class Head(msgspec.Struct, frozen=True):
    """What one column is called, holds and means."""

    name: str
    kind: Kind
    about: str


class Column(Head, Generic[T], frozen=True):
    """One column. A value that there is not is empty (null), never 0 or a blank text."""

    read: Callable[[T], Value] | None = None
    """None: what a row calls by the column's name."""
    reads: Callable[[JudgedRun], Callable[[T], Value]] | None = None
    """In the place of `read`, where it takes the run to know."""

    def reader(self, run: JudgedRun) -> Callable[[T], Value]:
        """Reads a row of that run."""
        return self.reads(run) if self.reads else self.read or attrgetter(self.name)


class ExportTable(msgspec.Struct, Generic[T], frozen=True):
    """A table: what one row is, its columns, and its rows, read as they are asked for."""

    name: str
    about: str
    columns: tuple[Column[T], ...]
    items: Callable[[JudgedRun], Iterable[T]]

    def heads(self) -> list[Head]:
        """Of all columns, those of the run first."""
        return [*RUN_HEADS, *self.columns]

    def rows(self, run: JudgedRun) -> Iterator[tuple[Value, ...]]:
        """In the order of the history, or of the results."""
        told = (run.provenance.run, run.results.scenario, run.results.seed)
        # Before the first row: what a column has to know of the run is asked once, and not for millions of rows.
        readers = [column.reader(run) for column in self.columns]
        for item in self.items(run):
            yield (*told, *(read(item) for read in readers))


RUN_HEADS = (
    Head("run", "text", "The run's id: tables of several runs can be put together."),
    Head("scenario", "text", "Its scenario."),
    Head("seed", "whole", "Its seed."),
)
"""The same in every row; all tables begin with them."""


def _sent(read: Callable[[Exchange], Value]) -> Callable[[Exchange], Value]:
    """Empty for what was never sent."""
    return lambda it: None if it.sent_us < 0 else read(it)


def _of_call(read: Callable[[Call, Exchange], str]) -> Callable[[JudgedRun], Callable[[Exchange], Value]]:
    """Of the request; empty for what sends nothing, and where no file of the run tells what was sent."""

    def reader(run: JudgedRun) -> Callable[[Exchange], Value]:
        results = run.results.architectures.items()
        asked = {name: it.calls for name, result in results if (it := interface_of(result.facts)) is not None}

        def value(exchange: Exchange) -> Value:
            call = asked.get(exchange.architecture, {}).get(exchange.do)
            return None if call is None else read(call, exchange)

        return value

    return reader


def as_json(value: object) -> str | None:
    """As text: the same value gives the same text, so that tables can be held against each other."""
    return None if value is None else msgspec.json.encode(value, order="deterministic").decode()


def _exchanges(run: JudgedRun) -> Iterator[Exchange]:
    return (record for record in read_history(run.folder.history) if isinstance(record, Exchange))


def _losses(run: JudgedRun) -> Iterator[Found]:
    for name, result in run.results.architectures.items():
        # By the time, as a witness is told in words and does not number its faults.
        injected = {step.at_ms: step.fault for step in result.experiment if step.step == "injected"}
        for place, loss in enumerate(result.losses):
            yield Found(name, place, loss, _fault(loss, injected))


def all_measured(run: JudgedRun) -> Iterator[Measured]:
    """Every measure of each architecture."""
    for name, result in run.results.architectures.items():
        for measure in MEASURES.values():
            value = measure.read(result)
            yield Measured(name, result, measure, None if value is None else float(value))


def _fault(loss: Loss, injected: dict[float, int]) -> int | None:
    """The fault in the witness: the event that is no exchange and happened when that fault was injected."""
    return next((injected[it.at_ms] for it in loss.witness if not it.request and it.at_ms in injected), None)


ACTIONS: ExportTable[Exchange] = ExportTable(
    "actions",
    "One row for each exchange of the history: planned actions, recoveries and the last audit.",
    (
        Column("architecture", "text", "Where it happened."),
        Column("shopper", "whole", "Who: 1 to U."),
        Column(
            "number", "whole", "Which of the shopper's planned actions, from 0; empty for what was not planned.",
            lambda it: None if it.step < 0 else it.step,
        ),
        Column("why", "text", "plan, recovery or audit."),
        Column("do", "text", "What the shopper did: login, add, …"),
        Column(
            "method", "text", "Of the request; empty for what sends nothing.",
            reads=_of_call(lambda call, _: call.method),
        ),
        Column("path", "text", "Of the request.", reads=_of_call(lambda call, it: call.path.replace("{sku}", it.sku))),
        Column("jar", "text", "Whose cookies it carried."),
        Column(
            "planned_us", "whole", "When it was due, in microseconds since the zero of the architecture's load window."
        ),
        Column("started_us", "whole", "When it was sent; empty if it was not.", _sent(lambda it: it.sent_us)),
        Column(
            "ended_us", "whole", "When the answer was complete, or the client gave up.", _sent(lambda it: it.done_us)
        ),
        Column("outcome", "text", "ok, failed, unknown or not_sent, as the client knew it."),
        Column("status", "whole", "The HTTP status; empty if no answer came.", lambda it: it.status or None),
        Column("error", "text", "What came instead of an answer, or why it was not sent.", lambda it: it.error or None),
        Column("node", "text", "Which node answered.", lambda it: it.node or None),
        Column("request", "text", "The request id, as in the balancer's and the nodes' logs."),
        Column("sku", "text", "Which article.", lambda it: it.sku or None),
        Column("quantity", "whole", "How many of it.", lambda it: it.quantity or None),
        Column("key", "text", "The idempotency key of a checkout.", lambda it: it.key or None),
        Column("user", "text", "Whose name the answer showed.", lambda it: it.user or None),
        Column(
            "cart", "text", "The cart that the answer showed, as JSON: sku to quantity.", lambda it: as_json(it.cart)
        ),
        Column("order", "text", "The order that the answer acknowledged.", lambda it: it.order or None),
        Column("orders", "text", "The orders that the answer listed, as JSON.", lambda it: as_json(it.orders)),
        Column("cookie_bytes", "whole", "Of the Cookie header.", _sent(lambda it: it.cookie_bytes)),
        Column("body_bytes", "whole", "Of the answer's body.", _sent(lambda it: it.body_bytes)),
        Column("cookie_refused", "yes or no", "It set a cookie too large for a browser."),
        Column("overlapped", "yes or no", "Another request of that jar overlapped it."),
        Column("dropped", "yes or no", "The event stream ended before its time."),
        Column("kept_from", "text", "The request that the answer was made for, if another.",
               lambda it: it.kept_from or None),
        Column("kept_session", "yes or no", "A cookie of the shop came with that."),
    ),
    _exchanges,
)  # fmt: skip
LOSSES: ExportTable[Found] = ExportTable(
    "losses",
    "One row for each loss, with its cause and its witness.",
    (
        Column("architecture", "text", "Where it happened."),
        Column("number", "whole", "Its place among the architecture's losses, from 0.", lambda it: it.place),
        Column("kind", "text", "logged_out, cart_lost, …", lambda it: it.loss.kind),
        Column("shopper", "whole", "Who lost something.", lambda it: it.loss.shopper),
        Column(
            "at_ms", "number", "When the answer that showed it was complete, in milliseconds of the load window.",
            lambda it: it.loss.at_ms,
        ),
        Column("node", "text", "Which node gave it; empty if it was the database.", lambda it: it.loss.node or None),
        Column("cause", "text", "node_killed, other_node, unexplained, …", lambda it: it.loss.cause),
        Column("fault", "whole", "The fault of the plan that its witness names, from 0."),
        Column("items", "whole", "Units of goods that went with it.", lambda it: it.loss.items),
        Column(
            "witness_requests", "text", "The request ids of the witness, with blanks between them.",
            lambda it: " ".join(event.request for event in it.loss.witness if event.request) or None,
        ),
        Column("witness", "text", "The whole witness, as JSON.", lambda it: as_json(it.loss.witness)),
    ),
    _losses,
)  # fmt: skip
NUMBER: tuple[Column[Measured], ...] = (
    Column("measure", "text", "Its name, as scenarios predict it.", lambda it: it.measure.name),
    Column("value", "number", "What was measured; empty if it was not."),
    Column("unit", "text", "Of the value; empty for what is counted.", lambda it: it.measure.unit or None),
)
MEASURED: ExportTable[Measured] = ExportTable(
    "measures",
    "One row for each measure of each architecture.",
    (
        Column("architecture", "text", "Where it was measured."),
        *NUMBER,
        Column("sort", "text", "loss, count, book, latency or cost.", lambda it: it.measure.sort),
        Column("definition", "text", "What it means.", lambda it: it.measure.definition),
    ),
    all_measured,
)
TABLES: dict[str, ExportTable[Exchange] | ExportTable[Found] | ExportTable[Measured]] = {
    table.name: table for table in (ACTIONS, LOSSES, MEASURED)
}
