"""How far a load process is: a line each half second in `progress-W.ndjson`, read by the harness while it runs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import msgspec

Phase = Literal["waiting", "load", "audit", "done"]
PHASES: tuple[Phase, ...] = ("waiting", "load", "audit", "done")


class Progress(msgspec.Struct, frozen=True):
    """The state of one load process, or of several added up."""

    at_us: int = 0
    """Microseconds since the zero of the load window; 0 while waiting for it."""
    phase: Phase = "waiting"
    sent: int = 0
    """Requests sent, those of recoveries and of the audit too."""
    ok: int = 0
    failed: int = 0
    unknown: int = 0
    not_sent: int = 0
    logged_out: int = 0
    """Shoppers who were logged out at least once."""
    logged_out_events: int = 0
    carts_lost: int = 0
    cpu_s: float = 0.0
    problem: str = ""
    """Why this process gave up; the run is void."""


_decoder = msgspec.json.Decoder(Progress)
_TAIL = 4096


def newest_progress(path: Path) -> Progress | None:
    """The last whole line; None if there is none yet."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - _TAIL))
            lines = file.read().split(b"\n")[:-1]
    except FileNotFoundError:
        return None
    return _decoder.decode(lines[-1]) if lines else None


def summed(parts: Iterable[Progress]) -> Progress:
    """Several processes as one: numbers added, the least advanced phase, the first problem."""
    each = list(parts)
    if not each:
        return Progress()
    added = {
        field: sum(getattr(part, field) for part in each)
        for field in Progress.__struct_fields__
        if field not in ("at_us", "phase", "problem")
    }
    return Progress(
        at_us=min(part.at_us for part in each),
        phase=min((part.phase for part in each), key=PHASES.index),
        problem=next((part.problem for part in each if part.problem), ""),
        **added,
    )
