"""Carries out the turns, one after the other, and keeps what comes of each. One that fails takes no other with it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from loadtests.campaigns.repeats.block import not_measured, read_block
from loadtests.campaigns.repeats.order import Turn
from loadtests.campaigns.repeats.repeats import Block
from loadtests.running.run import Finished
from shared.errors import Interrupted, RunFolderError, TwinshopError, UsageError

MOST_FAILURES = 3
"""So many blocks in a row that could not be measured are the machine's last word."""
WORDS = {"fault": "", "no-fault": ", control without faults", "placebo": ", control with a placebo", "again": ", again"}


class Runner(Protocol):
    """Carries out one turn as a run of its own."""

    def planned(self, turn: Turn) -> str:
        """The SHA-256 of the plan that it should have."""

    def run(self, turn: Turn) -> Finished:
        """Run it.

        Raises:
            TwinshopError: nothing could be measured.
        """


class Conductor:
    """Carries out turns; `blocks` is what is known so far."""

    def __init__(self, runner: Runner, measures: Sequence[str], say: Callable[[str], None]) -> None:
        self.blocks: list[Block] = []
        self._runner = runner
        self._measures = measures
        self._say = say
        self._failures = 0
        self._took_s = 0.0
        self._ended = 0

    def carry_out(self, turns: Sequence[Turn], each_s: float) -> None:
        """Run them all; `each_s` is what one architecture takes, about.

        Raises:
            Interrupted: Ctrl-C; the finished blocks are in `blocks`.
            TwinshopError: the first block, or several in a row, could not be measured.
        """
        for number, turn in enumerate(turns):
            self._say(self._told(turns, number, each_s))
            began = time.monotonic()
            self._one(turn)
            self._took_s += time.monotonic() - began
            self._ended += len(turn.architectures)

    def _one(self, turn: Turn) -> None:
        planned = self._runner.planned(turn)
        try:
            finished = self._runner.run(turn)
        except (Interrupted, UsageError):
            raise
        except TwinshopError as error:
            self._failures += 1
            if not self.blocks or self._failures == MOST_FAILURES:
                raise
            self._say(f"block {turn.number} was not measured: {error.what}; the others go on")
            self.blocks.append(not_measured(turn, planned, error.what))
            return
        if finished.interrupted is not None:
            raise finished.interrupted  # its run folder stays, but a block that was cut short is none
        self._failures = 0
        self.blocks.append(read_block(turn, planned, finished.folder.root, self._measures))

    def _told(self, turns: Sequence[Turn], number: int, each_s: float) -> str:
        turn = turns[number]
        blocks = max(each.number for each in turns)
        one_s = self._took_s / self._ended if self._ended else each_s
        left_s = one_s * sum(len(each.architectures) for each in turns[number:])
        minutes = f"about {left_s / 60:.0f} min left" if left_s >= 90 else f"about {left_s:.0f} s left"
        return f"[{number + 1}/{len(turns)}] block {turn.number} of {blocks}{WORDS[turn.kind]}: {minutes}"


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
        fresh = read_block(turn, block.planned_sha256, folder / block.run, measures)
        if fresh.plan_sha256 != block.plan_sha256:
            raise RunFolderError(
                f"{block.run} is not the run of block {block.number}",
                why="it was carried out with another plan",
                next_step="repeat the scenario again: a folder that was put together otherwise proves nothing",
            )
        found.append(fresh)
    return found
