"""`twinshop run SCENARIO`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from compose.architectures import architecture_named
from loadtests.commands.options import DEBUG_OPTION
from shared.errors import UsageError


@click.command(
    epilog="""\b
Examples:
  twinshop run node-kill
  twinshop run node-kill --architecture sticky-memory --architecture redis --seed 7
  twinshop run calm --shoppers 20 --json > results.json
""",
)
@click.argument("scenario")
@click.option("--architecture", "architectures", multiple=True, metavar="NAME", help="Only these (repeatable).")
@click.option("--shoppers", type=click.IntRange(1, 20_000), help="How many people shop.  [default: the scenario's]")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True, help="Of the plan.")
@click.option("--engine", "engine_name", default="processes", show_default=True, help="What runs the clusters.")
@click.option("--workers", type=click.IntRange(1, 16), default=1, show_default=True, help="Load processes.")
@click.option(
    "--runs", type=click.Path(file_okay=False, path_type=Path), default=Path("runs"), show_default=True,
    envvar="TWINSHOP_RUNS", help="Where run folders go.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print results.json on stdout, and nothing else there.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
@DEBUG_OPTION
def run(
    scenario: str, architectures: tuple[str, ...], shoppers: int | None, seed: int, engine_name: str, workers: int,
    runs: Path, as_json: bool, quiet: bool,
) -> int:  # fmt: skip
    """Carry out a SCENARIO (a name from `twinshop list`, or a TOML file) on each architecture."""
    from compose.engines.registry import engine_named
    from loadtests.judging.thresholds import exit_code_of
    from loadtests.run import RunRequest
    from loadtests.run import run as carry_out
    from loadtests.running.interrupts import interrupts_raise
    from loadtests.running.progress import watcher_for
    from loadtests.scenario import load_scenario
    from loadtests.summary import summary
    from loadtests.telling import tell

    for name in architectures:
        architecture_named(name)
    if len(set(architectures)) < len(architectures):
        raise UsageError("the same --architecture is named twice", next_step="name each once")
    names = architectures or load_scenario(scenario).architectures
    request = RunRequest(scenario, architectures, seed, shoppers, workers, runs)
    watcher = watcher_for(sys.stderr, names, quiet=quiet)
    try:
        with interrupts_raise():
            finished = carry_out(request, engine_named(engine_name), watcher)
    finally:
        watcher.close()
    if as_json:
        tell(finished.folder.results.read_text(), nl=False)
    else:
        tell(summary(finished.results, finished.folder.root))
    if finished.interrupted is not None:
        raise finished.interrupted
    return exit_code_of(finished.results)


COMMANDS = {"run": run}
