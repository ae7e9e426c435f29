"""The whole of `twinshop conformance`: which events, balancers and affinities there are, what is left, and the page.

Each event is a scenario of a few seconds in `events/`; each repeat is a run of it with the same plan, so that whatever
differs between two repeats is timing.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from compose.applications import SHIPPED
from compose.architectures import ARCHITECTURES
from compose.balancers import BALANCERS, balancer_named
from compose.balancers.contract import Balancer
from compose.balancers.example import RUN, configuration_sha256
from compose.cluster import ClusterSpec
from loadtests.campaigns.conformance.cells import (
    FILE,
    Conformance,
    ConformanceCell,
    ConformanceKey,
    read_conformance,
    write_conformance,
)
from loadtests.campaigns.conformance.page import EVENTS, remarks, write_pages
from loadtests.campaigns.conformance.people import count_people, doubt
from loadtests.campaigns.jobs import seconds_each
from loadtests.campaigns.one_run import Processes
from loadtests.campaigns.runner import Campaign, CampaignProgress, Launcher, Outcome, RunJob, carried_out, how_long
from loadtests.model.results import Results
from loadtests.model.run_folder import RunFolder, make_campaign_folder, read_document
from loadtests.model.scenario import Scenario
from loadtests.planning.scenario_file import load_scenario
from loadtests.running.provenance import twinshop_version
from loadtests.running.run import asked_of_balancer, limits_of, write_report
from shared.errors import EnvironmentNotReady, Interrupted, RunFolderError, UsageError
from shared.plurals import counted

# The repeat whose page is made at once, for the sentences lead there. A page takes as long as judging ten runs.
REPORTED = 1
# Clusters for each processor: a run waits most of its time. With two, nodes that join are not seen in time.
SIDE_BY_SIDE = 1.5


class ConformanceRequest(msgspec.Struct, frozen=True):
    """What somebody asked for."""

    folder: Path
    balancers: tuple[str, ...] = ()
    """Empty: all, as recommended."""
    variants: bool = False
    """Their variants, too."""
    events: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()
    repeats: int = 5
    seed: int = 1
    side_by_side: int | None = None
    fresh: bool = False


class ConformanceDone(msgspec.Struct, frozen=True):
    """What there is afterwards."""

    known: Conformance
    page: Path
    interrupted: Interrupted | None = None


class ConformanceCampaign(Campaign):
    """Fills cells, repeat by repeat."""

    def __init__(self, folder: Path, known: Conformance, side_by_side: int) -> None:
        self.known = known
        self.side_by_side = side_by_side
        self._folder = folder
        self._newest = ""

    def keep(self, job: RunJob, outcome: Outcome) -> None:
        """Count its people; a repeat that failed says why, and the others stand."""
        if outcome.interrupted and not outcome.error:  # not a repeat that failed: one that is still to be run
            return
        cell = self.known.by_place()[Path(job.scenario).stem, job.balancer, job.architectures[0]]
        cell = self._counted(cell, f"{job.into}/{outcome.run}", outcome)
        self.known = self.known.with_cell(cell)
        self._newest = cell.failed or "counted"
        write_conformance(self._folder, self.known)

    def _counted(self, cell: ConformanceCell, run: str, outcome: Outcome) -> ConformanceCell:
        """The cell with that repeat, or with why it does not count."""
        folder, why = RunFolder(self._folder / run), outcome.error
        try:
            why = why or (doubt(folder, cell.architecture) if outcome.measured else "it was not measured to its end")
            if not why:
                counts = count_people(folder, cell.architecture)
                return msgspec.structs.replace(
                    cell, repeats=(*cell.repeats, counts), runs=(*cell.runs, run), failed=""
                )  # fmt: skip
        except RunFolderError as error:
            why = f"its folder cannot be read: {error}"
        return msgspec.structs.replace(cell, failed=why)

    def after(self, job: RunJob, progress: CampaignProgress) -> str:
        """How it went, and how long the others will take."""
        left = f", about {progress.left_s / 60:.0f} min left" if progress.left_s >= 60 else ""
        cell = f"{Path(job.scenario).stem}, {job.balancer}, {job.architectures[0]}"
        return f"[{progress.number}/{progress.total}] {cell}{left}: {self._newest}"


def run_conformance(
    asked: ConformanceRequest, say: Callable[[str], None], launcher: Launcher | None = None
) -> ConformanceDone:
    """Run what is left of what was asked for, and write table and page; `say` hears of the progress.

    Raises:
        UsageError: a name is none, or nothing is left.
        EnvironmentNotReady: the folder cannot be made, or a balancer that is named has no program.
        Busy: another run has the machine.
    """
    make_campaign_folder(asked.folder)
    known, jobs = plan_of(asked)
    write_conformance(asked.folder, known)
    campaign = ConformanceCampaign(asked.folder, known, asked.side_by_side or int(SIDE_BY_SIDE * (os.cpu_count() or 1)))
    launcher = launcher or Processes(asked.folder, "processes")
    say(f"{counted(len(jobs), 'run')}, {how_long(jobs, campaign.side_by_side, launcher.machines())}")
    interrupted = carried_out(campaign, launcher, jobs, say)
    if interrupted is None:
        report_witnesses(asked.folder, campaign.known)
    return ConformanceDone(campaign.known, write_pages(asked.folder, campaign.known), interrupted)


def report_witnesses(folder: Path, known: Conformance) -> None:
    """Make the pages that sentences lead to, where the first repeat did not count and another one is the first now."""
    for remark in remarks(known):
        run = RunFolder(folder / remark.cell.runs[0])
        if not run.report.is_file() and run.results.is_file():
            write_report(run, read_document(run.results, Results))


def plan_of(asked: ConformanceRequest) -> tuple[Conformance, tuple[RunJob, ...]]:
    """What is known and still counts, and what is left.

    Raises:
        UsageError: a name is none, or nothing is left of that selection.
        RunFolderError: what is in the folder is damaged, or of another schema.
        EnvironmentNotReady: a balancer that is named has no program here.
    """
    fresh = Conformance(twinshop=twinshop_version(), seed=asked.seed, repeats=asked.repeats)
    before = read_conformance(asked.folder).by_place() if (asked.folder / FILE).is_file() else {}
    known, jobs = fresh, list[tuple[int, RunJob]]()  # each with its repeat
    for event, balancer, key in _asked(asked):
        wanted = asked_of_balancer(event)
        known = msgspec.structs.replace(known, shoppers=event.load.shoppers)
        for name in event.architectures:
            if asked.architectures and name not in asked.architectures:
                continue
            place = (event.name, balancer.name, name)
            kept = None if asked.fresh else before.get(place)
            cannot = balancer.cannot_serve(ARCHITECTURES[name].affinity, wanted)
            told = "" if cannot else _told(balancer, event, name)  # what it cannot do it is not told
            key = msgspec.structs.replace(key, configuration_sha256=told)
            # Repeats of another program, event or configuration say nothing of this one: they are forgotten.
            cell = kept if kept is not None and kept.key == key else ConformanceCell(*place, key)
            cell = msgspec.structs.replace(cell, why=cannot, failed="")
            known = known.with_cell(cell)
            for repeat in range(asked.repeats - cell.lacks(asked.repeats) + 1, asked.repeats + 1):
                job = RunJob(
                    str(EVENTS / f"{event.name}.toml"), (name,), asked.seed, seconds_each(event),
                    balancer=balancer.name, report=repeat == REPORTED,
                    # A folder for each repeat: two of one event that begin in the same second must not be mixed up.
                    into=f"{balancer.name}/{name}/{repeat}",
                )  # fmt: skip
                jobs.append((repeat, job))
    # What was known of other balancers and events stays.
    for place, cell in before.items():
        if place not in known.by_place():
            known = known.with_cell(cell)
    # One repeat of everything before the next of anything: cut off, the table has all its cells, with fewer repeats.
    jobs.sort(key=lambda it: (it[0], it[1].scenario, it[1].balancer))
    return known, tuple(job for _repeat, job in jobs)


def balancers_of(asked: ConformanceRequest) -> tuple[str, ...]:
    """The balancers that it is about, by name.

    Raises:
        UsageError: one that is named is none.
    """
    named = [balancer_named(name) for name in asked.balancers] or _there(variants=asked.variants)
    return tuple(balancer.name for balancer in named)


def _told(balancer: Balancer, event: Scenario, architecture: str) -> str:
    """Digest of what the balancer is told in such a run."""
    limits = limits_of(event)
    spec = ClusterSpec(RUN, ARCHITECTURES[architecture], event.nodes, limits=limits, balancer=balancer.name)
    return configuration_sha256(balancer, spec, SHIPPED.http)


def _asked(asked: ConformanceRequest) -> Iterator[tuple[Scenario, Balancer, ConformanceKey]]:
    """Each event with each balancer, and the key as far as it is the same for every architecture."""
    names = sorted(path.stem for path in EVENTS.glob("*.toml"))
    for name in asked.events:
        if name not in names:
            raise UsageError(f"there is no event {name!r}", why=f"there are: {', '.join(names)}", next_step="name one")
    balancers = {BALANCERS[name]: BALANCERS[name].program().version for name in balancers_of(asked)}
    twinshop = twinshop_version()
    for name in asked.events or names:
        path = EVENTS / f"{name}.toml"
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        event = load_scenario(str(path))
        for balancer, version in balancers.items():
            yield event, balancer, ConformanceKey(sha256, asked.seed, version, twinshop)


def _there(*, variants: bool) -> Iterator[Balancer]:
    """Those whose program is on this machine."""
    for balancer in (it for it in BALANCERS.values() if variants or not it.variant.name):
        try:
            balancer.program()
        except EnvironmentNotReady:
            continue
        yield balancer
