"""As `scripted`, in a hurry and with large frames: whoever does not read fills every buffer within seconds."""

from __future__ import annotations

import sys
from pathlib import Path

from loadtests.model.run_folder import read_document
from loadtests.workshop.contract import FaultMark, Frame, SideFrame
from loadtests.workshop.dashboard import broadcaster
from loadtests.workshop.dashboard.server import serve
from loadtests.workshop.dashboard_assignment import DashboardAssignment
from tests.loadtests.workshop.dashboard.scripted import ScriptedPicture


class Flood(ScriptedPicture):
    def advance(self, now_us: int, *, over: bool = False) -> Frame | None:
        frame = super().advance(now_us, over=over)
        if frame is None:
            return None
        large = SideFrame(marks=(FaultMark(0, "kill", "x" * 20_000, "observed", 1, ""),))
        return Frame(frame.at_ms, large, large)


if __name__ == "__main__":
    broadcaster.STEP_US = 5_000
    broadcaster.LOOK_EVERY_S = 0.005
    broadcaster.FALLEN_BEHIND_STEPS = 10_000
    serve(read_document(Path(sys.argv[1]), DashboardAssignment), make_live=Flood)
