"""The history and the logs of one architecture: read in turn, or in step with each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from heapq import merge
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import Protocol

from compose.balancers.access_log import RawLine, read_access_batches
from loadtests.model.fault_timeline import NEVER_US
from loadtests.model.history import Exchange, Record
from shared.request_log import LogRecord, read_request_batches

History = Callable[[], Iterator[list[Record]]]
"""Reads one architecture's records in lists, from the beginning each time that it is called."""


class Hearer(Protocol):
    """Whoever is told all that stands in history and logs, a piece at a time."""

    def add_records(self, records: list[Record]) -> None:
        """What shoppers sent and were answered; at the end, the database's orders."""

    def add_lines(self, lines: list[RawLine]) -> None:
        """What the balancer passed on."""

    def add_node(self, node: str, records: list[LogRecord]) -> None:
        """What a node was asked."""


_Pieces = Iterator[tuple[int, Callable[[], None]]]
"""When it was, by the wall clock in microseconds, and what tells of it."""


class Sources:
    """Where the history and the logs of one architecture are read from.

    Reading raises RunFolderError if a file is missing or damaged; it names the file and the line.
    """

    def __init__(self, history: History, logs: Path, nodes: tuple[str, ...], epoch_us: int) -> None:
        self._history = history
        self._logs = logs
        self._nodes = nodes
        self._epoch_us = epoch_us

    def read_in_turn(self, hearer: Hearer) -> None:
        """First the history, then the balancer's log, then node by node."""
        for _, tell in chain.from_iterable(self._pieces(hearer)):
            tell()

    def read_in_step(self, hearer: Hearer) -> None:
        """All of them side by side, so that whoever compares them need not keep what the others have yet to tell.

        A piece of a log goes by its first line, one of the history by its last: so the logs have told of nearly all
        that a piece of the history tells of. Were it otherwise, nothing would come out wrong, it would only need more
        memory.
        """
        history, *logs = self._pieces(hearer)
        for _, tell in merge(*logs, history, key=itemgetter(0)):
            tell()

    def _pieces(self, hearer: Hearer) -> Iterator[_Pieces]:
        yield ((self._last_us(records), partial(hearer.add_records, records)) for records in self._history())
        lines = read_access_batches(self._logs / "access.ndjson")
        yield ((some[0].at_us, partial(hearer.add_lines, some)) for some in lines if some)
        for node in self._nodes:
            log = self._logs / f"{node}.requests.ndjson"
            if log.exists():
                yield _node(log, partial(hearer.add_node, node))

    def _last_us(self, records: list[Record]) -> int:
        """Orders were read from the database when all was over."""
        last = records[-1]
        return self._epoch_us + last.done_us if isinstance(last, Exchange) else NEVER_US


def _node(log: Path, tell: Callable[[list[LogRecord]], None]) -> _Pieces:
    return ((records[0].at_us, partial(tell, records)) for records in read_request_batches(log) if records)
