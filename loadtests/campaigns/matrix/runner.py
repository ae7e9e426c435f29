"""Carries out the jobs, as many side by side as allowed, and keeps what comes of each at once.

Whatever happens to one run, the others go on. An interruption ends all that goes on, keeps what was measured, and is
raised again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from loadtests.campaigns.cells import Cell, Matrix, cell_of, write_matrix
from loadtests.campaigns.jobs import Job, expected_seconds
from loadtests.campaigns.matrix.launch import Launcher, Running
from loadtests.campaigns.matrix.one_run import Ending
from loadtests.model.results import Results
from loadtests.model.run_folder import RunFolder, read_document
from shared.errors import Interrupted, RunFolderError

POLL_S = 0.1
ENDS_WITHIN_S = 20.0
"""After an interruption: stopping takes five seconds at most, judging what there is some more."""
SLACK_S = 300.0
LONGER = 5.0
"""A run that takes this many times as long as expected, and `SLACK_S` beyond, hangs where none of its own bounds has
caught it: it is ended."""


class Started(msgspec.Struct, frozen=True):
    """A run that goes on, and until when it may."""

    running: Running
    began: float
    until: float


class Conductor:
    """Carries out jobs; `matrix` is what is known so far."""

    def __init__(
        self, folder: Path, matrix: Matrix, launcher: Launcher, say: Callable[[str], None], recover: Callable[[], None]
    ) -> None:
        self.matrix = matrix
        self._folder = folder
        self._launcher = launcher
        self._say = say
        self._recover = recover
        self._going: list[Started] = []
        self._waiting: list[Job] = []
        self._ended = 0
        self._expected_s = self._took_s = 0.0

    def carry_out(self, jobs: Iterable[Job]) -> None:
        """Run them all.

        Raises:
            Interrupted: Ctrl-C; everything is stopped, and what was measured is in `matrix` and in its file.
        """
        self._waiting = list(jobs)
        try:
            while self._waiting or self._going:
                self._start_what_may()
                self._take_what_ended()
                time.sleep(POLL_S)
        except Interrupted:
            self._end_all()
            raise
        except BaseException:
            self._kill_all()
            raise

    def _start_what_may(self) -> None:
        while self._waiting and self._has_room_for(self._waiting[0]):
            job = self._waiting.pop(0)
            now = time.monotonic()
            self._going.append(Started(self._launcher.start(job), now, now + LONGER * job.seconds + SLACK_S))

    def _has_room_for(self, job: Job) -> bool:
        if not self._going:
            return True
        alone = job.alone or any(it.running.job.alone for it in self._going)
        return not alone and len(self._going) < self.matrix.side_by_side

    def _take_what_ended(self) -> None:
        for it in list(self._going):
            ending = it.running.ending()
            if ending is None and time.monotonic() > it.until:
                it.running.kill()
                self._recover()
                ending = Ending(error="it hung, and was ended")
            if ending is not None:
                self._going.remove(it)
                self._keep(it, ending)

    def _keep(self, it: Started, ending: Ending) -> None:
        job = it.running.job
        cells = self._cells(job, ending)
        done = {cell.architecture for cell in cells}
        self.matrix = self.matrix.with_cells(cells)
        write_matrix(self._folder, self.matrix)
        left = job.without(done)
        if left.architectures and not ending.interrupted:
            self._waiting.insert(0, left)  # the error was another architecture's
        for line in self._told(it, cells):
            self._say(line)

    def _cells(self, job: Job, ending: Ending) -> tuple[Cell, ...]:
        """A cell for each architecture that was measured, and for each that an error was the end of."""
        cells = []
        problem = ending.error
        if ending.measured:
            try:
                results = read_document(RunFolder(self._folder / ending.run).results, Results)
                cells += [cell_of(results, name, key=job.key, run=ending.run) for name in ending.measured]
            except (RunFolderError, KeyError) as error:
                problem = problem or f"its results cannot be read: {error}"
        if ending.interrupted:
            return tuple(cells)
        cut = ending.cut or ({} if cells else dict.fromkeys(job.architectures, problem or "nothing came of it"))
        cells += [
            Cell(job.scenario, name, "not run", why=problem or why, key=job.key, run=ending.run)
            for name, why in cut.items()
            if name in job.architectures
        ]
        return tuple(cells)

    def _told(self, it: Started, cells: tuple[Cell, ...]) -> list[str]:
        took = time.monotonic() - it.began
        self._took_s += took
        self._expected_s += it.running.job.seconds
        scenario = it.running.job.scenario
        going = [each.running.job for each in self._going]
        slower = self._took_s / self._expected_s if self._expected_s else 1.0
        left_s = slower * expected_seconds([*going, *self._waiting], self.matrix.side_by_side)
        left = f", about {left_s / 60:.0f} min left" if left_s >= 60 else ""
        self._ended += 1
        total = self._ended + len(going) + len(self._waiting)
        words = [f"{cell.architecture} {cell.word}" for cell in cells]
        return [f"[{self._ended}/{total}] {scenario} ({took:.0f} s{left}): {', '.join(words) or 'nothing'}"]

    def _end_all(self) -> None:
        for it in self._going:
            it.running.interrupt()
        until = time.monotonic() + ENDS_WITHIN_S
        while self._going and time.monotonic() < until:
            for it in list(self._going):
                ending = it.running.ending()
                if ending is not None:
                    self._going.remove(it)
                    self._keep(it, msgspec.structs.replace(ending, interrupted=True))
            time.sleep(POLL_S / 5)
        if self._going:
            self._kill_all()

    def _kill_all(self) -> None:
        for it in self._going:
            it.running.kill()
        self._going.clear()
        self._recover()
