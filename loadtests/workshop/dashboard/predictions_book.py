"""Who has committed a prediction in the present round: once each, on the disk first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from loadtests.workshop.contract import Prediction
from loadtests.workshop.dashboard.refusals import Refusal
from loadtests.workshop.predictions import append_prediction, read_predictions

MOST_PREDICTIONS = 1000
"""In a round: far more than a room has people."""

Write = Callable[[Path, Prediction], object]


class PredictionsBook:
    """The predictions of one round. Begun again for the same folder, it knows what was committed before."""

    def __init__(self, folder: Path, write: Write = append_prediction) -> None:
        self._folder = folder
        self._write = write
        self._all = {it.who: it for it in reversed(read_predictions(folder))}
        self._under_way: set[str] = set()

    def has(self, who: str) -> bool:
        """Whether they have committed one."""
        return who in self._all

    def all(self) -> tuple[Prediction, ...]:
        """Every one, in the order of time."""
        return tuple(sorted(self._all.values(), key=lambda it: it.at_us))

    def commit(self, prediction: Prediction) -> None:
        """Write it down for good. `write` may let other requests run: who asks twice meanwhile is refused, too.

        Raises:
            Refusal: they have committed one, too many have, or it cannot be written.
        """
        who = prediction.who
        if who in self._all or who in self._under_way:
            raise Refusal(
                409, "you have committed a prediction already", why="once each in a round, and it cannot be changed",
                next_step="see what happens",
            )  # fmt: skip
        if len(self._all) + len(self._under_way) >= MOST_PREDICTIONS:
            raise Refusal(429, "there are too many predictions", why=f"a round takes {MOST_PREDICTIONS}")
        self._under_way.add(who)
        try:
            self._write(self._folder, prediction)
        except OSError as error:
            why = error.strerror or str(error)
            raise Refusal(507, "your prediction could not be written down", why=why, next_step="try again") from error
        else:
            self._all[who] = prediction
        finally:
            self._under_way.discard(who)
