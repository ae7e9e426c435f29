"""The picture of the present round, moved on in time; `loadtests.workshop.live` makes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from loadtests.model.results import Loss
from loadtests.workshop.contract import Frame, Picture, Round, SideName

STEP_US = 250_000
"""At most four frames a second."""
AFTERWARDS_US = 60_000_000
"""After the load window something still comes: the last audit."""


class Live(Protocol):
    """What the dashboard needs of a picture that grows; `loadtests.workshop.live.LivePicture`."""

    def advance(self, now_us: int, *, over: bool = False) -> Frame | None:
        """What has changed up to then (wall clock); None: nothing. `over`: nothing is written any more."""

    def picture(self) -> Picture:
        """Everything up to the last frame."""

    def loss(self, side: SideName, number: int) -> Loss | None:
        """A loss with its witness; None: there is none of that number."""

    def close(self) -> None:
        """Let go of the files."""


MakeLive = Callable[[Round], Live]


class ShownRound:
    """One round's picture, moved on in steps of the same length: after a restart they come to much the same frames."""

    def __init__(self, said: Round, make: MakeLive) -> None:
        self.epoch_us = said.epoch_us
        self._live = make(said)
        self._at_us = said.epoch_us
        self._end_us = said.epoch_us + said.window_ms * 1000 + AFTERWARDS_US
        self._ended = False

    def behind(self, now_us: int) -> bool:
        """Whether there is a step to be made up to now."""
        return self._at_us + STEP_US <= now_us and not self._ended

    def step(self, now_us: int) -> Frame | None:
        """One step; None: nothing has changed in it. Long after the round, all of the time up to now is one step."""
        self._at_us = self._at_us + STEP_US if self._at_us < self._end_us else now_us
        return self._live.advance(self._at_us)

    def end(self) -> Frame | None:
        """The round is closed, and nothing more is written: what is left, until it is None. Safe to repeat."""
        frame = None if self._ended else self._live.advance(self._at_us, over=True)
        self._ended = frame is None
        return frame

    def picture(self) -> Picture:
        """Everything up to the last step."""
        return self._live.picture()

    def as_one_frame(self) -> Frame:
        """What all frames up to the last step come to."""
        picture = self._live.picture()
        return Frame(picture.at_ms, picture.left, picture.right)

    def loss(self, side: SideName, number: int) -> Loss | None:
        """A loss with its witness; None: there is none of that number."""
        return self._live.loss(side, number)

    def close(self) -> None:
        """Let go of the round's files."""
        self._live.close()
