"""`twinshop run SCENARIO --repeat N`: settle what is compared, run, compare, report; and compare again, offline."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from compose.engines.contract import Engine
from loadtests.campaigns.jobs import seconds_each
from loadtests.campaigns.one_run import InThisProcess
from loadtests.campaigns.repeats.compare import least_for, repeats_of
from loadtests.campaigns.repeats.page import render
from loadtests.campaigns.repeats.repeats import (
    PAGE,
    Asked,
    Block,
    Repeats,
    Shot,
    blocks_asked,
    compared,
    read_repeats,
)
from loadtests.campaigns.repeats.statistics import check_statistics
from loadtests.campaigns.runner import Campaign, CampaignProgress, Launcher, Outcome, RunJob, Runner, seconds_of
from loadtests.checks import MEASURES
from loadtests.judging.verdict import NOTHING_PREDICTED, fired
from loadtests.model.events import LoadSample, RunInterrupted, read_events
from loadtests.model.plan import Control, plan_sha256
from loadtests.model.results import ArchitectureResult, Results
from loadtests.model.run_folder import REPEATS, RunFolder, encode_document, make_folder, read_document, run_inside
from loadtests.model.scenario import Scenario
from loadtests.planning.scenario_file import read_scenario, scenario_content
from loadtests.running.progress import RunWatcher
from loadtests.running.provenance import machine, now_utc, twinshop_version
from loadtests.running.run import RunRequest, balancer_of, command_of, planned_for, point_latest
from shared.errors import Interrupted, RunFolderError, TwinshopError, UsageError
from shared.plurals import counted
from shared.whole_file import write_whole

MOST_FAILURES = 3  # so many blocks in a row that could not be measured are the machine's last word
WORDS = {"fault": "", "no-fault": ", control without faults", "placebo": ", control with a placebo", "again": ", again"}
CONTROLS: dict[str, Control] = {"no-fault": "no-fault", "placebo": "placebo"}


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
    launcher_in: Callable[[Path], Launcher] | None = None,
) -> Repeated:
    """Carry out a scenario that many times, and compare. `launcher_in`: what starts the runs, given their folder.

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
    asked = _asked(request, scenario, names, repeats, engine)
    folder = request.runs / asked.folder_name
    here = msgspec.structs.replace(request, runs=folder)
    launcher: Launcher = launcher_in(folder) if launcher_in else InThisProcess(here, engine, watcher)

    def planned(job: RunJob) -> str:
        # Of the scenario as it was read above: a block that was run after its file was edited is found by it.
        return plan_sha256(planned_for(request, scenario, job.seed, job.control))

    each_s, blocks = seconds_each(scenario), blocks_asked(names, repeats, request.seed)
    jobs = {job_of(request.scenario, block, each_s, request.balancer): block for block in blocks}
    campaign = RepeatsCampaign(folder, asked, jobs, planned, watcher.say)
    with launcher.hold(watcher.say):
        write_whole(make_folder(folder) / "scenario.toml", content)
        watcher.say(forecast(asked, jobs))
        ended_by = _ended_by(Runner(campaign, launcher, watcher.say), jobs, campaign, watcher)
        found = repeats_of(asked, campaign.as_asked(), ended_by.what if ended_by else "")
        write(folder, found)
        if ended_by is None:
            with suppress(OSError):  # there are no links here, or something else has that name: as good without
                point_latest(folder)
    return Repeated(folder, found, ended_by)


def forecast(asked: Asked, jobs: Collection[RunJob]) -> str:
    """Before anything starts: how long all of it takes, and from which N on a difference can be shown."""
    minutes = max(1, round(seconds_of(jobs) / 60))
    least, names = least_for(asked), len(asked.architectures)
    shown = f"a difference can be shown if at least {least} of the {asked.repeats} faults count"
    if asked.repeats < least:
        shown = f"no difference can be shown before --repeat {least}, {asked.repeats} only give the counts"
    return (
        f"{counted(asked.repeats, 'block')} of {counted(names, 'architecture')} and their "
        f"controls: {counted(len(jobs), 'run')}, about {minutes} min; {shown}"
    )


def _ended_by(
    runner: Runner, jobs: Iterable[RunJob], campaign: RepeatsCampaign, watcher: RunWatcher
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
        command=command_of(request, names, engine.name, repeats),
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


# --- a block ----------------------------------------------------------------------------------------------------------


def job_of(scenario: str, block: Block, each_s: float, balancer: str = "") -> RunJob:
    """The run that a block asks for; `each_s` is what one architecture takes, about."""
    return RunJob(
        scenario, block.order, block.seed, each_s * len(block.order),
        alone=True,  # a neighbour would be noise in some blocks and not in others
        together=f"block {block.number}",  # a control is held against its block: both are of one machine
        control=CONTROLS.get(block.kind, ""), balancer=balancer,
    )  # fmt: skip


class RepeatsCampaign(Campaign):
    """Makes blocks; `blocks` is what is known so far."""

    def __init__(
        self, folder: Path, asked: Asked, jobs: Mapping[RunJob, Block], planned: Callable[[RunJob], str],
        say: Callable[[str], None],
    ) -> None:  # fmt: skip
        """`jobs`: the block that each is to make. `planned`: the SHA-256 of the plan that a job should have."""
        self.blocks: list[Block] = []
        self._folder = folder
        self._asked = asked
        self._jobs = jobs
        self._planned = planned
        self._say = say
        self._failures = 0

    def keep(self, job: RunJob, outcome: Outcome) -> None:
        """Make its block, or one of which there is nothing."""
        block = msgspec.structs.replace(self._jobs[job], planned_sha256=self._planned(job))
        if outcome.error:
            self._say(f"block {block.number} was not measured: {outcome.error}; the others go on")
            self.blocks.append(msgspec.structs.replace(block, error=outcome.error))
            return
        self._failures = 0
        block = msgspec.structs.replace(block, run=outcome.run, machine=outcome.machine)
        self.blocks.append(read_block(block, self._folder, self._asked.measures))

    def as_asked(self) -> list[Block]:
        """The blocks in the order that was asked for; several machines end them in another one."""
        places = {(block.number, block.kind): place for place, block in enumerate(self._jobs.values())}
        return sorted(self.blocks, key=lambda block: places[block.number, block.kind])

    def bears(self, error: TwinshopError) -> bool:
        """Not if it is the first, and not several in a row."""
        self._failures += 1
        # What the first one meets, a balancer that does not start, say, all others would meet as well.
        return bool(self.blocks) and self._failures < MOST_FAILURES

    def before(self, job: RunJob, progress: CampaignProgress) -> str:
        """Which block it is, and how long it all will take."""
        left_s = progress.left_s
        minutes = f"about {left_s / 60:.0f} min left" if left_s >= 90 else f"about {left_s:.0f} s left"
        block = self._jobs[job]
        told = f"block {block.number} of {self._asked.repeats}{WORDS[block.kind]}"
        return f"[{progress.number}/{progress.total}] {told}: {minutes}"


def read_again(blocks: Sequence[Block], folder: Path, measures: Sequence[str]) -> list[Block]:
    """The same blocks from their run folders, offline; those that were not measured stay as they are.

    Raises:
        RunFolderError: a run folder is missing or damaged, or was made with another plan than its block says.
    """
    found = []
    for block in blocks:
        if not block.run:
            found.append(block)
            continue
        fresh = read_block(block, folder, measures)
        if fresh.plan_sha256 != block.plan_sha256:  # two folders of one campaign changed places, say
            raise RunFolderError(
                f"{block.run} is not the run of block {block.number}",
                why="it was carried out with another plan",
                next_step="repeat the scenario again: a folder that was put together otherwise proves nothing",
            )
        found.append(fresh)
    return found


def read_block(block: Block, folder: Path, measures: Sequence[str]) -> Block:
    """The block with what was measured in its run, which lies in the folder.

    Raises:
        RunFolderError: a file of the run is missing or damaged.
    """
    run = RunFolder(run_inside(folder, block.run, REPEATS))
    results = read_document(run.results, Results)
    cpu: dict[str, list[float]] = defaultdict(list)
    cut: dict[str, str] = {}
    for event in read_events(run.events):
        if isinstance(event, LoadSample):
            cpu[event.architecture].append(event.cpu_percent)
        elif isinstance(event, RunInterrupted):
            cut[event.architecture] = event.why
    shots = tuple(
        _shot(name, results.architectures[name], cpu[name], measures)
        for name in block.order
        if name in results.architectures and name not in cut
    )
    missing = [name for name in block.order if name not in {shot.architecture for shot in shots}]
    error = "; ".join(f"{name} was not measured: {cut.get(name, 'the block ended before')}" for name in missing)
    return msgspec.structs.replace(
        block, plan_sha256=results.plan_sha256, verdict=results.verdict, shots=shots, error=error,
        fired=bool(fired(results)),
    )  # fmt: skip


def _shot(name: str, result: ArchitectureResult, cpu: Sequence[float], measures: Sequence[str]) -> Shot:
    # A control predicts nothing, and so is always inconclusive: that is no doubt in what was counted.
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


# --- from the folder alone --------------------------------------------------------------------------------------------


def write(folder: Path, repeats: Repeats) -> None:
    """Write `repeats.json` and the page beside it."""
    write_whole(folder / REPEATS, encode_document(repeats))
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
