"""The board: what the workshop is now, for all to see. `workshop.json`, written whole at each change."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import msgspec

from loadtests.workshop.contract import LIVE_PHASES, WORKSHOP_SCHEMA, LiveFault, Phase, Round, Workshop
from shared.whole_file import write_whole

FILE = "workshop.json"
OWNER_ONLY = 0o600
"""The passwords of the shops' accounts are in it."""


class Board:
    """Safe to write on from several threads."""

    def __init__(self, folder: Path, *, predict: bool, episodes: tuple[str, ...]) -> None:
        self.path = folder / FILE
        self._lock = threading.Lock()
        self._workshop = Workshop(WORKSHOP_SCHEMA, 0, predict, Round(0, "starting"), episodes)

    @property
    def round(self) -> Round:
        """The round as it is now."""
        return self._workshop.round

    @property
    def phase(self) -> Phase:
        """Where it is."""
        return self._workshop.round.phase

    def begin(self, new: Round) -> None:
        """Another round."""
        with self._lock:
            self._write(new)

    def tell(self, **changes: Any) -> None:
        """Something of the round has changed."""
        with self._lock:
            self._write(msgspec.structs.replace(self._workshop.round, **changes))

    def tell_broken(self, broken: tuple[LiveFault, ...]) -> None:
        """What is broken has changed. What was heard too late, when the round is over, is not true any more."""
        with self._lock:
            if self.phase in LIVE_PHASES or self.phase == "closing":
                self._write(msgspec.structs.replace(self._workshop.round, broken=broken))

    def _write(self, new: Round) -> None:
        old = self._workshop
        self._workshop = msgspec.structs.replace(old, version=old.version + 1, round=new)
        write_whole(self.path, msgspec.json.encode(self._workshop), mode=OWNER_ONLY)
