"""Repeats that nobody ran: blocks from numbers, so that what they come to is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from loadtests.campaigns.repeats.repeats import Asked, Block, Shot, blocks_asked

NAMES = ("sticky-memory", "redis")
PLAN = "5eed" * 16

Value = Callable[[str, int, str], float]
"""From architecture, block and kind to a measure's number."""


def asked(repeats: int = 20, names: Sequence[str] = NAMES, measures: Sequence[str] = ("logged_out",)) -> Asked:
    return Asked(
        scenario="node-kill", name="node-kill", question="Who gets logged out when a node dies?",
        headline=measures[0], faults=("kill",), architectures=tuple(names), repeats=repeats, seed=1,
        engine="processes", shoppers=60, workers=1, measures=tuple(measures), started="2026-11-21T12:00:00Z",
        command=("twinshop", "run", "node-kill", "--repeat", str(repeats)), versions={"Twinshop": "0.1.0"},
    )  # fmt: skip


def blocks_of(of: Asked, value: Value | dict[str, Value]) -> list[Block]:
    """All blocks and controls of that, each plan being its seed's."""
    by_measure = value if isinstance(value, dict) else dict.fromkeys(of.measures, value)
    found = []
    for block in blocks_asked(of.architectures, of.repeats, of.seed):
        shots = tuple(
            Shot(
                name, "as predicted",
                {measure: float(make(name, block.number, block.kind)) for measure, make in by_measure.items()},
                "", 12.0, 0,
            )
            for name in block.order
        )  # fmt: skip
        plan = f"{block.seed:04d}{'' if block.kind in ('fault', 'again') else block.kind}{PLAN}"
        found.append(
            msgspec.structs.replace(
                block, run=f"{block.number}-{block.kind}", planned_sha256=plan, plan_sha256=plan,
                verdict="as predicted", shots=shots,
            )
        )  # fmt: skip
    return found


def twenty_more(name: str, block: int, kind: str) -> float:
    """A fault logs out 20 or so in the first architecture and nobody in the second; without one nobody is."""
    if kind in ("no-fault", "placebo") or name != NAMES[0]:
        return 0.0
    return 20.0 + (block * 4 + (kind == "again") * 3) % 7 - 3


def changed(blocks: Sequence[Block], number: int, kind: str = "fault", **changes: Any) -> list[Block]:
    """The blocks with changes to one of them."""
    return [
        msgspec.structs.replace(block, **changes) if (block.number, block.kind) == (number, kind) else block
        for block in blocks
    ]


def reshot(blocks: Sequence[Block], number: int, name: str, kind: str = "fault", **changes: Any) -> list[Block]:
    """The blocks with changes to one architecture's part of one of them."""
    (block,) = [each for each in blocks if (each.number, each.kind) == (number, kind)]
    shots = tuple(
        msgspec.structs.replace(shot, **changes) if shot.architecture == name else shot for shot in block.shots
    )
    return changed(blocks, number, kind, shots=shots)
