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

_Mark = tuple[int, int, int]
BEFORE: frozenset[Phase] = frozenset({"starting", "predict"})  # nothing has run yet


class WorkshopFile:
    """What it says, when that is new."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mark: _Mark | None = None
        self._version: int | None = None

    def changed(self) -> Workshop | None:
        """The workshop if it is another than the last time; None if it is not, or if there is none yet.

        Raises:
            RunFolderError: it is damaged, or of another version of Twinshop. Not read again until it changes.
        """
        mark = self._now()
        if mark is None or mark == self._mark:
            return None
        self._mark = mark  # before it is read: a damaged one is told of once, and not at each look
        workshop = read_document(self._path, Workshop)
        if workshop.schema != WORKSHOP_SCHEMA:
            raise RunFolderError(
                f"{self._path.name} has schema {workshop.schema}",
                why=f"this dashboard reads schema {WORKSHOP_SCHEMA}",
                next_step="start the workshop with the Twinshop that is installed here",
            )
        if workshop.version == self._version:
            return None
        self._version = workshop.version
        return workshop

    def _now(self) -> _Mark | None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino  # it is replaced by rename: another file each time


def asks_for_predictions(workshop: Workshop) -> bool:
    """Whether this round is one with predictions: an episode, and they were not switched off."""
    return workshop.predict and bool(workshop.round.episode)


def is_covered(workshop: Workshop, committed: bool) -> bool:
    """Whether somebody may not see any result now; `committed`: they have committed a prediction in this round.

    It makes no difference whether they are the instructor.
    """
    return asks_for_predictions(workshop) and (workshop.round.phase in BEFORE or not committed)


def shown(workshop: Workshop, participants: tuple[Participant, ...] = ()) -> Workshop:
    """What everybody may know: all but what only the harness needs, and nobody's account."""
    sides = tuple(replace(side, guests=()) for side in workshop.round.sides)
    return replace(workshop, round=replace(workshop.round, folder="", sides=sides), participants=participants)


def shown_covered(workshop: Workshop, participants: tuple[Participant, ...] = ()) -> Workshop:
    """The same without what is broken."""
    open_ = shown(workshop, participants)
    return replace(open_, round=replace(open_.round, broken=(), why=""))
