"""Forgetting what all logs agree on changes nothing of what is found, and needs no more room for more requests."""

from __future__ import annotations

import tracemalloc
from array import array
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compose.applications.contract import Grade
from compose.balancers.access_log import AccessLine
from compose.cluster import Limits
from loadtests.judging import three_logs
from loadtests.judging.three_logs import LogListener, LogMatching, ThreeLogs
from loadtests.model.application import ApplicationFacts
from loadtests.model.events import LoadEnded
from loadtests.model.history import Exchange, Record
from loadtests.model.results import Reconciliation
from loadtests.session_model.timeline import RunTimeline
from shared.request_log import LoggedRequest, LogRecord

FINISHED = RunTimeline("redis", ended=LoadEnded("redis", 1, True, 1.0, 1))


def asked(request: str, status: int = 200, node: str = "n1") -> Exchange:
    return Exchange("redis", 1, request, "plan", "cart", "ok", 0, 0, 1, status=status, node=node)


def line(request: str, status: int = 200, node: str = "n1", flags: str = "-") -> AccessLine:
    return AccessLine(0, status, 1, request, "GET", "/cart", flags, node, node)


def logged(request: str, status: int = 200, node: str = "n1") -> LoggedRequest:
    return LoggedRequest(0, request, node, "b", "GET", "/cart", status, 10, "")


class Told:
    """Three logs in memory, in the order in which they are told of."""

    def __init__(self, records: list[Exchange | AccessLine | LoggedRequest]) -> None:
        self.records = records

    def read_in_turn(self, hearer: LogListener) -> None:
        """As `loadtests.judging.three_logs.Sources`."""
        hearer.add_records([each for each in self.records if isinstance(each, Exchange)])
        hearer.add_lines([each for each in self.records if isinstance(each, AccessLine)])
        for node in ("n1", "n2"):
            hearer.add_node(node, [r for r in self.records if isinstance(r, LoggedRequest) and r.node == node])


def found(records: list[Exchange | AccessLine | LoggedRequest], *, piece: int | None) -> Reconciliation:
    """What the comparison finds; told in pieces, or (None) all at once to somebody who forgets nothing."""
    logs = ThreeLogs(FINISHED)
    sources = Told(records)
    if piece is None:
        sources.read_in_turn(logs._reconciler)
        logs._matching = None
    for begin in range(0, len(records), piece) if piece else ():
        some = records[begin : begin + piece]
        for each in some:
            if isinstance(each, Exchange):
                logs.add(each)
        logs.add_lines([each for each in some if isinstance(each, AccessLine)])
        for node in ("n1", "n2"):
            logs.add_node(node, [each for each in some if isinstance(each, LoggedRequest) and each.node == node])
    return logs.close(sources)  # type: ignore[arg-type]


IDS = st.sampled_from(["a-1", "a-2", "a-3", "a-4", "probe-1", ""])
STATUSES = st.sampled_from([200, 200, 200, 503, 0])
NODES = st.sampled_from(["n1", "n1", "n2"])
ANYTHING = st.one_of(
    st.builds(asked, IDS, STATUSES, st.sampled_from(["n1", "n2", ""])),
    st.builds(line, IDS, STATUSES, st.sampled_from(["n1", "n2", ""]), st.sampled_from(["-", "UF"])),
    st.builds(logged, IDS, st.sampled_from([200, 200, 404]), NODES),
)


@given(st.lists(ANYTHING, max_size=30), st.integers(1, 9), st.integers(0, 6))
def test_the_same_is_found(records: list[Exchange | AccessLine | LoggedRequest], piece: int, whole: int) -> None:
    agreed = [make(f"b-{number}") for number in range(whole) for make in (logged, line, asked)]
    told = [*agreed, *records, *agreed[:2]]
    assert found(told, piece=piece) == found(told, piece=None)


def test_a_request_that_stands_in_all_logs_twice() -> None:
    once = [logged("a-1"), line("a-1"), asked("a-1")]
    assert found(once * 2, piece=3) == found(once * 2, piece=None)
    assert found(once * 2, piece=3).mismatch_count == 3
    assert found(once, piece=3).mismatch_count == 0


def test_what_a_late_log_settles_is_forgotten_and_looked_for_ever_more_rarely(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(three_logs, "SWEEP", 4)
    looked: list[int] = []

    class Watched(LogMatching):
        def _sweep(self) -> None:
            looked.append(len(self._client))
            super()._sweep()

    matching = Watched()
    requests = [f"a-0001-{number:04d}" for number in range(100)]
    for exchange in map(asked, requests):
        matching.add(exchange)
    assert looked == [5, 11, 23, 47, 95], "each time after twice as many"
    matching.add_node("n1", [*map(logged, requests)])
    matching.add_lines([*map(line, requests)])
    for exchange in map(asked, (f"b-0001-{number:04d}" for number in range(100))):
        matching.add(exchange)
    assert looked[5:] == [191]
    assert len(matching._client) == 100, "the logs of the first hundred settled them"
    assert matching.counts == (200, 100, 100)


@pytest.mark.parametrize(("grade", "unpassed", "unlogged"), [(None, 1, 1), ("A", 1, 0), ("B", 1, 0), ("C", 0, 0)])
def test_only_logs_that_there_are_are_compared(grade: Grade | None, unpassed: int, unlogged: int) -> None:
    """Of a described application nobody has the nodes' logs; of some, not even the balancer's."""
    application = None if grade is None else ApplicationFacts("shop", grade, "0", ("login",))
    for records, count in (([asked("a-1")], unpassed), ([asked("a-1"), line("a-1")], unlogged)):
        logs = ThreeLogs(msgspec.structs.replace(FINISHED, application=application))
        assert logs.in_step is (grade is None)
        Told(records).read_in_turn(TellsOf(logs))
        assert logs.close(Told(records)).mismatch_count == count  # type: ignore[arg-type]


class TellsOf:
    """Passes on what it is told."""

    def __init__(self, logs: ThreeLogs) -> None:
        self.add_lines, self.add_node, self._add = logs.add_lines, logs.add_node, logs.add

    def add_records(self, records: list[Record]) -> None:
        for record in records:
            if isinstance(record, Exchange):
                self._add(record)


@pytest.mark.parametrize(("changes", "in_step"), [({}, True), ({"guests": ("user-0061",), "run": "a"}, False),
                                                 ({"limits": Limits(balancer_retries=1)}, False)])  # fmt: skip
def test_side_by_side_where_each_stands_once(changes: dict[str, Any], in_step: bool) -> None:
    logs = ThreeLogs(msgspec.structs.replace(FINISHED, **changes))
    assert logs.in_step is in_step
    records = [asked("a-1"), line("a-1"), logged("a-1"), line("b-1"), logged("b-1")]
    Told(records).read_in_turn(TellsOf(logs))
    found = logs.close(Told(records))  # type: ignore[arg-type]
    guests = "guests" in changes
    assert (found.client, found.balancer, found.nodes, found.guests) == ((1, 1, 1, 1) if guests else (1, 2, 2, 0))
    assert found.mismatch_count == (0 if guests else 1)


def test_of_what_was_cut_off_nobody_asks() -> None:
    logs = ThreeLogs(msgspec.structs.replace(FINISHED, ended=None))
    logs.add(asked("a-1"))
    assert logs.close(Told([asked("a-1")])) == Reconciliation(1, 0, 0, (), 0, None)  # type: ignore[arg-type]


@pytest.mark.parametrize("many", [0, 5, 6])
def test_equal_numbers_are_found_by_either_way(many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(three_logs, "MANY", many)
    assert three_logs._equal_ones(array("q", [3, -1, 3, 7, -1])) == {3, -1}


def agreeing(count: int) -> Iterator[tuple[list[LogRecord], list[AccessLine], list[Exchange]]]:
    for begin in range(0, count, 100):
        requests = [f"a-0001-{number:06d}" for number in range(begin, begin + 100)]
        yield [*map(logged, requests)], [*map(line, requests)], [*map(asked, requests)]


def room(pieces: Iterable[tuple[list[LogRecord], list[AccessLine], list[Exchange]]]) -> int:
    """Bytes that are kept at most, beside the piece in hand."""
    matching = LogMatching()
    tracemalloc.start()
    try:
        for of_node, lines, exchanges in pieces:
            matching.add_node("n1", of_node)
            matching.add_lines(lines)
            for exchange in exchanges:
                matching.add(exchange)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_more_requests_need_hardly_more_room() -> None:
    """Eight bytes each, where to know three logs by heart needs some hundreds."""
    few, many = room(agreeing(10_000)), room(agreeing(20_000))
    assert many - few < 10_000 * 20


def test_what_all_three_agree_on_counts_once_in_each_whoever_told_of_it_last() -> None:
    logs = LogMatching()
    for request in ("a", "b"):
        logs.add_lines([line(request)])
        logs.add_node("n1", [logged(request)])
    logs.add(asked("a"))
    assert logs.counts == (1, 2, 2)
    logs.add(asked("b"))
    assert logs.counts == (2, 2, 2)
