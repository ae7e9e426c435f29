"""A catalogue, cells and runs made up without starting anything."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from itertools import count
from pathlib import Path

import msgspec

from loadtests.campaigns.cells import Cell, CellKey, Matrix
from loadtests.campaigns.jobs import Entry
from loadtests.campaigns.runner import Launcher, Outcome, RunJob
from loadtests.model.results import ArchitectureResult, LogoutCounts, Prediction, Results, VerdictWord
from loadtests.model.run_folder import RunFolder
from loadtests.planning.scenario_file import read_scenario
from shared.errors import Interrupted
from tests.loadtests.example_result import UNEVENTFUL

CALM = """\
question = "Does anybody lose anything?"
family = "control"
architectures = ["sticky-memory", "redis"]
[load]
shoppers = 60
seconds = 2
[expect.sticky-memory]
logged_out = "0"
[expect.redis]
logged_out = "0"
"""
KILL = """\
question = "Who is logged out?"
family = "availability"
architectures = ["sticky-memory", "redis"]
[without]
signed-token = "it is asked elsewhere"
[load]
shoppers = 60
seconds = 5
[expect.sticky-memory]
logged_out = "at_risk"
[expect.redis]
logged_out = "0"
"""
COST = """\
question = "What does a request cost?"
family = "cost"
headline = "p50_ms"
architectures = ["redis"]
[load]
seconds = 2
[expect.redis]
p50_ms = "< 50"
"""


def entry(name: str, text: str) -> Entry:
    content = text.encode()
    return Entry(read_scenario(content, file=f"{name}.toml", name=name), hashlib.sha256(content).hexdigest())


_NUMBERS = count(1)
CATALOGUE = (entry("kill", KILL), entry("calm", CALM), entry("cost", COST))
MATRIX = Matrix(seed=1, engine="processes", twinshop="0.1.0")


def key(name: str) -> CellKey:
    (found,) = (it for it in CATALOGUE if it.scenario.name == name)
    return CellKey(found.sha256, MATRIX.seed, MATRIX.engine, MATRIX.twinshop)


def cell(
    scenario: str, architecture: str, word: VerdictWord = "as predicted", *, out: int = 0, predicted: str = "0"
) -> Cell:
    """As if it had been run."""
    return Cell(
        scenario,
        architecture,
        word,
        why="" if word == "as predicted" else "a reason",
        key=key(scenario),
        run=f"20261121-000000-{scenario}-1",
        shoppers=60,
        nodes=3,
        at_risk=out,
        predictions=(Prediction("logged_out", predicted, float(out), float(out), word == "as predicted"),),
        measures={"logged_out": float(out), "p50_ms": 12.5},
    )


def result(out: int = 0) -> ArchitectureResult:
    holds = Prediction("logged_out", str(out), float(out), float(out), True)
    return msgspec.structs.replace(UNEVENTFUL, logged_out=LogoutCounts(out, out, 0), at_risk=out, predictions=(holds,))


class FakeRun:
    """A run that ends at once, or never."""

    def __init__(self, job: RunJob, ending: Outcome | None, told: list[str]) -> None:
        self.job = job
        self._ending = ending
        self._told = told

    def ending(self) -> Outcome | None:
        if self._ending is not None:
            self._told.append(f"end {self.job.scenario}")
        return self._ending

    def interrupt(self) -> None:
        self._told.append(f"interrupt {self.job.scenario}")
        self._ending = Outcome(interrupted=True)

    def kill(self) -> None:
        self._told.append(f"kill {self.job.scenario}")


class FakeLauncher(Launcher):
    """Writes results as a run would, without running anything; `breaks` names architectures at which a run fails."""

    def __init__(
        self, folder: Path, *, breaks: dict[str, str] | None = None, hangs: str = "", interrupted_at: str = ""
    ) -> None:
        self.told: list[str] = []
        self.jobs: list[RunJob] = []
        self._folder = folder
        self._breaks = breaks or {}
        self._hangs = hangs
        self._interrupted_at = interrupted_at

    def clear_away(self, say: Callable[[str], None]) -> None:
        self.told.append("recover")

    def start(self, job: RunJob) -> FakeRun:
        self.jobs.append(job)
        self.told.append(f"start {job.scenario}")
        if job.scenario == self._interrupted_at:
            raise Interrupted("interrupted by SIGINT")
        return FakeRun(job, None if job.scenario == self._hangs else self._ending(job), self.told)

    def _ending(self, job: RunJob) -> Outcome:
        measured: list[str] = []
        for name in job.architectures:
            if name in self._breaks:
                run = self._write(job, measured)
                return Outcome(run, tuple(measured), {name: self._breaks[name]}, error=self._breaks[name])
            measured.append(name)
        return Outcome(self._write(job, measured), tuple(measured))

    def _write(self, job: RunJob, measured: list[str]) -> str:
        files = RunFolder(self._folder / f"20261121-{next(_NUMBERS):06}-{job.scenario}-1")
        files.root.mkdir()
        found = {name: result(20 if (job.scenario, name) == ("kill", "sticky-memory") else 0) for name in measured}
        results = Results(2, job.scenario, "Why?", 1, "0" * 64, "processes", 60, 3, "as predicted", "Nobody.", found)
        files.results.write_bytes(msgspec.json.encode(results))
        files.report.write_text("<!doctype html>")
        return files.root.name
