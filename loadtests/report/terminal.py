"""What a person sees when a run has ended: one sentence, one table, what to do next. Plain text, no colour needed."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from loadtests.judging.thresholds import told
from loadtests.model.measures import MEASURES
from loadtests.model.results import ArchitectureResult, Results
from loadtests.model.run_folder import Provenance, RunFolder

_COLUMNS = ("architecture", "verdict", "at risk", "logged out", "carts lost", "failed", "unknown", "without service")
_WHERE_IT_MATTERS = {
    "still_logged_in": "outlived logout",
    "sessions_shared": "shared logins",
    "items_lost": "items lost",
    "orders_duplicated": "orders twice",
    "flickered": "flickered",
    "stalled": "stalled",
    "streams_dropped": "streams dropped",
    "streams_lost": "streams lost",
    "cookies_refused": "cookies refused",
    "read_by_others": "read by others",
    "rate_limited": "too many (429)",
    "over_limit": "over the limit",
}
"""Measures that get a column only if they are not 0 everywhere, or if somebody predicted them; and its head."""


def summary(results: Results, folder: Path, *, report: str = "") -> str:
    """The answer, the table, the reasons, and the next commands. `report` says where it is, if not in the folder."""
    rows = table_of(results)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        results.answer,
        "",
        *(_line(row, widths) for row in rows),
        "",
        *_reasons(results),
        *_thresholds(results),
        f"verdict  {results.verdict}",
        f"report   {report or folder / 'report.html'}",
        f"next     {_next(RunFolder(folder).read_provenance())}",
    ]
    return "\n".join(lines)


def table_of(results: Results) -> list[tuple[str, ...]]:
    """The head, then one row for each architecture: what a reader sees first, on a terminal or in a pull request."""
    more = _more_columns(results)
    head = (*_COLUMNS, *(_WHERE_IT_MATTERS[measure] for measure in more))
    return [head, *(_row(name, result, more) for name, result in results.architectures.items())]


def _next(run: Provenance) -> str:
    """The command that prints this run's plan; the scenario is named as it was asked for: a name or a path.

    A workshop's round was planned by nobody: for that, the command that begins another one.
    """
    if run.command[1] == "workshop":
        return f"{shlex.join(run.command)}   (another round)"
    asked = run.command[2]
    plan = shlex.join(("twinshop", "plan", asked, "--seed", str(run.seed), "--shoppers", str(run.shoppers)))
    return f"{plan}   (who did what when)"


def _more_columns(results: Results) -> list[str]:
    """The measures among those that need not be shown which these results have something to say of."""
    found = results.architectures.values()
    predicted = {prediction.measure for result in found for prediction in result.predictions}
    return [it for it in _WHERE_IT_MATTERS if it in predicted or any(MEASURES[it].read(result) for result in found)]


def _row(name: str, result: ArchitectureResult, more: Sequence[str]) -> tuple[str, ...]:
    return (
        name,
        result.verdict,
        str(result.at_risk),
        f"{result.logged_out.shoppers} of {result.shoppers}",
        str(result.carts_lost),
        str(result.actions.failed),
        str(result.actions.unknown),
        f"{result.seconds_without_service:.1f} user-s",
        *(f"{MEASURES[measure].read(result):g}" for measure in more),
    )


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    """The first two columns are words, the rest are numbers."""
    cells = [
        cell.ljust(width) if column < 2 else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()


def _reasons(results: Results) -> list[str]:
    lines = [f"{name}: {reason}" for name, result in results.architectures.items() for reason in result.reasons]
    return [*lines, ""] if lines else []


def _thresholds(results: Results) -> list[str]:
    """Those that fired, each with its numbers; of the others, how many there are."""
    lines = [
        f"{name}: {told(threshold)}" + (", but it is inconclusive" if result.verdict == "inconclusive" else "")
        for name, result in results.architectures.items()
        for threshold in result.thresholds
        if threshold.fired
    ]
    judged = sum(len(result.thresholds) for result in results.architectures.values())
    return [*lines, f"fail_if  {len(lines)} of {judged} thresholds fired", ""] if judged else []
