"""The run that is exported: judged again, so that no export can say something else than its history does."""

import shlex
from pathlib import Path

import msgspec

from loadtests.judging.judge import judge
from loadtests.judging.verdict import fired
from loadtests.model.results import Results, Threshold
from loadtests.model.run_folder import Provenance, RunFolder


class JudgedRun(msgspec.Struct, frozen=True):
    """A run's folder, where it comes from, and what was found in it."""

    folder: RunFolder
    provenance: Provenance
    results: Results

    @property
    def missing(self) -> tuple[str, ...]:
        """Architectures that were asked for and never begun."""
        return tuple(name for name in self.provenance.architectures if name not in self.results.architectures)

    @property
    def fired(self) -> list[tuple[str, Threshold]]:
        """The thresholds that fired, by architecture."""
        return fired(self.results)

    @property
    def command(self) -> str:
        """Runs it again."""
        return shlex.join(self.provenance.command)


def judged_run(folder: Path) -> JudgedRun:
    """The run of that folder; writes nothing.

    Raises:
        RunFolderError: a file of the run is missing or damaged.
    """
    run = RunFolder(folder)
    return JudgedRun(run, run.read_provenance(), judge(folder))
