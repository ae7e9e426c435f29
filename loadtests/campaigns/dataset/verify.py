"""Recomputes every published number of a data set from its rows, by the second opinion, which shares no code with us.

A run's rows are turned back into the files that it was made of; the scripts of `loadtests/second_opinion` compute all
that they know of from them; and each table that tells a number is held against what they say, or against what it was
derived from.
"""

import hashlib
import io
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from loadtests.campaigns.dataset.write import CELLS, FAULTS, RUNS, SUMS, TABLES, sums
from loadtests.judging.processes import in_processes
from loadtests.model.plan import Plan
from loadtests.model.results import Results
from loadtests.model.run_folder import Provenance, RunFolder
from loadtests.report.exports.judged import JudgedRun
from loadtests.report.exports.parquet_tables import check_parquet
from loadtests.report.exports.tables import LOSSES, ExportTable
from loadtests.second_opinion import costs, losses, service
from shared.errors import BundleError
from shared.plurals import counted

DERIVED: tuple[ExportTable[Any], ...] = (CELLS, LOSSES, FAULTS)
LEFT_OUT = "left out: "
FEW = 4
Row = dict[str, Any]
_decode_results = msgspec.json.Decoder(Results).decode
_decode_provenance = msgspec.json.Decoder(Provenance).decode
DOCUMENTS: dict[str, Callable[[str], object]] = {
    "results": _decode_results, "provenance": _decode_provenance, "plan": msgspec.json.Decoder(Plan).decode,
}  # fmt: skip
"""The columns of a run that hold a whole document, and what reads it."""


class Verified(msgspec.Struct, frozen=True):
    """What came out."""

    runs: int
    numbers: int
    """So many were compared."""
    differences: tuple[str, ...]
    left_out: tuple[str, ...]
    """What the second opinion does not compute: it is held against the results, and they against nothing."""


def verify(folder: Path, say: Callable[[str], None]) -> Verified:
    """Check the sums, then all runs, as many at a time as there are processors.

    Raises:
        BundleError: it is no data set, or a file of it cannot be read.
        EnvironmentNotReady: pyarrow is not installed.
    """
    check_parquet()
    differences = list(_sums(folder))
    runs = [row["run"] for row in _rows(folder, RUNS, None)]
    if not runs or len(set(filter(None, runs))) < len(runs):
        raise _no_dataset(folder, f"{RUNS.name}.parquet has no run, or one without an id of its own")
    left_out: set[str] = set()
    numbers = 0
    for number, (run, found) in enumerate(zip(runs, _all_runs(folder, runs), strict=True), start=1):
        differences += found.differences
        left_out |= set(found.left_out)
        numbers += found.numbers
        say(f"[{number}/{len(runs)}] {run}: {counted(len(found.differences), 'difference')}")
    return Verified(len(runs), numbers, tuple(differences), tuple(sorted(left_out)))


def _all_runs(folder: Path, runs: list[str]) -> list[Verified]:
    one = partial(verify_run, folder)
    if len(runs) <= FEW:  # done before another process has started
        return [one(run) for run in runs]
    return in_processes(one, runs, os.cpu_count() or 1)


def verify_run(folder: Path, run: str) -> Verified:
    """One run, by its id."""
    tables = {table.name: list(_rows(folder, table, run)) for table in TABLES}
    row = tables["runs"][0]
    for column, read in DOCUMENTS.items():
        try:
            read(row[column] or "")
        except msgspec.DecodeError as error:
            return Verified(1, 0, (f"run {run}: its {column} cannot be read: {error}",), ())
    with tempfile.TemporaryDirectory(prefix="twinshop-") as place:
        try:
            rebuild(Path(place), tables)
        except msgspec.DecodeError as error:
            return Verified(1, 0, (f"run {run}: a cart or an order cannot be read: {error}",), ())
        said, left_out = _opinions(Path(place))
        found = [*said, *_derived(Path(place), tables, _decode_results(row["results"]))]
    numbers = sum(len(tables[table.name]) for table in DERIVED)
    return Verified(1, numbers, tuple(f"run {run}, {line}" for line in found), left_out)


def rebuild(place: Path, tables: dict[str, list[Row]]) -> None:
    """Of one run's rows, the files that the second opinion reads."""
    row = tables["runs"][0]
    (place / "plan.json").write_text(row["plan"])
    (place / "results.json").write_text(row["results"])
    (place / "events.ndjson").write_text("".join(f"{event['event']}\n" for event in tables["events"]))
    records = [*map(_exchange, tables["actions"]), *map(_order, tables["orders"])]
    (place / "history.ndjson").write_bytes(b"".join(msgspec.json.encode(record) + b"\n" for record in records))


def _exchange(row: Row) -> Row:
    """The record that the row was made of; of what it does not say, nothing."""
    told = {
        "record": "exchange", **{name: row[name] for name in KEPT}, "step": row["number"], "sent_us": row["started_us"],
        "done_us": row["ended_us"], "cart": _read(row["cart"]), "orders": _read(row["orders"]),
    }  # fmt: skip
    given = {key: value for key, value in told.items() if value is not None}
    # What the table leaves empty the history calls -1: no step of the plan, never sent, never answered.
    return {"step": -1, "sent_us": -1, "done_us": -1} | given


KEPT = (  # columns that are called as the record's fields are
    "architecture", "shopper", "request", "why", "do", "outcome", "planned_us", "jar", "cookie_bytes", "body_bytes",
    "cookie_refused", "overlapped", "dropped", "status", "error", "node", "sku", "quantity", "key", "user", "order",
    "kept_from", "kept_session",
)  # fmt: skip


def _order(row: Row) -> Row:
    return {
        "record": "order", "architecture": row["architecture"], "order": row["order"], "user": row["user"],
        "request": row["request"], "lines": _read(row["lines"]), "key": row["key"] or "",
    }  # fmt: skip


def _read(text: str | None) -> Any:
    return None if text is None else msgspec.json.decode(text)


def _opinions(place: Path) -> tuple[list[str], tuple[str, ...]]:
    """What the scripts say that differs, and what none of them computes."""
    said: list[str] = []
    left: list[set[str]] = []
    for script in (losses, service, costs):
        with redirect_stdout(io.StringIO()) as out, redirect_stderr(out):
            script.main(place)
        lines = out.getvalue().splitlines()
        left += [set(line.removeprefix(LEFT_OUT).split(", ")) for line in lines if line.startswith(LEFT_OUT)]
        said += [line for line in lines if line and not line.startswith(LEFT_OUT)]
    # One that refused to read the run has not said what it leaves out: then nothing is known to be left out by all.
    return said, tuple(sorted(set.intersection(*left))) if len(left) == 3 else ()


def _derived(place: Path, tables: dict[str, list[Row]], results: Results) -> Iterator[str]:
    """All that follows from a run's plan and from its results, of which the second opinion was asked: row by row."""
    (row,) = tables["runs"]
    run = JudgedRun(RunFolder(place), _decode_provenance(row["provenance"]), results)
    sha256 = hashlib.sha256(row["plan"].encode()).hexdigest()
    for column, own in (("verdict", results.verdict), ("seed", results.seed), ("plan_sha256", sha256)):
        if row[column] != own:
            yield f"{column} {row[column]} published, {own} recomputed"
    for table in DERIVED:
        heads = [head.name for head in table.heads()]
        recomputed = _by_name(table.name, (dict(zip(heads, values, strict=True)) for values in table.rows(run)))
        published = _by_name(table.name, tables[table.name])
        for name in recomputed | published:
            yield from _apart(name, heads, published.get(name), recomputed.get(name))


def _by_name(table: str, rows: Iterable[Row]) -> dict[str, Row]:
    """Each row under what people would call it: "redis: logged_out"; the second of a name is "… again"."""
    which = {"cells": "{measure}", "losses": "loss {number}", "faults": "fault {fault} {step}"}[table]
    found: dict[str, Row] = {}
    for row in rows:
        name = f"{row['architecture']}: {which.format(**row)}"
        while name in found:
            name += " again"
        found[name] = row
    return found


def _apart(name: str, heads: list[str], told: Row | None, own: Row | None) -> Iterator[str]:
    if told is None or own is None:
        yield f"{name}: {'recomputed, not published' if told is None else 'published, not recomputed'}"
        return
    for head in heads:
        if told[head] != own[head]:
            yield f"{name}: {head} {told[head]} published, {own[head]} recomputed"


def _sums(folder: Path) -> Iterator[str]:
    try:
        written = (folder / SUMS).read_text().splitlines()
        now = sums(folder).splitlines()
    except OSError as error:
        raise _no_dataset(folder, f"{error.filename}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _no_dataset(folder, f"{SUMS}: {error}") from error
    names = {line.rpartition("  ")[2] for line in set(written) ^ set(now)}
    yield from (f"{name} is not what {SUMS} says" for name in sorted(names))


def _rows(folder: Path, table: ExportTable[Any], run: str | None) -> Iterator[Row]:
    """The rows of a run, or of all; only its row groups are read."""
    from pyarrow import ArrowException, parquet

    path = folder / f"{table.name}.parquet"
    try:
        found = parquet.read_table(path, filters=None if run is None else [("run", "=", run)])
    except (OSError, ArrowException) as error:
        raise _no_dataset(folder, f"{path.name}: {' '.join(str(error).split())[:200]}") from error
    missing = [head.name for head in table.heads() if head.name not in found.column_names]
    if missing:
        raise _no_dataset(folder, f"{path.name} has no column {missing[0]}")
    for batch in found.to_batches():
        yield from batch.to_pylist()


def _no_dataset(folder: Path, why: str) -> BundleError:
    return BundleError(
        f"{folder} is no data set of Twinshop", why=why, next_step="make one: twinshop dataset runs/matrix --out DIR"
    )
