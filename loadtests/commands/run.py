"""`twinshop run SCENARIO`, once or many times; and `twinshop plan SCENARIO`: what that would do."""

from __future__ import annotations

import shlex
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from compose.architectures import architecture_named
from loadtests.commands import options
from loadtests.running.console import advise, interrupts_raise, tell
from shared.errors import UsageError

if TYPE_CHECKING:
    from compose.engines.contract import Engine
    from loadtests.campaigns.repeats.repeats_run import Repeated
    from loadtests.model.plan import Control
    from loadtests.running.progress import RunWatcher
    from loadtests.running.run import RunRequest


@click.command(
    epilog="""\b
Examples:
  twinshop run node-kill
  twinshop run node-kill --architecture sticky-memory --architecture redis --seed 7
  twinshop run calm --shoppers 20 --json > results.json
  twinshop run node-kill --balancer haproxy
  twinshop run node-kill --repeat 20            what differs, and how surely (with controls)
  twinshop run node-kill --repeat 20 --on tcp://10.0.0.5:8786    on the workers of a Dask scheduler
  twinshop run node-kill --app shop.toml        your own application (see: twinshop app)
"""
)
@options.SCENARIO
@options.names_option("architecture", "architectures")
@options.APP_OPTION
@options.BEYOND_OPTION
@options.SHOPPERS_OPTION
@options.seed_option("Of the plan.")
@click.option("--repeat", type=options.WholeNumber(2, 1000), metavar="N", help="N blocks, each with its seed; compare.")
@click.option(
    "--control", type=click.Choice(["no-fault", "placebo"]), help="Leave out the faults, or only the break in each."
)
@options.ENGINE_OPTION
@options.ON_OPTION
@options.BALANCER_OPTION
@click.option("--workers", type=options.WholeNumber(1, 16), default=1, show_default=True, help="Load processes.")
@options.runs_option("Where run folders go.")
@click.option("--json", "as_json", is_flag=True, help="Print results.json (repeats.json) and nothing else.")
@options.QUIET_OPTION
@options.DEBUG_OPTION
def run(
    scenario: str, architectures: tuple[str, ...], app: Path | None, beyond: bool, shoppers: int | None, seed: int,
    repeat: int | None, control: Control | None, engine_name: str, scheduler: str | None, balancer: str, workers: int,
    runs: Path, as_json: bool, quiet: bool,
) -> int:  # fmt: skip
    """Carry out a SCENARIO (a name from `twinshop list`, or a TOML file) on each architecture."""
    from compose.engines.registry import engine_named
    from loadtests.planning.scenario_file import load_scenario
    from loadtests.running.application import ApplicationUnderTest
    from loadtests.running.progress import watcher_for
    from loadtests.running.run import RunRequest

    under_test = ApplicationUnderTest.load(app, beyond=beyond) if app else None
    # Before anything is read or started: a misspelt name costs nothing.
    for name in architectures if under_test is None else ():
        architecture_named(name)
    if len(set(architectures)) < len(architectures):  # a run has one folder of logs for each name
        raise UsageError("the same --architecture is named twice", next_step="name each once")
    if repeat and control:
        raise UsageError("repeats have their own controls", next_step="omit --control or --repeat")
    if under_test:
        under_test.check_way(engine_name, balancer)
    asked = load_scenario(scenario)
    names = under_test.chosen(architectures) if under_test else architectures or asked.architectures
    request = RunRequest(
        scenario, architectures, seed, shoppers, workers, runs, control=control or "", application=under_test,
        balancer=balancer,
    )  # fmt: skip
    engine = (under_test.engine if under_test else None) or engine_named(engine_name)
    watcher = watcher_for(sys.stderr, names, quiet=quiet)
    with interrupts_raise():
        if scheduler:
            _check_far(scenario, repeat, app)
        if repeat:
            return _many(request, repeat, engine, watcher, as_json, scheduler)
        return _once(request, engine, watcher, as_json)


def _check_far(scenario: str, repeat: int | None, app: Path | None) -> None:
    """Nothing, if a scheduler can be asked for that."""
    from loadtests.planning.scenario_file import SCENARIOS

    if not repeat:
        raise UsageError(
            "--on is for many runs",
            why="one run stays on one machine",
            next_step=f"twinshop run {shlex.quote(scenario)}",
        )
    if app or not (SCENARIOS / f"{scenario}.toml").is_file():
        raise UsageError(
            f"{app or scenario} cannot be run on other machines",
            why="a worker runs what its own checkout holds: the twins, and the scenarios of twinshop list",
            next_step="omit --on",
        )


def _once(request: RunRequest, engine: Engine, watcher: RunWatcher, as_json: bool) -> int:
    from loadtests.judging.verdict import exit_code_of
    from loadtests.report.terminal import summary
    from loadtests.running.run import run as carry_out

    with closing(watcher):
        finished = carry_out(request, engine, watcher)
    if as_json:
        tell(finished.folder.results.read_text(), nl=False)
    else:
        advise(summary(finished.results, finished.folder.root))
    if finished.interrupted is not None:
        raise finished.interrupted  # only now: what was measured before it has been judged and told
    return exit_code_of(finished.results)


def _many(
    request: RunRequest, repeats: int, engine: Engine, watcher: RunWatcher, as_json: bool, scheduler: str | None
) -> int:  # fmt: skip
    from loadtests.campaigns.repeats.page import summary
    from loadtests.campaigns.repeats.repeats_run import repeat
    from loadtests.judging.verdict import exit_code
    from loadtests.model.run_folder import REPEATS

    with closing(watcher):
        if scheduler is None:
            done = repeat(request, repeats, engine, watcher)
        else:
            done = _far_repeat(request, repeats, engine, watcher, scheduler)
    if as_json:
        tell((done.folder / REPEATS).read_text(), nl=False)
    else:
        advise(summary(done.repeats, done.folder))
    if done.ended_by is not None:
        raise done.ended_by
    return exit_code(done.repeats.verdict, fired=done.repeats.fired)


def _far_repeat(request: RunRequest, repeats: int, engine: Engine, watcher: RunWatcher, scheduler: str) -> Repeated:
    from loadtests.planning.scenario_file import load_scenario

    balancer = request.balancer or load_scenario(request.scenario).balancer
    machines = options.machines_at(scheduler, [balancer])  # first: it says what to install
    from loadtests.campaigns.far.machines import FarLauncher
    from loadtests.campaigns.repeats.repeats_run import repeat

    def launcher_in(folder: Path) -> FarLauncher:
        return FarLauncher(machines, folder, engine.name, shoppers=request.shoppers, workers=request.workers)

    return repeat(request, repeats, engine, watcher, launcher_in)


@click.command()
@options.SCENARIO
@options.APP_OPTION
@options.BEYOND_OPTION
@options.SHOPPERS_OPTION
@options.BALANCER_OPTION
@options.seed_option("Of the plan.")
@click.option("--json", "as_json", is_flag=True, help="Print plan.json itself: its SHA-256 is the plan's name.")
@options.DEBUG_OPTION
def plan(
    scenario: str, app: Path | None, beyond: bool, shoppers: int | None, balancer: str, seed: int, as_json: bool
) -> None:  # fmt: skip
    """Print what a run of SCENARIO would do and what it would cost; start nothing."""
    from loadtests.model.plan import encode_plan
    from loadtests.planning.make_plan import make_plan
    from loadtests.planning.page import plan_page
    from loadtests.planning.scenario_file import load_scenario
    from loadtests.running.application import ApplicationUnderTest
    from loadtests.running.run import balancer_for

    asked = load_scenario(scenario)
    under_test = ApplicationUnderTest.load(app, beyond=beyond) if app else None
    if under_test is not None:
        under_test.check_scenario(asked)
        under_test.check_way(under_test.runs_on, balancer)
    behaviour = under_test.behaviour if under_test else None
    made = make_plan(asked, seed=seed, shoppers=shoppers, behaviour=behaviour)
    if under_test is not None:
        made, asked = under_test.planned(made), replace(asked, architectures=under_test.chosen(()))
    if balancer:
        # It decides nothing of the plan, and may be one that cannot do what the plan asks.
        routed = under_test.architectures().values() if under_test else map(architecture_named, asked.architectures)
        balancer_for(balancer, asked, routed, "processes", lambda _remark: None)
        asked = replace(asked, balancer=balancer)
    # With --json without another line's end: the SHA-256 of what is printed is the plan's name.
    tell(encode_plan(made).decode() if as_json else plan_page(made, asked, behaviour), nl=not as_json)
    if under_test is not None and not as_json:
        for line in under_test.said():
            tell(line)
