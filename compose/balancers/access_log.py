"""The balancer's access log: one JSON line a request, written by Envoy; here is what is in it, and how to read it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from shared.ndjson import read_batches, read_records

FORMAT = {
    "at_us": "%START_TIME(%s%6f)%",
    "id": "%REQ(X-REQUEST-ID)%",
    "method": "%REQ(:METHOD)%",
    "path": "%REQ(:PATH)%",
    "status": "%RESPONSE_CODE%",
    "flags": "%RESPONSE_FLAGS%",
    "node": "%UPSTREAM_METADATA(twinshop:node)%",
    "answered_by": "%RESP(X-NODE)%",
    "took_us": "%COMMON_DURATION(DS_RX_BEG:DS_TX_END:us)%",
    "details": "%RESPONSE_CODE_DETAILS%",
    "connection": "%CONNECTION_ID%",
}
"""Envoy's `json_format`. `node` comes from what the balancer knows of the host it picked, not from the answer;
`connection` numbers the clients' connections since this start of the balancer: a browser is the same one as long as it
keeps its connection, whatever the shop takes it for."""


class AccessLine(msgspec.Struct, frozen=True):
    """One request as the balancer saw it."""

    at_us: int
    """When its first byte came, microseconds since 1970."""
    id: str
    """`X-Request-Id`."""
    method: str
    path: str
    status: int
    """What the client was answered; 0 if it had gone before."""
    flags: str
    """Envoy's response flags, e.g. UF (could not connect), UH (no healthy node), UC (the node closed), UT (timeout);
    empty if nothing was amiss."""
    node: str
    """The node that was picked; empty if none was."""
    answered_by: str
    """`X-Node` of the answer; empty if no shop answered."""
    took_us: int
    """From the first byte in to the last byte out; -1 if that never came."""
    details: str = ""
    """Envoy's words for how the answer came about."""


NO_FLAGS = frozenset({None, "", "-"})
"""How Envoy writes that nothing was amiss."""


class RawLine(msgspec.Struct, frozen=True, gc=False):
    """A line as Envoy writes it: None for what it does not know."""

    at_us: int
    status: int | None = None
    took_us: int | None = None
    id: str | None = None
    method: str | None = None
    path: str | None = None
    flags: str | None = None
    node: str | None = None
    answered_by: str | None = None
    details: str | None = None

    def line(self) -> AccessLine:
        """The line in words of its own."""
        return AccessLine(
            at_us=self.at_us,
            id=self.id or "",
            method=self.method or "",
            path=self.path or "",
            status=self.status or 0,
            flags="" if self.flags in (None, "-") else self.flags,
            node=self.node or "",
            answered_by=self.answered_by or "",
            took_us=-1 if self.took_us is None else self.took_us,
            details=self.details or "",
        )


_decoder = msgspec.json.Decoder(RawLine, strict=False)  # START_TIME comes as a string of digits
_WHAT = "a line of the balancer's access log"


def read_access_log(path: Path) -> Iterator[AccessLine]:
    """The lines of an access log, in the order in which requests were *done*; none if there is no such file.

    A line that is cut off (the balancer was killed while writing) is left out.

    Raises:
        RunFolderError: another line is damaged; names it.
    """
    if path.exists():
        for raw in read_records(path, _decoder.decode, _WHAT, may_be_cut_off=True):
            yield raw.line()


def read_access_batches(path: Path) -> Iterator[list[RawLine]]:
    """The same as they were written, in lists: for whoever reads millions.

    Raises:
        RunFolderError: as `read_access_log`.
    """
    return read_batches(path, _decoder, _WHAT, may_be_cut_off=True) if path.exists() else iter(())
