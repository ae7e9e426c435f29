"""`workshop.json`, looked at again and again: it is replaced whole at each change."""

from __future__ import annotations

from pathlib import Path

from loadtests.model.run_folder import read_document
from loadtests.workshop.contract import WORKSHOP_SCHEMA, Workshop
from shared.errors import RunFolderError

_Mark = tuple[int, int, int]


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
        self._mark = mark
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
        return found.st_mtime_ns, found.st_size, found.st_ino
