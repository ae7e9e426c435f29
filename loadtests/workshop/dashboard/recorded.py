"""A finished run as a workshop in its last phase: the same page, without clusters and without a harness."""

from __future__ import annotations

from collections import deque
from pathlib import Path

from msgspec.structs import replace

from loadtests.model.results import Loss, Results
from loadtests.model.run_folder import RunFolder, read_document
from loadtests.workshop.contract import WORKSHOP_SCHEMA, Frame, LossView, Picture, SideName, Workshop
from loadtests.workshop.dashboard.episode_card import episodes_by_name
from loadtests.workshop.live import Recording, applied, empty_picture

EPOCH_US = 1
"""The zero of a recorded run: so long ago that all of it is over."""


class RecordedPicture:
    """Shows a recording's frames in the time that they took."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._left = deque(recording.frames)
        self._picture = empty_picture(recording.round.number)
        self._results: Results | None = None

    def advance(self, now_us: int, *, over: bool = False) -> Frame | None:
        """The next frame, if its time has come."""
        if not self._left or (self._left[0][0] * 1000 > now_us - EPOCH_US and not over):
            return None
        _at_ms, frame = self._left.popleft()
        self._picture = applied(self._picture, frame)
        return frame

    def picture(self) -> Picture:
        """Everything up to the last frame."""
        return self._picture

    def loss(self, side: SideName, number: int) -> Loss | None:
        """A loss with its witness, as results.json has it; None: there is none of that number."""
        views = (self._picture.left if side == "left" else self._picture.right).losses
        view = next((view for view in views if view.loss == number), None)
        return None if view is None else next((loss for loss in self._losses(side) if _is(loss, view)), None)

    def close(self) -> None:
        """Nothing is held."""

    def _losses(self, side: SideName) -> tuple[Loss, ...]:
        if self._results is None:
            self._results = read_document(RunFolder(Path(self._recording.round.folder)).results, Results)
        architecture = next(it.architecture for it in self._recording.round.sides if it.side == side)
        return self._results.architectures[architecture].losses


def recorded_workshop(recording: Recording) -> Workshop:
    """The workshop of which that is the only round."""
    said = recording.round
    known = episodes_by_name().get(said.episode)
    shown = replace(said, epoch_us=EPOCH_US, episode=known.name if known else "")
    return Workshop(WORKSHOP_SCHEMA, 1, False, shown, ())


def _is(loss: Loss, view: LossView) -> bool:
    return (loss.kind, loss.shopper, round(loss.at_ms)) == (view.kind, view.shopper, view.at_ms)
