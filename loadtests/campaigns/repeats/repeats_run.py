"""`twinshop run SCENARIO --repeat N`, as a table of contents: settle what is compared, run, compare, report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import msgspec

from compose.engines.contract import Engine
from loadtests.campaigns.jobs import seconds_each
from loadtests.campaigns.one_run import InThisProcess
from loadtests.campaigns.repeats.campaign import BlockJob, RepeatsCampaign, job_of, read_again
from loadtests.campaigns.repeats.compare import least_for, repeats_of
from loadtests.campaigns.repeats.page import render
from loadtests.campaigns.repeats.repeats import PAGE, Asked, Repeats, compared, read_repeats, turns, write_repeats
from loadtests.campaigns.repeats.statistics import check_statistics
from loadtests.campaigns.runner import ClearAway, Launcher, RunJob, Runner, the_machine
from loadtests.model.plan import plan_sha256
from loadtests.model.run_folder import make_folder
from loadtests.model.scenario import Scenario
from loadtests.planning.scenario_file import read_scenario, scenario_content
from loadtests.running.progress import RunWatcher
from loadtests.running.provenance import machine, now_utc, twinshop_version
from loadtests.running.run import RunRequest, balancer_of, planned_for, point_latest
from shared.errors import Interrupted, TwinshopError, UsageError
from shared.whole_file import write_whole


class Repeated(msgspec.Struct, frozen=True):
    """What there is afterwards."""

    folder: Path
    repeats: Repeats
    ended_by: TwinshopError | None = None
    """Why not everything that was asked for was run."""


def repeat(
    request: RunRequest,
    repeats: int,
    engine: Engine,
    watcher: RunWatcher,
    launcher_in: Callable[[Path], Launcher[BlockJob]] | None = None,
    hold: Callable[[Callable[[str], None]], AbstractContextManager[ClearAway]] = the_machine,
) -> Repeated:
    """Carry out a scenario that many times, and compare.

    `launcher_in`: what starts the runs, given the folder; `hold`: what holds whatever they are carried out on.

    Raises:
        TwinshopError: not one block could be measured.
    """
    path, content = scenario_content(request.scenario)
    scenario = read_scenario(content, file=str(path), name=path.stem)
    app = request.application
    if app is not None:
        app.check_scenario(scenario)
    names = app.chosen(request.architectures) if app else request.architectures or scenario.architectures
    if len(names) < 2:
        raise UsageError(
            "there is nothing to compare",
            why=f"only {', '.join(names)} is to be measured",
            next_step="describe another variant" if app else "name another architecture: --architecture NAME",
        )
    check_statistics()  # before anything is run: it would be missed only at the end, minutes or hours later
    with hold(watcher.say) as clear_away:
        asked = _asked(request, scenario, names, repeats, engine)
        folder = make_folder(request.runs / asked.folder_name)
        write_whole(folder / "scenario.toml", content)
        here = msgspec.structs.replace(request, runs=folder)
        launcher: Launcher[BlockJob] = launcher_in(folder) if launcher_in else InThisProcess(here, engine, watcher)

        def planned(job: RunJob) -> str:
            # Of the scenario as it was read above: a block that was run after its file was edited is found by it.
            return plan_sha256(planned_for(request, scenario, job.seed, job.control))

        campaign = RepeatsCampaign(folder, repeats, asked.measures, planned, watcher.say)
        each_s, all_turns = seconds_each(scenario), turns(names, repeats, request.seed)
        jobs = [job_of(request.scenario, turn, each_s, request.balancer) for turn in all_turns]
        watcher.say(forecast(asked, jobs))
        ended_by = _ended_by(Runner(campaign, launcher, watcher.say, clear_away), jobs, campaign, watcher)
        found = repeats_of(asked, campaign.in_turn(jobs), ended_by.what if ended_by else "")
        write(folder, found)
        if ended_by is None:
            with suppress(OSError):  # there are no links here, or something else has that name: as good without
                point_latest(folder)
    return Repeated(folder, found, ended_by)


def forecast(asked: Asked, jobs: Sequence[BlockJob]) -> str:
    """Before anything starts: how long all of it takes, and from which N on a difference can be shown."""
    minutes = max(1, round(sum(job.seconds for job in jobs) / 60))
    least = least_for(asked)
    shown = f"a difference can be shown if at least {least} of the {asked.repeats} faults count"
    if asked.repeats < least:
        shown = f"no difference can be shown before --repeat {least}, {asked.repeats} only give the counts"
    return (
        f"{asked.repeats} blocks of {len(asked.architectures)} architectures and their controls: {len(jobs)} runs, "
        f"about {minutes} min; {shown}"
    )


def _ended_by(
    runner: Runner[BlockJob], jobs: Sequence[BlockJob], campaign: RepeatsCampaign, watcher: RunWatcher
) -> TwinshopError | None:
    """What ended it early, if anything did and there is something to compare (or somebody asked for the end)."""
    try:
        runner.carry_out(jobs)
    except TwinshopError as error:
        if not campaign.blocks and not isinstance(error, Interrupted):
            raise
        watcher.say(f"{error.what}: comparing what there is")
        return error
    return None


def write(folder: Path, repeats: Repeats) -> None:
    """Write `repeats.json` and the page beside it."""
    write_repeats(folder, repeats)
    write_whole(folder / PAGE, render(repeats))


def again(folder: Path) -> Repeats:
    """Compare and report again, offline, from the folder alone: the same folder gives the same bytes.

    Raises:
        RunFolderError: a file is missing or damaged.
    """
    found = compared_again(folder)
    write(folder, found)
    return found


def compared_again(folder: Path) -> Repeats:
    """The same, and nothing is written.

    Raises:
        RunFolderError: a file is missing or damaged.
    """
    check_statistics()
    known = read_repeats(folder)
    blocks = read_again(known.blocks, folder, known.asked.measures)
    return repeats_of(known.asked, blocks, known.interrupted)


def _asked(request: RunRequest, scenario: Scenario, names: tuple[str, ...], repeats: int, engine: Engine) -> Asked:
    shoppers = scenario.load.shoppers if request.shoppers is None else request.shoppers
    return Asked(
        scenario=request.scenario,
        name=scenario.name,
        question=scenario.question,
        headline=scenario.headline,
        faults=tuple(fault.kind for fault in scenario.fault),
        architectures=names,
        repeats=repeats,
        seed=request.seed,
        engine=engine.name,
        balancer=balancer_of(request, scenario, names, engine, lambda _each_run_says_it: None),
        shoppers=shoppers,
        workers=request.workers,
        measures=compared(scenario, names),
        started=f"{now_utc():%Y-%m-%dT%H:%M:%SZ}",
        command=_command(request, names, repeats, engine.name),
        versions=_versions(),
    )


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    host = machine()
    return {
        "Twinshop": twinshop_version(),
        "Python": str(host["python"]),
        "SciPy": version("scipy"),
        "NumPy": version("numpy"),
        "host": f"{host['platform']}, {host['cpus']} CPUs, {int(host['memory_mb']):,} MB",
    }


def _command(request: RunRequest, names: tuple[str, ...], repeats: int, engine: str) -> tuple[str, ...]:
    words = ["twinshop", "run", request.scenario, "--repeat", str(repeats), "--seed", str(request.seed)]
    words += ["--engine", engine]
    if request.balancer:
        words += ["--balancer", request.balancer]
    for name in names:
        words += ["--architecture", name]
    if request.shoppers is not None:
        words += ["--shoppers", str(request.shoppers)]
    if request.workers != 1:
        words += ["--workers", str(request.workers)]
    if request.application:
        words += ["--app", str(request.application.file)]
    return tuple(words)
