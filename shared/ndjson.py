"""Evidence as NDJSON, one JSON record a line: one way to read it back, and to say which line is damaged.

`read_records` gives the records one by one; `read_batches` gives some hundreds at once, at half the cost of each.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeVar

import msgspec

from shared.errors import RunFolderError

T = TypeVar("T")
UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError)
"""What bytes end in that are not the JSON that they should be."""

BLOCK = 1 << 17
"""Bytes that are decoded at once. Measured: of 2**20 bytes, the records no longer fit into the processor's caches, and
each costs a quarter more."""
BULK = 1 << 26
"""From so many bytes on NumPy saves more than it takes to load it."""


class FilePart(msgspec.Struct, frozen=True):
    """Bytes of a file, from the beginning of a line to the end of one."""

    begin: int = 0
    end: int = 1 << 62


WHOLE_FILE = FilePart()


def read_records(path: Path, decode: Callable[[bytes], T], what: str, *, may_be_cut_off: bool = False) -> Iterator[T]:
    """The records of a file, one by one; `what` each of them is, for the error ("an event").

    With `may_be_cut_off` (the log of a process that may be killed while it writes) a line that ends too early is left
    out; anywhere else it proves that something is missing.

    Raises:
        RunFolderError: the file or a line cannot be read; names the line.
    """
    try:
        with path.open("rb") as lines:
            yield from _one_by_one(lines, decode, path, what, may_be_cut_off=may_be_cut_off)
    except OSError as error:
        raise _unreadable(path, error) from error


def read_batches(
    path: Path,
    decoder: msgspec.json.Decoder[T],
    what: str,
    part: FilePart = WHOLE_FILE,
    *,
    may_be_cut_off: bool = False,
) -> Iterator[list[T]]:
    """The same records, or those of a part of the file, in lists.

    Raises:
        RunFolderError: as `read_records`; the records of the lists before are whole.
    """
    number = 0
    try:
        with path.open("rb", buffering=BLOCK) as file:
            in_bulk = os.fstat(file.fileno()).st_size >= BULK
            for block in _blocks(file, part):
                records = _at_once(block, decoder, in_bulk=in_bulk)
                if records is not None:
                    number += len(records)
                else:
                    # Only now are the lines before the part counted: of a sound file nobody asks for them.
                    lines, before = block.splitlines(keepends=True), number + _lines_before(path, part)
                    decode = decoder.decode
                    records = list(_one_by_one(lines, decode, path, what, may_be_cut_off=may_be_cut_off, before=before))
                    number += len(lines)
                yield records
    except OSError as error:
        raise _unreadable(path, error) from error


def _blocks(file: BinaryIO, part: FilePart) -> Iterator[bytes]:
    """Whole lines, about `BLOCK` bytes of them."""
    left = part.end - file.seek(part.begin)
    while left > 0 and (block := file.read(min(BLOCK, left))):
        if len(block) < left:
            block += file.readline()  # up to the end of the line that it was cut in
        left -= len(block)
        yield block


def _at_once(block: bytes, decoder: msgspec.json.Decoder[T], *, in_bulk: bool) -> list[T] | None:
    """The records of a block in which every line is exactly one record; None if it is not so sure of that.

    The decoder looks for values and does not care for lines: two on one, or one on two, would be all right. A line
    cannot end between `}` and `{` but between two records; so if all do, and there are as many, each line is one.
    """
    try:
        records = decoder.decode_lines(block)
    except UNDECODABLE:
        return None
    lines_end_well = _end_well_in_bulk if in_bulk else _end_well
    return records if lines_end_well(block, len(records)) else None


def _end_well(block: bytes, lines: int) -> bool:
    whole = block.startswith(b"{") and block.endswith(b"}\n")
    return whole and block.count(b"\n") == lines and block.count(b"}\n{") == lines - 1


def _end_well_in_bulk(block: bytes, lines: int) -> bool:
    import numpy as np  # in a third of the time of `bytes.count`, once it is loaded

    letters = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(letters == ord("\n"))
    if len(ends) != lines or ends[-1] != len(letters) - 1 or letters[0] != ord("{"):
        return False
    return bool((letters[ends - 1] == ord("}")).all() and (letters[ends[:-1] + 1] == ord("{")).all())


def _one_by_one(
    lines: Iterable[bytes],
    decode: Callable[[bytes], T],
    path: Path,
    what: str,
    *,
    may_be_cut_off: bool,
    before: int = 0,
) -> Iterator[T]:
    """The records; `before`: so many lines stand before these."""
    for number, line in enumerate(lines, before + 1):
        try:
            if may_be_cut_off:
                line = line.rstrip(b"\n")  # so that msgspec calls it truncated, wherever it was cut
            elif not line.endswith(b"\n"):
                raise msgspec.DecodeError("the line is cut off")
            yield decode(line)
        except UNDECODABLE as error:
            if may_be_cut_off and "truncated" in str(error):
                continue  # also in the middle: a node that was killed within a write comes back and goes on below
            raise RunFolderError(
                f"{path.name}, line {number}: not {what}",
                why=str(error),
                next_step="run the scenario again: damaged evidence proves nothing",
            ) from error


def _lines_before(path: Path, part: FilePart) -> int:
    with path.open("rb") as file:
        return file.read(part.begin).count(b"\n")


def _unreadable(path: Path, error: OSError) -> RunFolderError:
    return RunFolderError(f"cannot read {path}", why=error.strerror or str(error), next_step="twinshop run SCENARIO")
