"""The tables of a data set, beside the actions and losses that a single run is exported with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from loadtests.checks import MEASURES
from loadtests.model.events import Event, read_events
from loadtests.model.history import StoredOrder, read_history
from loadtests.model.measures import Measure
from loadtests.model.results import ArchitectureResult, ExperimentStep, Prediction
from loadtests.report.exports.judged import JudgedRun
from loadtests.report.exports.tables import ACTIONS, LOSSES, Column, ExportTable


class RunOfCampaign(JudgedRun, frozen=True):
    """A run, and its part in the campaign."""

    machine: str = ""
    """Where it was run; empty: all in one place."""
    kind: str = "matrix"
    """matrix; of repeats: fault, no-fault, placebo or again."""


class CellNumber(NamedTuple):
    """One number of one architecture in one run."""

    architecture: str
    result: ArchitectureResult
    measure: Measure
    value: float | None
    prediction: Prediction | None


class FaultStep(NamedTuple):
    """One step of one fault."""

    architecture: str
    step: ExperimentStep
    kind: str


def _json(value: object) -> str:
    return msgspec.json.encode(value, order="deterministic").decode()  # verify holds it against what it makes itself


def _cells(run: JudgedRun) -> Iterator[CellNumber]:
    for name, result in run.results.architectures.items():
        predicted = {it.measure: it for it in result.predictions}
        for measure in MEASURES.values():
            value = measure.read(result)
            number = None if value is None else float(value)
            yield CellNumber(name, result, measure, number, predicted.get(measure.name))


def _steps(run: JudgedRun) -> Iterator[FaultStep]:
    kinds = [fault["kind"] for fault in msgspec.json.decode(run.folder.plan.read_bytes())["faults"]]
    for name, result in run.results.architectures.items():
        for step in result.experiment:
            yield FaultStep(name, step, kinds[step.fault])


RUNS: ExportTable[Any] = ExportTable(
    "runs",
    "One row for each run: where it comes from, and the documents that it was made with.",
    (
        Column("folder", "text", "The run folder's name.", lambda it: it.folder.root.name),
        Column("machine", "text", "Where it was run; empty: all in one place.", lambda it: it.machine or None),
        Column("kind", "text", "matrix; of repeats: fault, no-fault, placebo or again.", lambda it: it.kind),
        Column("verdict", "text", "Of the whole run.", lambda it: it.results.verdict),
        Column("started", "text", "ISO 8601, UTC.", lambda it: it.provenance.started),
        Column("plan_sha256", "text", "Of the plan that was carried out.", lambda it: it.provenance.plan_sha256),
        Column("provenance", "text", "run.json: host, command and versions.", lambda it: _json(it.provenance)),
        Column("scenario_file", "text", "scenario.toml.", lambda it: it.folder.scenario.read_text()),
        Column("plan", "text", "plan.json.", lambda it: it.folder.plan.read_text()),
        Column("results", "text", "results.json: all that was found.", lambda it: _json(it.results)),
    ),
    lambda run: [run],
)  # fmt: skip
CELLS: ExportTable[CellNumber] = ExportTable(
    "cells",
    "One row for each measure of each architecture in each run: every number that is published.",
    (
        Column("architecture", "text", "Where it was measured.", lambda it: it.architecture),
        Column("verdict", "text", "Of the architecture in this run.", lambda it: it.result.verdict),
        Column("shoppers", "whole", "How many people shopped.", lambda it: it.result.shoppers),
        Column("at_risk", "whole", "Sessions on the victims.", lambda it: it.result.at_risk),
        Column("measure", "text", "Its name, as scenarios predict it.", lambda it: it.measure.name),
        Column("value", "number", "What was measured; empty if it was not.", lambda it: it.value),
        Column("unit", "text", "Of the value; empty for what is counted.", lambda it: it.measure.unit or None),
        Column("predicted", "text", "The formula; empty if nothing was predicted of it.",
               lambda it: it.prediction.predicted if it.prediction else None),
        Column("holds", "yes or no", "The prediction held.", lambda it: it.prediction.holds if it.prediction else None),
        Column("definition", "text", "What the measure means.", lambda it: it.measure.definition),
    ),
    _cells,
)  # fmt: skip
FAULTS: ExportTable[FaultStep] = ExportTable(
    "faults",
    "One row for each step of each fault on each architecture: planned, injected, observed, healed, observed healed.",
    (
        Column("architecture", "text", "Where it happened.", lambda it: it.architecture),
        Column("fault", "whole", "Which of the plan's, from 0.", lambda it: it.step.fault),
        Column("kind", "text", "As the scenario names it.", lambda it: it.kind),
        Column("step", "text", "planned, injected, observed, …", lambda it: it.step.step),
        Column("at_ms", "number", "When, in milliseconds of the load window.", lambda it: it.step.at_ms),
        Column("victim", "text", "Whom it was for.", lambda it: it.step.victim or None),
        Column("evidence", "text", "What was seen, as JSON.", lambda it: _json(it.step.evidence)),
    ),
    _steps,
)
ORDERS: ExportTable[StoredOrder] = ExportTable(
    "orders",
    "One row for each order that the database held after the run.",
    (
        Column("architecture", "text", "Where.", lambda it: it.architecture),
        Column("order", "text", "Its id.", lambda it: it.order),
        Column("user", "text", "Whose it is.", lambda it: it.user),
        Column("request", "text", "The request that made it.", lambda it: it.request),
        Column("lines", "text", "What was ordered, as JSON: sku to quantity.", lambda it: _json(it.lines)),
        Column("key", "text", "The idempotency key.", lambda it: it.key or None),
    ),
    lambda run: (record for record in read_history(run.folder.history) if isinstance(record, StoredOrder)),
)
EVENTS: ExportTable[Event] = ExportTable(
    "events",
    "One row for each event that the harness did or saw.",
    (
        Column("architecture", "text", "Where.", lambda it: getattr(it, "architecture", None)),
        Column("event", "text", "The whole event, as JSON.", lambda it: msgspec.json.encode(it).decode()),
    ),
    lambda run: read_events(run.folder.events),
)
TABLES: tuple[ExportTable[Any], ...] = (RUNS, CELLS, ACTIONS, ORDERS, LOSSES, FAULTS, EVENTS)
