"""The cover: who commits a prediction sees, and who only watches learns no more than who never came.

It is decided here and nowhere else; every answer that could tell a result asks.
"""

from __future__ import annotations

from msgspec.structs import replace

from loadtests.workshop.contract import Phase, Workshop

BEFORE: frozenset[Phase] = frozenset({"starting", "predict"})
"""Nothing has run yet."""


def asks_for_predictions(workshop: Workshop) -> bool:
    """Whether this round is one with predictions: an episode, and they were not switched off."""
    return workshop.predict and bool(workshop.round.episode)


def is_covered(workshop: Workshop, committed: bool) -> bool:
    """Whether somebody may not see any result now; `committed`: they have committed a prediction in this round.

    It makes no difference whether they are the instructor.
    """
    return asks_for_predictions(workshop) and (workshop.round.phase in BEFORE or not committed)


def shown(workshop: Workshop) -> Workshop:
    """What everybody may know: all but what only the harness needs."""
    return replace(workshop, round=replace(workshop.round, folder=""))


def shown_covered(workshop: Workshop) -> Workshop:
    """The same without what is broken, and without accounts with which one could look for oneself."""
    sides = tuple(replace(side, guests=()) for side in workshop.round.sides)
    return replace(workshop, round=replace(workshop.round, folder="", broken=(), why="", sides=sides))
