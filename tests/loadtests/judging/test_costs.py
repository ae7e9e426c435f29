"""What requests and sessions cost, by the history and by samples."""

from __future__ import annotations

import msgspec
import pytest

from compose.cluster import Usage
from loadtests.judging.costs import CostCounter
from loadtests.model.events import Event, NodeSample, PartSample
from loadtests.model.history import Exchange
from loadtests.model.results import Costs
from loadtests.session_model.timeline import RunTimeline
from tests.loadtests.stories import Story, fault, scene

SECOND = 1_000_000
WINDOW_US = 10 * SECOND


def part(at_s: float, **parts: Usage) -> PartSample:
    return PartSample("sticky-memory", round(at_s * SECOND), parts)


def held(at_s: float, **sessions: int) -> NodeSample:
    return NodeSample("sticky-memory", round(at_s * SECOND), sessions)


def node(cpu_s: float, mb: float = 0.0) -> Usage:
    return Usage(cpu_s, round(mb * 2**20))


def store(commands: int, memory: int = 0, keys: int = 0) -> Usage:
    return Usage(0.0, 0, {"commands": commands, "memory": memory, "keys": keys})


def asked(times: int, since_s: float = 0.0, **fields: object) -> list[Exchange]:
    """So many requests of a shopper, 100 ms apart."""
    told = Story().at(since_s)
    for _ in range(times):
        told.say("cart")
    return [msgspec.structs.replace(exchange, **fields) for exchange in told.exchanges]


def costs(exchanges: list[Exchange], *events: Event, at: RunTimeline | None = None) -> Costs:
    spending = CostCounter(at or scene(), events, WINDOW_US)
    for exchange in exchanges:
        spending.add(exchange)
    return spending.close()


class TestByTheHistory:
    def test_bytes_are_means(self) -> None:
        found = costs([*asked(3, cookie_bytes=100, body_bytes=50), *asked(1, cookie_bytes=500, body_bytes=250)])
        assert (found.cookie_bytes_per_request, found.answer_bytes_per_request) == (200.0, 100.0)

    def test_what_got_no_answer_was_sent_all_the_same(self) -> None:
        found = costs([*asked(1, cookie_bytes=100, body_bytes=80), *asked(1, cookie_bytes=300, status=0, node="")])
        assert (found.cookie_bytes_per_request, found.answer_bytes_per_request) == (200.0, 80.0)
        assert found.requests_per_second == 0.1

    def test_neither_the_audit_nor_what_was_not_sent_counts(self) -> None:
        found = costs([*asked(5), *asked(5, why="audit", cookie_bytes=9), *asked(5, request="", status=0, node="")])
        assert found.requests_per_second == 0.5
        assert found.cookie_bytes_per_request == 0.0

    def test_the_busiest_node(self) -> None:
        found = costs(
            [*asked(6, node="n1"), *asked(3, node="n2"), *asked(1, node="n3"), *asked(5, node="", status=503)]
        )
        assert found.busiest_node_share == 0.6

    def test_of_nothing_nothing_is_known(self) -> None:
        found = costs([], at=scene(architecture="redis"))
        assert msgspec.structs.replace(found, requests_per_second=None) == Costs()


class TestNewNodes:
    grown = msgspec.structs.replace(
        scene(), faults=(fault("cluster", "scale-out", 4 * SECOND, 5 * SECOND),), added=("n4",)
    )

    def test_share_of_the_answers_since_the_node_was_seen(self) -> None:
        before = [*asked(20, node="n1"), *asked(2, 4.5, node="n4")]
        found = costs([*before, *asked(3, 6, node="n1"), *asked(1, 6, node="n4")], at=self.grown)
        assert found.new_node_share == 0.25

    def test_an_idle_one_has_no_share(self) -> None:
        assert costs([*asked(20, node="n1"), *asked(9, 6, node="n1")], at=self.grown).new_node_share == 0.0

    def test_without_a_new_node_there_is_no_share(self) -> None:
        assert costs(asked(20)).new_node_share is None
        unseen = msgspec.structs.replace(self.grown, faults=(fault("cluster", "scale-out", 4 * SECOND),))
        assert costs(asked(20), at=unseen).new_node_share is None


class TestBySamples:
    def test_processor_time_between_the_looks_by_the_answers_between_them(self) -> None:
        looks = [
            part(1, n1=node(5.0), n2=node(3.0)),
            part(3, n1=node(5.2), n2=node(3.1)),
            part(9, n1=node(5.3), n2=node(3.2)),
        ]
        found = costs([*asked(5, 0.0), *asked(10, 1.5), *asked(5, 9.5)], *looks)
        assert found.node_cpu_ms_per_request == pytest.approx(500 / 10)

    def test_a_node_that_was_started_again_begins_at_nothing(self) -> None:
        looks = [part(1, n1=node(5.0)), part(2), part(3, n1=node(0.3)), part(4, n1=node(0.5))]
        assert costs(asked(10, 1.5), *looks).node_cpu_ms_per_request == pytest.approx(50)

    def test_only_nodes_are_nodes_also_those_that_came_later(self) -> None:
        at = msgspec.structs.replace(scene(), added=("n4",))
        looks = [part(1, n1=node(1.0), store=node(1.0)), part(4, n1=node(1.1), n4=node(0.2), store=node(9.0))]
        assert costs(asked(10, 1.5), *looks, at=at).node_cpu_ms_per_request == pytest.approx(30)

    def test_memory_when_it_was_most(self) -> None:
        looks = [
            part(1, n1=node(0, 50), n2=node(0, 50)),
            part(2, n1=node(0, 70), n2=node(0, 60)),
            part(3, n1=node(0, 55)),
        ]
        assert costs([], *looks).node_memory_mb == 130.0

    def test_looks_before_and_after_the_window_do_not_count(self) -> None:
        looks = [part(-1, n1=node(0, 900)), part(1, n1=node(0, 10)), part(11, n1=node(0, 900))]
        found = costs(asked(3), *looks)
        assert (found.node_memory_mb, found.node_cpu_ms_per_request) == (10.0, None)

    def test_memory_by_sessions(self) -> None:
        looks = [held(1, n1=0, n2=0), part(1, n1=node(0, 50), n2=node(0, 50)),
                 held(2, n1=400, n2=600), part(2, n1=node(0, 51), n2=node(0, 51))]  # fmt: skip
        assert costs([], *looks).memory_bytes_per_session == round(2 * 2**20 / 1000)

    def test_copies_of_a_session_are_one(self) -> None:
        looks = [held(1, n1=0, n2=0), part(1, n1=node(0, 50), n2=node(0, 50)),
                 held(2, n1=1000, n2=998), part(2, n1=node(0, 51), n2=node(0, 51))]  # fmt: skip
        replicated = scene(architecture="replicated-memory")
        assert costs([], *looks, at=replicated).memory_bytes_per_session == round(2 * 2**20 / 1000)

    def test_a_few_sessions_tell_nothing_of_what_one_takes(self) -> None:
        looks = [held(1, n1=0), part(1, n1=node(0, 50), store=store(1, 1_000_000)),
                 held(2, n1=199), part(2, n1=node(0, 51), store=store(1, 1_200_000, 199))]  # fmt: skip
        found = costs([], *looks)
        assert (found.memory_bytes_per_session, found.store_memory_bytes_per_session) == (None, None)

    def test_sessions_of_a_node_that_did_not_answer_are_not_none(self) -> None:
        looks = [held(1, n1=0), part(1, n1=node(0, 50)), held(2, n1=400), part(2, n1=node(0, 54)),
                 held(3, n1=-1), part(3, n1=node(0, 1))]  # fmt: skip
        assert costs([], *looks).memory_bytes_per_session == round(4 * 2**20 / 400)

    def test_where_nodes_hold_nothing_a_session_costs_them_nothing_that_could_be_told(self) -> None:
        looks = [held(1, n1=0), part(1, n1=node(0, 50)), held(2, n1=0), part(2, n1=node(0, 60))]
        assert costs([], *looks).memory_bytes_per_session is None

    def test_what_the_store_did_and_holds(self) -> None:
        looks = [
            part(1, store=store(100, 1_000_000, 0)),
            part(2, store=store(140, 1_500_000, 500)),
            part(3, store=store(150, 1_500_100, 400)),
        ]
        found = costs(asked(10, 1.0), *looks, at=scene(architecture="redis"))
        assert found.store_commands_per_request == 5.0
        assert found.store_memory_bytes_per_session == 1000.0

    def test_a_store_that_was_started_again_begins_at_nothing(self) -> None:
        looks = [part(1, store=store(100)), part(2), part(3, store=store(10)), part(4, store=store(40))]
        assert costs(asked(10, 1.0), *looks, at=scene(architecture="redis")).store_commands_per_request == 4.0

    def test_without_a_store_nobody_asks_one(self) -> None:
        found = costs(asked(10, 1.0), part(1, n1=node(1)), part(3, n1=node(2)))
        assert (found.store_commands_per_request, found.store_memory_bytes_per_session) == (0.0, None)

    def test_a_store_that_nobody_looked_at_is_not_idle(self) -> None:
        found = costs(asked(10, 1.0), at=scene(architecture="redis"))
        assert (found.store_commands_per_request, found.store_memory_bytes_per_session) == (None, None)


class TestAtTheEdges:
    def test_what_is_told_is_rounded_to_what_can_be_told_apart(self) -> None:
        looks = [
            held(1, n1=0), part(1, n1=node(1.0, 10.26), store=store(100, 1_000_000, 0)),
            held(9, n1=300), part(9, n1=node(1.1, 10.86), store=store(110, 1_200_000, 300)),
        ]  # fmt: skip
        at = msgspec.structs.replace(
            scene(architecture="redis"), faults=(fault("cluster", "scale-out", SECOND // 2, SECOND),), added=("n4",)
        )
        told = [*asked(2, 2, node="n1", cookie_bytes=50, body_bytes=50), *asked(1, 3, node="n4")]
        spending = CostCounter(at, looks, 7 * SECOND + 2 * SECOND)
        for exchange in told:
            spending.add(exchange)
        assert spending.close() == Costs(
            requests_per_second=0.33, node_cpu_ms_per_request=33.3333, node_memory_mb=10.9,
            memory_bytes_per_session=2097.0, store_commands_per_request=3.3333, store_memory_bytes_per_session=667.0,
            cookie_bytes_per_request=33.3, answer_bytes_per_request=33.3, busiest_node_share=0.6667,
            new_node_share=0.3333,
        )  # fmt: skip

    @pytest.mark.parametrize(("done_us", "between"), [(999_999, 0), (1_000_000, 1), (3_000_000, 1), (3_000_001, 0)])
    def test_an_answer_is_between_the_looks_from_the_first_to_the_last(self, done_us: int, between: int) -> None:
        looks = part(1, n1=node(1.0)), part(3, n1=node(1.1))
        found = costs([*asked(1, 2), *asked(1, done_us=done_us)], *looks)
        assert found.node_cpu_ms_per_request == pytest.approx(100 / (1 + between))

    @pytest.mark.parametrize(("done_us", "share"), [(4_999_999, None), (5_000_000, 1.0)])
    def test_since_the_new_node_was_seen(self, done_us: int, share: float | None) -> None:
        assert costs(asked(1, node="n4", done_us=done_us), at=TestNewNodes.grown).new_node_share == share

    def test_of_several_new_nodes_since_the_first_was_seen(self) -> None:
        later = fault("cluster", "scale-out", 7 * SECOND, 8 * SECOND, number=1)
        at = msgspec.structs.replace(TestNewNodes.grown, faults=(later, *TestNewNodes.grown.faults))
        found = costs([*asked(1, 6, node="n4"), *asked(1, 9, node="n1")], at=at)
        assert found.new_node_share == 0.5

    def test_what_stood_still_cost_nothing(self) -> None:
        looks = part(1, n1=node(5.0), store=store(100)), part(3, n1=node(5.0), store=store(100))
        found = costs(asked(10, 1.5), *looks, at=scene(architecture="redis"))
        assert (found.node_cpu_ms_per_request, found.store_commands_per_request) == (0.0, 0.0)

    def test_so_many_sessions_tell_something(self) -> None:
        looks = [held(1, n1=0), part(1, n1=node(0, 50), store=store(1, 1_000_000)),
                 held(2, n1=200), part(2, n1=node(0, 51), store=store(1, 1_200_000, 200))]  # fmt: skip
        found = costs([], *looks)
        assert (found.memory_bytes_per_session, found.store_memory_bytes_per_session) == (round(2**20 / 200), 1000.0)

    def test_looks_at_both_ends_of_the_window_count(self) -> None:
        assert costs([], part(0, n1=node(0, 10))).node_memory_mb == 10.0
        assert costs([], part(10, n1=node(0, 10))).node_memory_mb == 10.0
        assert costs([], part(10.000_001, n1=node(0, 10))).node_memory_mb is None
        assert costs([], part(-0.000_001, n1=node(0, 10))).node_memory_mb is None
        assert costs([], part(1, n1=node(0, 0))).node_memory_mb is None, "of nodes that tell nothing"

    def test_sessions_are_those_of_the_last_sample_until_then(self) -> None:
        looks = [part(1, n1=node(0, 50)), held(2, n1=0), part(2, n1=node(0, 60)), held(2.5, n1=900),
                 held(3, n1=400), part(3, n1=node(0, 64)), held(3.1, n1=900)]  # fmt: skip
        assert costs([], *looks).memory_bytes_per_session == round(4 * 2**20 / 400)
        assert costs([], *looks, held(4), part(4, n1=node(0, 1))).memory_bytes_per_session == round(4 * 2**20 / 400)

    def test_a_described_application_without_a_server_has_no_store_that_could_be_asked(self) -> None:
        unknown = msgspec.structs.replace(scene(), description=None)
        assert costs(asked(3), at=unknown).store_commands_per_request is None
