"""What a watcher of the dashboard knows, from its events: the same as the page draws."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from loadtests.workshop.contract import (
    LIVE_PHASES,
    SIDES,
    Counts,
    Frame,
    NodeView,
    Phase,
    Picture,
    ShopperView,
    SideFrame,
    SideName,
    Workshop,
)

_workshop = msgspec.json.Decoder(Workshop).decode
_picture = msgspec.json.Decoder(Picture).decode
_frame = msgspec.json.Decoder(Frame).decode

NUMBERS = ("logged_out", "carts_lost", "failed", "unknown", "shopping", "dead", "broken", "losses", "ended")
"""What a rule of a script may name, of each side."""


class SideSeen:
    """One column."""

    def __init__(self) -> None:
        self.nodes: tuple[NodeView, ...] = ()
        self.shoppers: dict[int, ShopperView] = {}
        self.counts = Counts()
        self.losses = 0

    def add(self, frame: SideFrame) -> None:
        """What has changed."""
        self.nodes = frame.nodes if frame.nodes is not None else self.nodes
        self.counts = frame.counts or self.counts
        self.shoppers.update({view.shopper: view for view in frame.shoppers})
        self.losses += len(frame.losses)


class Seen:
    """All that was sent so far. `gaps` are ids that did not follow on the one before."""

    def __init__(self) -> None:
        self.workshop: Workshop | None = None
        self.sides: dict[SideName, SideSeen] = {side: SideSeen() for side in SIDES}
        self.names_of_round: list[str] = []
        """Of the events since the present round was first told."""
        self.gaps: list[tuple[int, int]] = []
        self._last_id: int | None = None

    @property
    def phase(self) -> Phase | None:
        """Of the present round; None before anything is known."""
        return self.workshop.round.phase if self.workshop else None

    def add(self, name: str, data: bytes, number: int | None) -> None:
        """One event."""
        self.names_of_round.append(name)
        self._follow(number, name)
        if name == "workshop":
            self._begin_or_go_on(_workshop(data))
        elif name == "picture":
            picture = _picture(data)
            self._forget()
            self._add_sides(picture.left, picture.right)
        elif name == "frame":
            frame = _frame(data)
            self._add_sides(frame.left, frame.right)

    def values(self) -> Mapping[str, float]:
        """The numbers by name, for rules."""
        values: dict[str, float] = {"U": 0, "N": 0}
        if self.workshop:
            now = self.workshop.round
            values = {"U": now.shoppers, "N": max((len(side.nodes) for side in now.sides), default=0)}
        for side in SIDES:
            values.update({f"{side}.{name}": value for name, value in self._of_side(side).items()})
        return values

    def _of_side(self, side: SideName) -> dict[str, float]:
        seen = self.sides[side]
        broken = self.workshop.round.broken if self.workshop else ()
        return {
            "logged_out": seen.counts.logged_out,
            "carts_lost": seen.counts.carts_lost,
            "failed": seen.counts.failed,
            "unknown": seen.counts.unknown,
            "shopping": sum(view.state == "shopping" for view in seen.shoppers.values()),
            "dead": sum(node.state == "dead" for node in seen.nodes),
            "broken": sum(side in fault.sides for fault in broken),
            "losses": seen.losses,
            "ended": self.phase not in LIVE_PHASES,
        }

    def _begin_or_go_on(self, workshop: Workshop) -> None:
        if self.workshop is None or self.workshop.round.number != workshop.round.number:
            self._forget()
            self.names_of_round.clear()
        self.workshop = workshop

    def _forget(self) -> None:
        self.sides = {side: SideSeen() for side in SIDES}

    def _add_sides(self, left: SideFrame, right: SideFrame) -> None:
        self.sides["left"].add(left)
        self.sides["right"].add(right)

    def _follow(self, number: int | None, name: str) -> None:
        """A picture begins anew, what is told again has the same id; all other events follow each other by one."""
        if number is None:
            return
        if self._last_id is not None and name != "picture" and number - self._last_id not in (0, 1):
            self.gaps.append((self._last_id, number))
        self._last_id = number
