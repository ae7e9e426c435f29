"""The request log of a node: what it was asked and what it answered, in its own words. Written here, read here.

NDJSON. Each request is one unbuffered write to a file opened for appending, made *before* the answer leaves: a node
that is killed the moment after has still said what it did. No password, cookie or token is ever in it.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from shared.ndjson import read_batches, read_records


class LoggedRequest(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag_field="record", tag="request"):
    """One request, as the node saw it."""

    at_us: int
    """When it came in: microseconds since 1970."""
    id: str
    """Its `X-Request-Id`."""
    node: str
    boot: str
    method: str
    path: str
    status: int
    took_us: int
    user: str
    """Whom the node took the client for when the request came in; "" for a stranger."""
    session: str = ""
    """Of a stranger who has a session's cookie all the same: `shared.sessions.fingerprint` of what it holds. It tells
    who they were to the node that opened that session."""


class LoggedSession(msgspec.Struct, frozen=True, gc=False, tag_field="record", tag="session"):
    """A session opened by a login or ended by a logout."""

    at_us: int
    event: Literal["opened", "ended"]
    id: str
    """The request that did it."""
    node: str
    boot: str
    user: str
    session: str
    """`shared.sessions.fingerprint` of the session id; "" where sessions have none (signed tokens)."""


LogRecord = LoggedRequest | LoggedSession

_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(LogRecord)
_WHAT = "a record of a request log"


class RequestLog:
    """Writes the log; safe to use from many threads at once."""

    def __init__(self, path: Path) -> None:
        # O_APPEND: workers of one node write into the same file, and the kernel puts each write at its end.
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        # A node that was killed within a write left half a line: what follows must not grow onto it.
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            os.write(self._file, b"\n")

    def write(self, *records: LogRecord) -> None:
        """Append the records, in one write."""
        os.write(self._file, b"".join(_encode(record) + b"\n" for record in records))

    def close(self) -> None:
        """Close the file; safe to repeat."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def read_request_log(path: Path) -> Iterator[LogRecord]:
    """The records of a node's log, in the order in which they were written.

    A line that was cut off (by SIGKILL, within the write) is left out: its answer never left the node.

    Raises:
        RunFolderError: the file or a line cannot be read; names the line.
    """
    return read_records(path, _decoder.decode, _WHAT, may_be_cut_off=True)


def read_request_batches(path: Path) -> Iterator[list[LogRecord]]:
    """The same in lists: for whoever reads millions.

    Raises:
        RunFolderError: as `read_request_log`.
    """
    return read_batches(path, _decoder, _WHAT, may_be_cut_off=True)
