"""The whole of `twinshop matrix`: read what is known, run what is left, write the page."""

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from compose.architectures import ARCHITECTURES, Architecture
from compose.balancers import balancer_named, choose_balancer
from compose.cluster import DEFAULT_BALANCER
from compose.engines.registry import engine_named
from loadtests.campaigns.cells import FILE, Cell, CellKey, Matrix, Selection, cell_of, read_matrix, write_matrix
from loadtests.campaigns.claims import Decision, all_claims, decide_all, references
from loadtests.campaigns.jobs import (
    TIMES,
    Entry,
    Shard,
    catalogue,
    check_selection,
    current_cells,
    default_side_by_side,
    entries_for,
    jobs_for,
    keys_of,
    of_shard,
)
from loadtests.campaigns.matrix.board import Board, board_of
from loadtests.campaigns.matrix.page import write_page
from loadtests.campaigns.matrix.second_predictions import read_understood
from loadtests.campaigns.one_run import Processes
from loadtests.campaigns.runner import (
    Campaign,
    CampaignProgress,
    Launcher,
    Outcome,
    RunJob,
    carried_out,
    how_long,
    longest_first,
)
from loadtests.model.results import Results
from loadtests.model.run_folder import RunFolder, make_campaign_folder, read_document
from loadtests.running.application import ApplicationUnderTest
from loadtests.running.provenance import twinshop_version
from loadtests.running.run import asked_of_balancer
from shared.errors import Interrupted, RunFolderError, UsageError
from shared.plurals import counted


class MatrixCampaign(Campaign):
    """Fills cells; `matrix` is what is known so far."""

    def __init__(self, folder: Path, matrix: Matrix, keys: Mapping[str, CellKey]) -> None:
        """`keys`: what a cell is made with now, by scenario."""
        self.matrix = matrix
        self.side_by_side = matrix.side_by_side
        self._folder = folder
        self._keys = keys
        self._newest: tuple[Cell, ...] = ()
        self._machine = ""

    def keep(self, job: RunJob, outcome: Outcome) -> RunJob | None:
        """Fill its cells; what an error of another architecture kept from running is left."""
        self._newest, self._machine = self._cells(job, outcome), outcome.machine
        self.matrix = self.matrix.with_cells(self._newest)
        write_matrix(self._folder, self.matrix)  # after each run: an hour's campaign may be ended at any moment
        return None if outcome.interrupted else job.without({cell.architecture for cell in self._newest})

    def after(self, job: RunJob, progress: CampaignProgress) -> str:
        """How its cells went, and how long the others will take."""
        left = f", about {progress.left_s / 60:.0f} min left" if progress.left_s >= 60 else ""
        words = ", ".join(f"{cell.architecture} {cell.word}" for cell in self._newest)
        took = f"{progress.took_s:.0f} s{left}"
        where = f", on {self._machine}" if self._machine else ""
        return f"[{progress.number}/{progress.total}] {job.scenario} ({took}{where}): {words or 'nothing'}"

    def _cells(self, job: RunJob, outcome: Outcome) -> tuple[Cell, ...]:
        """A cell for each architecture that was measured, and for each that an error was the end of."""
        cells = []
        key = self._keys[job.scenario]
        problem = outcome.error
        if outcome.measured:
            try:
                results = read_document(RunFolder(self._folder / outcome.run).results, Results)
                cells += [
                    cell_of(results, name, key=key, run=outcome.run, machine=outcome.machine)
                    for name in outcome.measured
                ]
            except (RunFolderError, KeyError) as error:
                problem = problem or f"its results cannot be read: {error}"
        if outcome.interrupted:  # what was not begun, or was cut short, is no news: it is simply not run yet
            return tuple(cells)
        cut = outcome.cut or ({} if cells else dict.fromkeys(job.architectures, problem or "nothing came of it"))
        cells += [
            Cell(job.scenario, name, "not run", why=problem or why, key=key, run=outcome.run)
            for name, why in cut.items()
            if name in job.architectures
        ]
        return tuple(cells)


class MatrixRequest(msgspec.Struct, frozen=True):
    """What somebody asked for."""

    selection: Selection
    engine: str
    seed: int
    folder: Path
    side_by_side: int | None = None
    """None: as many as fit."""
    fresh: bool = False
    again: tuple[str, ...] = ()
    balancer: str = ""
    """Empty: the default. Architectures that it cannot route for are left out."""
    shard: Shard | None = None
    """Only this part of it."""
    application: ApplicationUnderTest | None = None
    """What is under test, if it is none of the twins; its variants are the architectures then."""


class MatrixDone(msgspec.Struct, frozen=True):
    """What there is afterwards."""

    board: Board
    """Of what was asked for."""
    page: Path
    interrupted: Interrupted | None = None


def run_matrix(asked: MatrixRequest, say: Callable[[str], None], launcher: Launcher | None = None) -> MatrixDone:
    """Run what is left of what was asked for; `say` hears of the progress.

    Raises:
        UsageError: a name is none, or nothing is left of the catalogue.
        Busy: another run has the machine.
        EnvironmentNotReady: the folder cannot be made.
    """
    engine_named(asked.engine)  # a name that is none is refused before anything else is done
    choice = choose_balancer(asked.balancer, engine=asked.engine)
    if choice.remark:
        say(choice.remark)
    asked = msgspec.structs.replace(asked, balancer=choice.name)
    app = asked.application
    known, everything = (app.architectures(), entries_for(app)) if app else (ARCHITECTURES, catalogue())
    entries = tuple(for_balancer(entry, choice.name, known) for entry in everything)
    check_selection(asked.selection, entries, known)
    whole = asked.selection  # kept in every part: it is how their merged page knows what it is the whole of
    if asked.shard is not None:
        asked = _part(asked, entries, asked.shard)
    matrix = msgspec.structs.replace(_known(asked, entries), asked=whole)
    board = board_of(matrix, entries, asked.selection)
    if not board.families:
        raise UsageError(
            "no scenario is left of that selection",
            why="none of these scenarios has one of these architectures",
            next_step="twinshop list",
        )
    launcher = launcher or Processes(asked.folder, asked.engine, app.file if app else None)
    interrupted = _run(asked, entries, matrix, launcher, say)
    matrix = read_understood(asked.folder)  # from the file: there it is, whatever ended the campaign
    write_matrix(asked.folder, matrix)
    # Claims are of the twins, and decided over all scenarios.
    claimed = () if asked.selection.options() or app else decisions(matrix, entries)
    page = write_page(asked.folder, matrix, entries, claimed, asked.selection)
    return MatrixDone(board_of(matrix, entries, asked.selection), page, interrupted)


def for_balancer(entry: Entry, balancer: str, architectures: Mapping[str, Architecture] = ARCHITECTURES) -> Entry:
    """The entry without the architectures that the balancer cannot serve, and why, for their cells."""
    scenario, wanted = entry.scenario, asked_of_balancer(entry.scenario)
    # A scenario that names a balancer of its own has that one, unless the matrix is of another than the default.
    own = scenario.balancer if balancer == DEFAULT_BALANCER else ""
    known = balancer_named(own or balancer)
    whys = {name: known.cannot_serve(architectures[name].affinity, wanted) for name in scenario.architectures}
    left = tuple(name for name, why in whys.items() if not why)
    without = scenario.without | {name: why for name, why in whys.items() if why}
    return msgspec.structs.replace(
        entry, scenario=msgspec.structs.replace(scenario, architectures=left, without=without)
    )


def _run(
    asked: MatrixRequest, entries: tuple[Entry, ...], matrix: Matrix, launcher: Launcher,
    say: Callable[[str], None],
) -> Interrupted | None:  # fmt: skip
    jobs = jobs_for(entries, asked.selection, matrix, again=asked.again, timed=timed())
    write_matrix(asked.folder, matrix)
    cells = sum(len(job.architectures) for job in jobs)
    machines = launcher.machines()
    # On one machine cheapest first, so that most is known early; on several nobody is to wait for the longest.
    jobs = jobs if machines is None else longest_first(jobs)
    say(
        f"{counted(len(jobs), 'scenario')}, {counted(cells, 'cell')} to run, "
        f"{how_long(jobs, matrix.side_by_side, machines)}"
    )
    return carried_out(MatrixCampaign(asked.folder, matrix, keys_of(entries, matrix)), launcher, jobs, say)


def _part(asked: MatrixRequest, entries: tuple[Entry, ...], shard: Shard) -> MatrixRequest:
    """Only the shard's scenarios.

    Raises:
        UsageError: there are more shards than scenarios.
    """
    # Of all that was asked for, as if nothing of it were done: whoever goes on with a part must find the same part.
    nothing_done = Matrix(seed=asked.seed, engine=asked.engine, twinshop=twinshop_version())
    jobs = jobs_for(entries, asked.selection, nothing_done, timed=timed())
    mine = tuple(job.scenario for job in of_shard(jobs, shard))
    if not mine:
        raise UsageError(
            f"shard {shard.number}/{shard.of} is empty",
            why=f"{counted(len(jobs), 'scenario is', 'scenarios are')} asked for",
            next_step=f"--shard 1/{max(1, len(jobs))}",
        )
    return msgspec.structs.replace(asked, selection=msgspec.structs.replace(asked.selection, scenarios=mine))


def _known(asked: MatrixRequest, entries: tuple[Entry, ...]) -> Matrix:
    """What was run already and still counts, under the seed and engine that are asked for now."""
    make_campaign_folder(asked.folder)
    fresh = Matrix(
        seed=asked.seed,
        engine=asked.engine,
        balancer=asked.balancer,
        twinshop=twinshop_version(),
        side_by_side=asked.side_by_side or default_side_by_side(),
    )
    if not (asked.folder / FILE).is_file():
        return fresh
    scenarios = {entry.scenario.name: entry.scenario for entry in entries}
    kept = tuple(
        cell
        for cell in current_cells(read_matrix(asked.folder), keys_of(entries, fresh))
        if not (asked.fresh and asked.selection.holds(scenarios[cell.scenario], cell.architecture))
    )
    return fresh.with_cells(kept)


def timed() -> frozenset[str]:
    """Scenarios whose times decide a claim: nothing may run beside them."""
    named = {reference for claim in all_claims() for case in claim.case for reference in references(case.holds)}
    return frozenset(reference.scenario for reference in named if reference.measure in TIMES)


def decisions(matrix: Matrix, entries: tuple[Entry, ...]) -> tuple[Decision, ...]:
    """The claims, decided from what was run with the scenarios as they are now."""
    current = current_cells(matrix, keys_of(entries, matrix))
    return decide_all(all_claims(), {cell.place: cell for cell in current})
