"""Reads what has been added to a file of records since the last time, while somebody else writes it.

Only whole lines are read; half a line waits for its end. A file may not exist yet, may be deleted when its writer is
done (what was in it is read all the same), and may be replaced by another of its name.
"""

import os
import re
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")

CHUNK = 256 * 1024  # bytes read from one file in one call at most, about a thousand records: no call takes long
LONGEST_LINE = 1024 * 1024
MOST_PROBLEMS = 20


class RecordTail(Generic[T]):
    """The end of one file. `only`: lines without a match are left out before they are decoded, for speed."""

    def __init__(self, path: Path, decoder: msgspec.json.Decoder[T], only: re.Pattern[bytes] | None = None) -> None:
        self.path = path
        self.behind = False
        """There was more to read than one call takes."""
        self.problems: list[str] = []
        """What was skipped, in words; at most 20."""
        self._file: FileIO | None = None
        self._half = b""
        self._decoder = decoder
        self._only = only

    def records(self) -> list[T]:
        """The new records; a damaged line is told of and skipped."""
        content = self._lines()
        if self._only is not None:
            if not self._only.search(content):  # the common case, made fast
                return []
            content = b"\n".join(line for line in content.split(b"\n") if self._only.search(line))
        try:
            return self._decoder.decode_lines(content)  # all at once, for speed; one damaged line spoils it
        except msgspec.DecodeError:
            return self._one_by_one(content)

    def close(self) -> None:
        """Read no more. Safe to repeat."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _lines(self) -> bytes:
        """Whole lines that are new; empty if there are none."""
        content = self._read()
        self.behind = len(content) == CHUNK
        if not content:
            return b""
        content = self._half + content
        end = content.rfind(b"\n") + 1
        self._half = content[end:]
        if len(self._half) > LONGEST_LINE:  # no line of ours: waiting for its end would fill the memory
            self._tell(f"a line of more than {LONGEST_LINE} bytes")
            self._half = b""
        return content[:end]

    def _read(self) -> bytes:
        if self._file is None and not self._open():
            return b""
        assert self._file is not None
        content = self._file.read(CHUNK)
        if content or self._is_same():
            return content
        # Deleted or replaced, but its writer may have added something just before: this file is read to its end.
        content = self._file.read(CHUNK)
        if not content:
            self._forget()
        return content

    def _open(self) -> bool:
        try:
            self._file = self.path.open("rb", buffering=0)
        except FileNotFoundError:
            return False
        except OSError as error:
            self._tell(error.strerror or str(error))
            return False
        return True

    def _is_same(self) -> bool:
        """The path still leads to the file that is open, and it holds no less than was read."""
        assert self._file is not None
        mine = os.fstat(self._file.fileno())
        if mine.st_size < self._file.tell():  # it was cut, or begun anew
            return False
        try:
            return os.path.samestat(self.path.stat(), mine)
        except OSError:
            return False

    def _forget(self) -> None:
        if self._half:
            self._tell("a last line that is cut off")
        self._half = b""
        self.close()

    def _tell(self, what: str) -> None:
        """Something is skipped."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(f"{self.path.name}: {what}, skipped")

    def _one_by_one(self, content: bytes) -> list[T]:
        records = []
        for line in content.split(b"\n"):
            try:
                if line.strip():
                    records.append(self._decoder.decode(line))
            except msgspec.DecodeError as error:
                self._tell(f"a damaged line ({error})")
        return records


def read_through(path: Path, decoder: msgspec.json.Decoder[T], only: re.Pattern[bytes] | None = None) -> Iterator[T]:
    """The records of a file as it is; what is damaged or cut off is left out, and none if there is no such file."""
    tail = RecordTail(path, decoder, only)
    yield from tail.records()
    while tail.behind:
        yield from tail.records()
    tail.close()
