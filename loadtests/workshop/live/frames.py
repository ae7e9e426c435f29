"""The picture of a round while it goes on, and the frames that it is made of."""

from __future__ import annotations

from pathlib import Path

from compose.cluster import WIRES
from loadtests.model.results import Loss
from loadtests.workshop.contract import SIDES, Frame, Picture, Round, Side, SideFrame, SideName
from loadtests.workshop.live.evidence import Evidence
from loadtests.workshop.live.side import DELAY_US, SideWatch

NOTHING = SideFrame()
DATABASE = "database"


class LivePicture:
    """Reads the folder of one round. Whoever owns it calls `advance`, some four times a second, and `close`.

    It starts at the beginning of the files, whenever it is made, so that a dashboard may be started again within a
    round; then `behind` is true for some calls, and what was missed comes in few large frames.
    """

    def __init__(self, the_round: Round, shoppers: int) -> None:
        self._round = the_round
        self._sides: dict[SideName, SideWatch] = {side.side: watch_of(side, shoppers) for side in the_round.sides}
        self._evidence = Evidence(
            Path(the_round.folder),
            {side.architecture: self._sides[side.side] for side in the_round.sides},
        )
        self._at_ms = 0

    @property
    def behind(self) -> bool:
        """There is more to read than one call takes: call `advance` again soon."""
        return self._evidence.behind

    @property
    def problems(self) -> tuple[str, ...]:
        """Lines that could not be read and were skipped, and checks that crashed, in words."""
        crashed = (
            f"the check {kind!r} crashed: {what}"
            for side in self._sides.values()
            for kind, what in side.crashed.items()
        )
        return (*self._evidence.problems, *crashed)

    def advance(self, now_us: int, *, over: bool = False) -> Frame | None:
        """Read on; what has changed, or None.

        `now_us`: wall clock, microseconds since 1970. `over`: the round is closed, and nothing is written any more;
        then everything is read at once, and the orders in the database are compared with what was promised.
        """
        self._evidence.read()
        while over and self._evidence.behind:
            self._evidence.read()
        times_us = {name: self._since_zero_us(side, now_us) for name, side in self._sides.items()}
        changes = {name: side.advance(times_us[name], over=over) for name, side in self._sides.items()}
        left, right = (changes.get(name, NOTHING) for name in SIDES)
        if left == NOTHING and right == NOTHING:
            return None
        self._at_ms = max(self._at_ms, *(time_us // 1000 for time_us in times_us.values()))
        return Frame(self._at_ms, left, right)

    def picture(self) -> Picture:
        """What all frames so far come to."""
        left, right = (self._sides[name].picture() if name in self._sides else NOTHING for name in SIDES)
        return Picture(self._round.number, self._at_ms, left, right)

    def loss(self, side: SideName, number: int) -> Loss | None:
        """That loss, with its witness; None if there is none."""
        watch = self._sides.get(side)
        return None if watch is None else watch.loss(number)

    def close(self) -> None:
        """Let go of the files. Safe to repeat."""
        self._evidence.close()

    def _since_zero_us(self, side: SideWatch, now_us: int) -> int:
        zero_us = self._round.epoch_us or side.epoch_us
        return now_us - zero_us if zero_us else 0


def watch_of(side: Side, shoppers: int, *, delay_us: int = DELAY_US) -> SideWatch:
    """What watches that side. Every cluster has a database, though nothing strikes it; its wires are the harness's."""
    others = tuple(part for part in side.parts if part not in (*side.nodes, WIRES))
    return SideWatch(
        side.architecture, shoppers, nodes=side.nodes, parts=(*others, DATABASE),
        guests=(guest.user for guest in side.guests), delay_us=delay_us,
    )  # fmt: skip
