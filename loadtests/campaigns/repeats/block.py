"""From a run's folder to its block: of each architecture one number a measure, and whether it counts."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path

from loadtests.campaigns.repeats.order import Turn
from loadtests.campaigns.repeats.repeats import Block, Shot
from loadtests.checks import MEASURES
from loadtests.judging.thresholds import fired
from loadtests.judging.verdict import NOTHING_PREDICTED
from loadtests.model.events import LoadSample, RunInterrupted, read_events
from loadtests.model.results import ArchitectureResult, Results
from loadtests.model.run_folder import RunFolder, read_document


def read_block(turn: Turn, planned_sha256: str, folder: Path, measures: Sequence[str]) -> Block:
    """The block that was measured in this run folder; `planned_sha256` names the plan that it should have had.

    Raises:
        RunFolderError: a file of the run is missing or damaged.
    """
    run = RunFolder(folder)
    results = read_document(run.results, Results)
    cpu: dict[str, list[float]] = {}
    cut: dict[str, str] = {}
    for event in read_events(run.events):
        if isinstance(event, LoadSample):
            cpu.setdefault(event.architecture, []).append(event.cpu_percent)
        elif isinstance(event, RunInterrupted):
            cut[event.architecture] = event.why
    shots = tuple(
        _shot(name, results.architectures[name], cpu.get(name, []), measures)
        for name in turn.architectures
        if name in results.architectures and name not in cut
    )
    missing = [name for name in turn.architectures if name not in {shot.architecture for shot in shots}]
    error = "; ".join(f"{name} was not measured: {cut.get(name, 'its turn did not come')}" for name in missing)
    return Block(
        turn.number, turn.kind, turn.seed, folder.name, planned_sha256, results.plan_sha256, turn.architectures,
        results.verdict, shots, error, bool(fired(results)),
    )  # fmt: skip


def not_measured(turn: Turn, planned_sha256: str, error: str) -> Block:
    """A block of which there is nothing."""
    return Block(
        turn.number, turn.kind, turn.seed, "", planned_sha256, "", turn.architectures, "inconclusive", (), error
    )


def _shot(name: str, result: ArchitectureResult, cpu: Sequence[float], measures: Sequence[str]) -> Shot:
    doubtful = result.verdict == "inconclusive" and result.reasons != (NOTHING_PREDICTED,)
    return Shot(
        architecture=name,
        verdict=result.verdict,
        values={measure: _value(measure, result) for measure in measures},
        doubt=result.reasons[0] if doubtful and result.reasons else "",
        load_cpu=round(statistics.median(cpu), 1) if cpu else 0.0,
        mismatches=result.reconciliation.mismatch_count,
    )


def _value(measure: str, result: ArchitectureResult) -> float | None:
    value = MEASURES[measure].read(result)
    return None if value is None else float(value)
