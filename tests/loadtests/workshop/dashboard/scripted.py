"""A workshop made up without clusters: `workshop.json` by hand, and a picture in which something changes at each step.

`python -m tests.loadtests.workshop.dashboard.scripted ASSIGNMENT` serves it as the real dashboard does.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import msgspec

from loadtests.model.results import Loss, WitnessEvent
from loadtests.model.run_folder import read_document
from loadtests.workshop.contract import (
    WORKSHOP_SCHEMA,
    Button,
    Frame,
    Guest,
    LiveCounts,
    LiveFault,
    LossView,
    Phase,
    Picture,
    Round,
    RoundSide,
    ShopperView,
    SideFrame,
    SideName,
    Workshop,
    applied,
    empty_picture,
)
from loadtests.workshop.dashboard.server import serve
from loadtests.workshop.dashboard_assignment import DashboardAssignment
from shared.whole_file import write_whole

EPISODE = "kill-one-of-three"
SHOPPERS = 30
LOSS = Loss("logged_out", 7, 1234.5, "n1", "node_killed", (WitnessEvent(1000.0, "SECRET-WITNESS"),))


class ScriptedPicture:
    """At each step another shopper is logged out, on both sides; nothing is read from files."""

    def __init__(self, said: Round) -> None:
        self._epoch_us = said.epoch_us
        self._picture = empty_picture(said.number)
        self._steps = 0

    def advance(self, now_us: int, *, over: bool = False) -> Frame | None:
        if over:
            return None
        self._steps += 1
        frame = frame_of(self._steps, (now_us - self._epoch_us) // 1000)
        self._picture = applied(self._picture, frame)
        return frame

    def picture(self) -> Picture:
        return self._picture

    def loss(self, side: SideName, number: int) -> Loss | None:
        return LOSS if number < self._steps else None

    def close(self) -> None:
        pass


def frame_of(step: int, at_ms: int) -> Frame:
    """What changes at that step."""
    shopper = step % SHOPPERS + 1
    views = (ShopperView(shopper, f"n{step % 3 + 1}", "logged_out" if step % 2 else "shopping", True),)
    counts = LiveCounts(logged_out=step, actions=7 * step, shoppers=SHOPPERS)
    losses = (LossView(step - 1, "logged_out", shopper, at_ms, "node_killed"),)
    side = SideFrame(shoppers=views, counts=counts, losses=losses)
    return Frame(at_ms, side, side)


def a_side(name: SideName, architecture: str) -> RoundSide:
    nodes = ("n1", "n2", "n3")
    return RoundSide(
        name, architecture, name == "left", f"http://{name}.localhost:1", nodes, (*nodes, "balancer"),
        (Guest("user-0031", "SECRET-PASSWORD"),),
    )  # fmt: skip


def a_round(folder: Path, phase: Phase = "run", **fields: Any) -> Round:
    """A round of the second episode, in which a node is dead and people have shopped for two seconds."""
    button = Button("kill", "Kill", "A node is killed.", "node", "#000000")
    shopping = phase not in ("starting", "predict")
    sides = (a_side("left", "sticky-memory"), a_side("right", "redis"))
    said = Round(
        1, phase, EPISODE, str(folder), sides, SHOPPERS, (button,),
        broken=(LiveFault(0, ("left",), "kill", "n1"),) if shopping else (),
        epoch_us=time.time_ns() // 1000 - 2_000_000 if shopping else 0, window_ms=600_000,
    )  # fmt: skip
    return msgspec.structs.replace(said, **fields)


def a_workshop(said: Round, *, version: int = 1, predict: bool = True) -> Workshop:
    return Workshop(WORKSHOP_SCHEMA, version, predict, said, (EPISODE,))


def write_workshop(path: Path, workshop: Workshop) -> None:
    write_whole(path, msgspec.json.encode(workshop))


if __name__ == "__main__":
    serve(read_document(Path(sys.argv[1]), DashboardAssignment), make_live=ScriptedPicture)
