"""`twinshop runs`: what was run, newest first; and the report of one of them in a browser."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from loadtests.commands.options import DEBUG_OPTION, JSON_OPTION, runs_option
from loadtests.running.console import advise, json_text, tell
from shared.errors import RunFolderError, UsageError


class ListedRun(msgspec.Struct, frozen=True):
    """One run, or the repeats of one; verdict and answer as in its results.json or repeats.json."""

    verdict: str
    """Or "not judged": it was cut short, or goes on."""
    answer: str
    name: str = ""
    report: str = ""
    """Its path; "" if there is none."""


@click.command(
    epilog="""\b
Examples:
  twinshop runs
  twinshop runs node-kill --open                the newest of it, in a browser
"""
)
@click.argument("word", default="")
@click.option("--open", "opens", is_flag=True, help="Open the report of the newest of them in a browser.")
@runs_option("Where they lie.")
@JSON_OPTION
@DEBUG_OPTION
def runs(word: str, opens: bool, runs: Path, as_json: bool) -> None:
    """Runs and repeats, newest first, with verdict and sentence. With a WORD: those that have it in their names."""
    found = [run for run in _all(runs) if word in run.name]
    report = next((run.report for run in found if run.report), "")
    if opens and not report:
        raise UsageError(f"there is no report to open in {runs}", next_step="twinshop run node-kill")
    if opens:
        tell(report)
        click.launch(report)
    elif as_json:
        tell(json_text({"schema": 1, "runs": found}))
    elif not found:
        advise("There is no such run. `twinshop run node-kill` makes one.")
    else:
        for run in found:
            advise(f"{click.style(run.name, bold=True)}  {run.verdict}\n  {run.answer}")


def _all(runs: Path) -> Iterator[ListedRun]:
    """By the time in their names; what is no run is passed over."""
    from loadtests.model.run_folder import REPEATS, RunFolder, read_document

    for path in sorted(runs.iterdir() if runs.is_dir() else (), key=lambda path: path.name, reverse=True):
        run, repeats = RunFolder(path), path / REPEATS
        if not run.is_run:
            continue
        try:
            told = read_document(repeats if repeats.is_file() else run.results, ListedRun)
        except RunFolderError:  # no results, or half of them: one folder must not hide the others
            told = ListedRun("not judged", f"If it does not go on: twinshop report {shlex.quote(str(path))}")
        report = str(run.report) if run.report.is_file() else ""
        yield msgspec.structs.replace(told, name=path.name, report=report)
