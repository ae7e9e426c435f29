"""`twinshop check RUN` and `twinshop report RUN`: judge and write again, offline, from a run's folder alone."""

from __future__ import annotations

from pathlib import Path

import click

from loadtests.commands.options import DEBUG_OPTION

RUN = click.argument("folder", metavar="RUN", type=click.Path(path_type=Path))


@click.command()
@RUN
@click.option("--json", "as_json", is_flag=True, help="Print results.json on stdout, and nothing else there.")
@DEBUG_OPTION
def check(folder: Path, as_json: bool) -> int:
    """Judge RUN (a run's folder, for example runs/latest) again and rewrite its results.json."""
    from loadtests.judging.thresholds import exit_code_of
    from loadtests.run import write_results
    from loadtests.run_folder import RunFolder
    from loadtests.summary import summary
    from loadtests.telling import tell

    run = RunFolder(folder)
    results = write_results(run)
    tell(run.results.read_text() if as_json else summary(results, folder), nl=not as_json)
    return exit_code_of(results)


@click.command()
@RUN
@DEBUG_OPTION
def report(folder: Path) -> None:
    """Judge RUN (a run's folder, for example runs/latest) again and rewrite its results.json and report.html."""
    from loadtests.run import write_report, write_results
    from loadtests.run_folder import RunFolder
    from loadtests.telling import tell

    run = RunFolder(folder)
    write_report(run, write_results(run))
    tell(run.report)


COMMANDS = {"check": check, "report": report}
