"""`workshop.json`, looked at again and again, and the reveal policy: what of a workshop may be shown, and to whom.

Who commits a prediction sees, and who only watches learns no more than who never came. It is decided here and nowhere
else; every answer that could tell a result asks.
"""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from loadtests.model.run_folder import read_document
from loadtests.workshop.contract import WORKSHOP_SCHEMA, Participant, Phase, Workshop
from shared.errors import RunFolderError

BEFORE: frozenset[Phase] = frozenset({"starting", "predict"})  # nothing has run yet


class WorkshopFile:
    """What it says, when that is new."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._version: int | None = None

    def changed(self) -> Workshop | None:
        """The workshop if it is another than the last time; None if it is not, or if there is none yet.

        Raises:
            RunFolderError: it is damaged, or of another version of Twinshop.
        """
        if not self._path.is_file():
            return None
        workshop = read_document(self._path, Workshop)
        if workshop.schema != WORKSHOP_SCHEMA:
            raise RunFolderError(
                f"{self._path.name} has schema {workshop.schema}",
                why=f"this dashboard reads schema {WORKSHOP_SCHEMA}",
                next_step="start the workshop with the Twinshop that is installed here",
            )
        known, self._version = self._version, workshop.version
        return None if workshop.version == known else workshop


def asks_for_predictions(workshop: Workshop) -> bool:
    """Whether this round is one with predictions: an episode, and they were not switched off."""
    return workshop.predict and bool(workshop.round.episode)


def is_covered(workshop: Workshop, committed: bool) -> bool:
    """Whether somebody may not see any result now; `committed`: they have committed a prediction in this round.

    It makes no difference whether they are the instructor.
    """
    return asks_for_predictions(workshop) and (workshop.round.phase in BEFORE or not committed)


def shown(workshop: Workshop, participants: tuple[Participant, ...] = (), *, covered: bool = False) -> Workshop:
    """All but what only the harness needs, and nobody's account; while results are covered, not what is broken."""
    sides = tuple(replace(side, guests=()) for side in workshop.round.sides)
    told = replace(workshop.round, folder="", sides=sides)
    if covered:
        told = replace(told, broken=(), why="")
    return replace(workshop, round=told, participants=participants)
