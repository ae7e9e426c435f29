"""`python -m tests.loadtests.workshop.dashboard.made_up_server ASSIGNMENT`: the real dashboard and a made-up round."""

from __future__ import annotations

import sys
from collections import deque
from pathlib import Path

from loadtests.model.results import Loss
from loadtests.model.run_folder import read_document
from loadtests.workshop.contract import Frame, Picture, Round, SideName, applied, empty_picture
from loadtests.workshop.dashboard.server import serve
from loadtests.workshop.dashboard_assignment import DashboardAssignment
from tests.loadtests.workshop.dashboard.made_up_round import frames, loss, losses


class MadeUpPicture:
    """One frame at each step, until there are no more: up to the round's window."""

    def __init__(self, said: Round) -> None:
        self._left = deque(frames(said.window_ms))
        self._picture = empty_picture(said.number)

    def advance(self, now_us: int, *, over: bool = False) -> Frame | None:
        if over or not self._left:
            return None
        frame = self._left.popleft()
        self._picture = applied(self._picture, frame)
        return frame

    def picture(self) -> Picture:
        return self._picture

    def loss(self, side: SideName, number: int) -> Loss | None:
        return loss(number) if side == "left" and number < len(losses()) else None

    def close(self) -> None:
        pass


if __name__ == "__main__":
    serve(read_document(Path(sys.argv[1]), DashboardAssignment), make_live=MadeUpPicture)
