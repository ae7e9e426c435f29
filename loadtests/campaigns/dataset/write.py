"""Writes the data set of a campaign: the tables, a README of their columns, checksums. Whole or not at all."""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from loadtests.campaigns.cells import FILE as MATRIX
from loadtests.campaigns.cells import read_matrix
from loadtests.campaigns.repeats.repeats import read_repeats
from loadtests.model.events import Event, read_events
from loadtests.model.history import StoredOrder, read_history
from loadtests.model.results import ExperimentStep
from loadtests.model.run_folder import REPEATS, run_inside
from loadtests.report.exports.judged import JudgedRun, judged_run
from loadtests.report.exports.parquet_tables import check_parquet, parquet_writer, write_rows
from loadtests.report.exports.tables import (
    ACTIONS,
    LOSSES,
    NUMBER,
    Column,
    ExportTable,
    Measured,
    all_measured,
    as_json,
)
from loadtests.report.markdown_pages import markdown_pages
from loadtests.running.provenance import twinshop_version
from shared.errors import RunFolderError, UsageError

SUMS = "SHA256SUMS"
README = "README.md"
UNITS = {"us": "µs", "ms": "ms", "bytes": "bytes"}


class RunOfCampaign(JudgedRun, frozen=True):
    """A run, and its part in the campaign."""

    machine: str = ""
    """Where it was run; empty: all in one place."""
    kind: str = "matrix"
    """matrix; of repeats: fault, no-fault, placebo or again."""


class FaultStep(NamedTuple):
    """One step of one fault."""

    architecture: str
    step: ExperimentStep
    kind: str


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
        Column("provenance", "text", "run.json: host, command and versions.", lambda it: as_json(it.provenance)),
        Column("scenario_file", "text", "scenario.toml.", lambda it: it.folder.scenario.read_text()),
        Column("plan", "text", "plan.json.", lambda it: it.folder.plan.read_text()),
        Column("results", "text", "results.json: all that was found.", lambda it: as_json(it.results)),
    ),
    lambda run: [run],
)  # fmt: skip
CELLS: ExportTable[Measured] = ExportTable(
    "cells",
    "One row for each measure of each architecture in each run: every number that is published.",
    (
        Column("architecture", "text", "Where it was measured.", lambda it: it.architecture),
        Column("verdict", "text", "Of the architecture in this run.", lambda it: it.result.verdict),
        Column("shoppers", "whole", "How many people shopped.", lambda it: it.result.shoppers),
        Column("at_risk", "whole", "Sessions on the victims.", lambda it: it.result.at_risk),
        *NUMBER,
        Column("predicted", "text", "The formula; empty if nothing was predicted of it.",
               lambda it: it.prediction.predicted if it.prediction else None),
        Column("holds", "yes or no", "The prediction held.", lambda it: it.prediction.holds if it.prediction else None),
        Column("definition", "text", "What the measure means.", lambda it: it.measure.definition),
    ),
    all_measured,
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
        Column("evidence", "text", "What was seen, as JSON.", lambda it: as_json(it.step.evidence)),
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
        Column("lines", "text", "What was ordered, as JSON: sku to quantity.", lambda it: as_json(it.lines)),
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


def write_dataset(campaign: Path, out: Path, licence: str, say: Callable[[str], None]) -> dict[str, int]:
    """Write the data set of a folder of `twinshop matrix` or of repeats; how many rows each table has.

    Raises:
        UsageError: there is something at `out`.
        RunFolderError: it is no campaign, or a run of it is missing or damaged.
        EnvironmentNotReady: pyarrow is not installed.
    """
    check_parquet()
    members = _members(campaign)
    if out.exists():
        raise UsageError(f"{out} is there already", next_step="name a new folder: --out DIR")
    # Beside its place, and renamed when it is whole: whoever sees the folder sees a data set.
    draft = out.with_name(f".{out.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        counts = _write_tables(members, draft, say)
        (draft / README).write_text(readme(campaign, len(members), counts, licence))
        (draft / SUMS).write_text(sums(draft))
        draft.rename(out)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return counts


def sums(folder: Path) -> str:
    """What `sha256sum -c` reads, of all files but itself."""
    lines = []
    for path in sorted(folder.iterdir()):
        if path.name != SUMS:
            with path.open("rb") as file:
                lines.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {path.name}\n")
    return "".join(lines)


def _members(campaign: Path) -> list[tuple[Path, str, str]]:
    """Each run's folder, machine and kind."""
    if (campaign / MATRIX).is_file():
        # Under the run, which several architectures' cells have in common.
        found = {
            cell.run: (run_inside(campaign, cell.run, MATRIX), cell.machine, "matrix")
            for cell in read_matrix(campaign).cells
            if cell.run
        }
        return [found[run] for run in sorted(found)]
    if (campaign / REPEATS).is_file():
        blocks = read_repeats(campaign).blocks
        return [(run_inside(campaign, block.run, REPEATS), block.machine, block.kind) for block in blocks if block.run]
    raise RunFolderError(
        f"{campaign} is no campaign",
        why=f"there is neither {MATRIX} nor {REPEATS} in it",
        next_step="name the folder of twinshop matrix --out, or of twinshop run --repeat",
    )


def _write_tables(members: list[tuple[Path, str, str]], draft: Path, say: Callable[[str], None]) -> dict[str, int]:
    counts = {table.name: 0 for table in TABLES}
    with ExitStack() as files:
        writers = [
            (table, files.enter_context(parquet_writer(table, files.enter_context(path.open("wb")))))
            for table, path in ((table, draft / f"{table.name}.parquet") for table in TABLES)
        ]
        for number, (folder, machine, kind) in enumerate(members, start=1):
            judged = judged_run(folder)
            run = RunOfCampaign(judged.folder, judged.provenance, judged.results, machine, kind)
            for table, writer in writers:
                counts[table.name] += write_rows(writer, table, run)
            say(f"[{number}/{len(members)}] {folder.name}")
    return counts


def readme(campaign: Path, runs: int, counts: dict[str, int], licence: str) -> str:
    """What the data are, and every column; `counts`: the rows of each table."""
    return markdown_pages(Path(__file__).parent).get_template("README.md.j2").render(
        campaign=campaign.resolve().name, runs=runs, version=twinshop_version(), licence=licence, sums=SUMS,
        tables=TABLES, counts=counts, columns=_columns,
    )  # fmt: skip


def _columns(table: ExportTable[Any]) -> Iterator[tuple[str, str, str, str]]:
    for head in table.heads():
        # As the column's name ends; what is counted has no unit, and of a measure's value it stands beside it.
        unit = "see `unit`" if head.name == "value" else UNITS.get(head.name.rpartition("_")[2], "")
        yield head.name, head.kind, unit, head.about
