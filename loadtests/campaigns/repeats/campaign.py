"""What repeats tell the runner: a finished job is a block, of each architecture one number a measure."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from loadtests.campaigns.repeats.repeats import Block, Shot, Turn
from loadtests.campaigns.runner import Campaign, CampaignProgress, Outcome, RunJob
from loadtests.checks import MEASURES
from loadtests.judging.thresholds import fired
from loadtests.judging.verdict import NOTHING_PREDICTED
from loadtests.model.events import LoadSample, RunInterrupted, read_events
from loadtests.model.plan import Control
from loadtests.model.results import ArchitectureResult, Results
from loadtests.model.run_folder import RunFolder, read_document
from shared.errors import RunFolderError, TwinshopError

MOST_FAILURES = 3  # so many blocks in a row that could not be measured are the machine's last word
WORDS = {"fault": "", "no-fault": ", control without faults", "placebo": ", control with a placebo", "again": ", again"}
CONTROLS: dict[str, Control] = {"no-fault": "no-fault", "placebo": "placebo"}


class BlockJob(RunJob, frozen=True, kw_only=True):
    """The job of a turn."""

    turn: Turn


def job_of(scenario: str, turn: Turn, each_s: float, balancer: str = "") -> BlockJob:
    """The run that a turn asks for; `each_s` is what one architecture takes, about."""
    return BlockJob(
        scenario, turn.architectures, turn.seed, each_s * len(turn.architectures),
        alone=True,  # a neighbour would be noise in some blocks and not in others
        together=f"block {turn.number}",  # a control is held against its block: both are of one machine
        control=CONTROLS.get(turn.kind, ""), balancer=balancer, turn=turn,
    )  # fmt: skip


class RepeatsCampaign(Campaign[BlockJob]):
    """Makes blocks; `blocks` is what is known so far."""

    def __init__(
        self, folder: Path, turns: int, measures: Sequence[str], planned: Callable[[RunJob], str],
        say: Callable[[str], None],
    ) -> None:  # fmt: skip
        """`turns`: of all blocks, the last one's number. `planned`: the SHA-256 of the plan a job should have."""
        self.blocks: list[Block] = []
        self._folder = folder
        self._turns = turns
        self._measures = measures
        self._planned = planned
        self._say = say
        self._failures = 0

    def keep(self, job: BlockJob, outcome: Outcome) -> None:
        """Make its block, or one of which there is nothing."""
        planned = self._planned(job)
        if outcome.error:
            self._say(f"block {job.turn.number} was not measured: {outcome.error}; the others go on")
            self.blocks.append(_not_measured(job.turn, planned, outcome.error))
            return
        self._failures = 0
        self.blocks.append(read_block(job.turn, planned, self._folder / outcome.run, self._measures, outcome.machine))

    def in_turn(self, jobs: Sequence[BlockJob]) -> list[Block]:
        """The blocks as they were asked for; several machines end them in another order."""
        places = {(job.turn.number, job.turn.kind): place for place, job in enumerate(jobs)}
        return sorted(self.blocks, key=lambda block: places[block.number, block.kind])

    def bears(self, error: TwinshopError) -> bool:
        """Not if it is the first, and not several in a row."""
        self._failures += 1
        # What the first one meets, a balancer that does not start, say, all others would meet as well.
        return bool(self.blocks) and self._failures < MOST_FAILURES

    def before(self, job: BlockJob, progress: CampaignProgress) -> str:
        """Which block it is, and how long it all will take."""
        left_s = progress.left_s
        minutes = f"about {left_s / 60:.0f} min left" if left_s >= 90 else f"about {left_s:.0f} s left"
        block = f"block {job.turn.number} of {self._turns}{WORDS[job.turn.kind]}"
        return f"[{progress.number}/{progress.total}] {block}: {minutes}"


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
        turn = Turn(block.number, block.kind, block.seed, block.order)
        fresh = read_block(turn, block.planned_sha256, folder / block.run, measures, block.machine)
        if fresh.plan_sha256 != block.plan_sha256:  # two folders of one campaign changed places, say
            raise RunFolderError(
                f"{block.run} is not the run of block {block.number}",
                why="it was carried out with another plan",
                next_step="repeat the scenario again: a folder that was put together otherwise proves nothing",
            )
        found.append(fresh)
    return found


def read_block(
    turn: Turn, planned_sha256: str, folder: Path, measures: Sequence[str], machine: str = ""
) -> Block:  # fmt: skip
    """The block that was measured in this run folder; `planned_sha256` names the plan that it should have had.

    Raises:
        RunFolderError: a file of the run is missing or damaged.
    """
    run = RunFolder(folder)
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
        for name in turn.architectures
        if name in results.architectures and name not in cut
    )
    missing = [name for name in turn.architectures if name not in {shot.architecture for shot in shots}]
    error = "; ".join(f"{name} was not measured: {cut.get(name, 'the block ended before')}" for name in missing)
    return Block(
        turn.number, turn.kind, turn.seed, folder.name, planned_sha256, results.plan_sha256, turn.architectures,
        results.verdict, shots, error, bool(fired(results)), machine,
    )  # fmt: skip


def _not_measured(turn: Turn, planned_sha256: str, error: str) -> Block:
    return Block(
        turn.number, turn.kind, turn.seed, "", planned_sha256, "", turn.architectures, "inconclusive", (), error
    )


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
