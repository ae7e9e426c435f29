"""Evidence as NDJSON, one JSON record a line: one way to read it back, and to say which line is damaged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from shared.errors import RunFolderError

T = TypeVar("T")


def read_records(path: Path, decode: Callable[[bytes], T], what: str, *, may_be_cut_off: bool = False) -> Iterator[T]:
    """The records of a file, one by one; `what` each of them is, for the error ("an event").

    With `may_be_cut_off` (the log of a process that may be killed while it writes) a line that ends too early is left
    out; anywhere else it proves that something is missing.

    Raises:
        RunFolderError: the file or a line cannot be read; names the line.
    """
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    if may_be_cut_off:
                        line = line.rstrip(b"\n")  # so that msgspec calls it truncated, wherever it was cut
                    elif not line.endswith(b"\n"):
                        raise msgspec.DecodeError("the line is cut off")
                    yield decode(line)
                except msgspec.DecodeError as error:
                    if may_be_cut_off and "truncated" in str(error):
                        continue
                    raise RunFolderError(
                        f"{path.name}, line {number}: not {what}",
                        why=str(error),
                        next_step="run the scenario again: damaged evidence proves nothing",
                    ) from error
    except OSError as error:
        raise RunFolderError(
            f"cannot read {path}", why=error.strerror or str(error), next_step="twinshop run SCENARIO"
        ) from error
