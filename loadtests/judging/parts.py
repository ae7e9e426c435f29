"""Which part of the history tells of which architecture: found by halving, for the records of one stand together.

So each part can be read by itself, more than once, and by a process of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from loadtests.model.history import Record, read_history, read_history_batches
from shared.errors import RunFolderError
from shared.ndjson import Part


class _Line(msgspec.Struct):
    """As much of a record as is looked at."""

    architecture: str


_decode = msgspec.json.Decoder(_Line).decode


def parts_of(history: Path, begun: Collection[str]) -> dict[str, Part]:
    """The part of each architecture, in the order in which they stand in the file.

    Raises:
        RunFolderError: a line is damaged, or one architecture stands in two places, or no event tells of it.
    """
    parts: dict[str, Part] = {}
    try:
        for name, part in _parts(history):
            if name in parts or name not in begun:
                raise _otherwise(history, name, twice=name in parts)
            parts[name] = part
    except (OSError, msgspec.DecodeError):
        for _ in read_history(history):  # whoever reads it line by line can say what is wrong with it
            pass
        raise
    return parts


def read_part(history: Path, name: str, part: Part, begun: Collection[str]) -> Iterator[list[Record]]:
    """The records of one architecture, in lists.

    Raises:
        RunFolderError: a line is damaged, or tells of another architecture.
    """
    for records in read_history_batches(history, part):
        if strangers := [record.architecture for record in records if record.architecture != name]:
            known = strangers[0] in begun
            raise _otherwise(history, name if known else strangers[0], twice=known)
        yield records


def _parts(history: Path) -> Iterator[tuple[str, Part]]:
    size = history.stat().st_size
    with history.open("rb") as file:
        begin = 0
        while begin < size:
            file.seek(begin)
            name = _decode(file.readline()).architecture
            end = _end(file, begin, size, name)
            yield name, Part(begin, end)
            begin = end


def _end(file: BinaryIO, begin: int, size: int, name: str) -> int:
    """Where its part ends that begins there. Should another stand in between, whoever reads the part will find it."""
    before, last = begin, size  # behind `before`, a line of that name begins, or it is the last; behind `last`, none
    if not _goes_on(file, begin, name):
        last = begin
    while last - before > 1:
        middle = (before + last) // 2
        if _goes_on(file, middle, name):
            before = middle
        else:
            last = middle
    file.seek(last)
    file.readline()
    return file.tell()


def _goes_on(file: BinaryIO, offset: int, name: str) -> bool:
    """The first line that begins behind that byte is of that name."""
    file.seek(offset)
    file.readline()
    line = file.readline()
    return bool(line) and _decode(line).architecture == name


def _otherwise(history: Path, name: str, *, twice: bool) -> RunFolderError:
    return RunFolderError(
        f"{history.name} tells of {name!r} {'twice' if twice else 'and no event does'}",
        why="the records of one architecture stand together, and its events beside them",
        next_step="run the scenario again: a history that was put together otherwise proves nothing",
    )
