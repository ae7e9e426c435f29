"""What the matrix tells the runner: a finished job fills a cell for each of its architectures, in `matrix.json`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from loadtests.campaigns.cells import Cell, CellKey, Matrix, cell_of, write_matrix
from loadtests.campaigns.runner import Campaign, CampaignProgress, Outcome, RunJob
from loadtests.model.results import Results
from loadtests.model.run_folder import RunFolder, read_document
from shared.errors import RunFolderError


class MatrixCampaign(Campaign[RunJob]):
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
        write_matrix(self._folder, self.matrix)
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
        if outcome.interrupted:
            return tuple(cells)
        cut = outcome.cut or ({} if cells else dict.fromkeys(job.architectures, problem or "nothing came of it"))
        cells += [
            Cell(job.scenario, name, "not run", why=problem or why, key=key, run=outcome.run)
            for name, why in cut.items()
            if name in job.architectures
        ]
        return tuple(cells)
