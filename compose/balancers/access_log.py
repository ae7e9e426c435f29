"""The balancer's access log: one JSON line a request, whichever balancer saw it.

A balancer that lets its log be written as one likes writes it so; the log of another is put into it by `translate`.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from shared.ndjson import read_batches, read_records
from shared.whole_file import write_whole

KEPT_LOG = "cache.ndjson"
"""What a cache of pages before the balancer answered itself, in the same form; in a cluster's folder."""
NO_FLAGS = frozenset({None, "", "-"})  # how it is written that nothing was amiss


class AccessLine(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """One request as the balancer saw it: None for what it does not know. A field of another name is damage."""

    at_us: int
    """When its first byte came, microseconds since 1970."""
    status: int | None = None
    """What the client was answered; 0 if it had gone before."""
    took_us: int | None = None
    """From the first byte in to the last byte out, if that ever came."""
    id: str | None = None
    """`X-Request-Id`."""
    method: str | None = None
    path: str | None = None
    flags: str | None = None
    """What was amiss, in Envoy's words for it: UF (could not connect), UH (no healthy node), UC (the node closed),
    UT (timeout); one of `NO_FLAGS` if nothing was."""
    node: str | None = None
    """The node that was picked, if one was."""
    answered_by: str | None = None
    """`X-Node` of the answer, if a shop gave it."""
    details: str | None = None
    """The balancer's own words for how the answer came about."""
    connection: int | None = None
    """Of Envoy: the client's connection, which a workshop tells browsers by."""


class FormattedLine(msgspec.Struct):
    """What every log has whose format we write ourselves, in another program's terms; `known` reads its words."""

    status: int
    id: str
    method: str
    path: str
    answered_by: str


def known(word: str) -> str:
    """A word of such a line; "-" stands for none."""
    return "" if word == "-" else word


def made_here(status: int, node: str, answered_by: str) -> str:
    """The `flags` of an answer whose log has no word for it: a 5xx that no shop gave is the balancer's own."""
    if status < 500 or answered_by:
        return ""
    return "UT" if status == 504 else "UF" if node else "UH"


_decoder = msgspec.json.Decoder(AccessLine, strict=False)  # START_TIME comes as a string of digits
_WHAT = "a line of the balancer's access log"


def read_access_batches(path: Path) -> Iterator[list[AccessLine]]:
    """The lines of an access log, in the order in which requests were *done*, in lists; none if there is no such file.

    A line that is cut off (the balancer was killed while writing) is left out.

    Raises:
        RunFolderError: another line is damaged; names it.
    """
    return read_batches(path, _decoder, _WHAT, may_be_cut_off=True) if path.exists() else iter(())


def translate(own: Path, ours: Path, record: Callable[[bytes], AccessLine | None]) -> None:
    """Write a balancer's own log anew as our record, as far as its lines are complete; nothing if there is none.

    As a whole each time: several processes may ask, and none knows how far another one came.

    Raises:
        RunFolderError: a line is damaged; names it.
    """
    if own.exists():
        lines = [line for line in read_records(own, record, _WHAT, may_be_cut_off=True) if line is not None]
        write_whole(ours, b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
