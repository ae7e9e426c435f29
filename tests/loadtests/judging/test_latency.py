"""Waiting times and time without service."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.judging import latency
from loadtests.judging.latency import WaitCounter, WithoutService, percentiles_of
from loadtests.model.history import Exchange
from loadtests.model.results import Percentiles
from tests.loadtests.stories import Story


def percentiles(waits_us: Iterable[int]) -> Percentiles:
    return percentiles_of(Counter(waits_us))


class TestPercentiles:
    def test_nearest_rank(self) -> None:
        found = percentiles([us * 1000 for us in range(1, 101)])
        assert (found.count, found.p50, found.p95, found.p99, found.max) == (100, 50.0, 95.0, 99.0, 100.0)

    def test_of_one(self) -> None:
        found = percentiles([1500])
        assert (found.p50, found.p99, found.max) == (1.5, 1.5, 1.5)

    def test_of_nothing(self) -> None:
        assert percentiles([]) == Percentiles(0, 0.0, 0.0, 0.0, 0.0)

    @given(st.lists(st.integers(0, 10**7), min_size=1))
    def test_is_the_smallest_wait_that_enough_do_not_exceed(self, waits: list[int]) -> None:
        found = percentiles(waits)
        for percent, value in ((50, found.p50), (95, found.p95), (99, found.p99), (99.9, found.p99_9)):
            assert round(value * 1000) in waits
            assert sum(wait <= round(value * 1000) for wait in waits) * 100 >= percent * len(waits)
            assert sum(wait < round(value * 1000) for wait in waits) * 100 < percent * len(waits)


class TestDistribution:
    def test_a_wait_belongs_to_the_bar_that_ends_with_it(self) -> None:
        found = percentiles([0, 1, 2, 1000, 1000, 1001, 1259, 1260])
        bars = [(bar.up_to_ms, bar.count) for bar in found.distribution]
        assert bars == [(0.001, 2), (0.002, 1), (1.0, 2), (1.259, 2), (1.585, 1)]

    def test_the_longest_that_times_can_make_has_its_bar(self) -> None:
        (bar,) = percentiles([2**63 - 1]).distribution
        assert (bar.count, bar.up_to_ms >= (2**63 - 1) / 1000) == (1, True)

    @given(st.lists(st.integers(0, 10**8)))
    def test_every_wait_is_in_one_bar_and_no_bar_is_empty(self, waits: list[int]) -> None:
        bars = percentiles(waits).distribution
        assert sum(bar.count for bar in bars) == len(waits)
        lower = -1.0
        for bar in bars:
            assert bar.count == sum(lower < wait / 1000 <= bar.up_to_ms for wait in waits) > 0
            lower = bar.up_to_ms


class TestFreeze:
    """Everybody waits while the shop is frozen; a client that waits too asks less, and sees less of it."""

    def test_the_percentile_from_the_plan_is_within_five_percent_of_the_truth_and_the_raw_one_is_not(self) -> None:
        every_us, frozen_us, answer_us, window_us = 100_000, 5_000_000, 2_000, 60_000_000
        freezes_us = 20_000_000
        waits = WaitCounter()
        truth = []
        free_us = 0
        for planned_us in range(0, window_us, every_us):
            sent_us = max(planned_us, free_us)  # one request at a time: what is due meanwhile is sent later
            thaws_us = freezes_us + frozen_us if freezes_us <= sent_us < freezes_us + frozen_us else sent_us
            free_us = thaws_us + answer_us
            waits.add(exchange(planned_us, sent_us, free_us))
            frozen = freezes_us <= planned_us < freezes_us + frozen_us
            truth.append((freezes_us + frozen_us - planned_us if frozen else 0) + answer_us)
        found = waits.close()
        true_p99 = percentiles(truth).p99
        assert true_p99 > 4_000
        assert abs(found.from_plan.p99 - true_p99) <= 0.05 * true_p99
        assert found.raw.p99 < 0.01 * true_p99
        assert found.raw.max == pytest.approx(5_002)


def exchange(planned_us: int, sent_us: int, done_us: int, status: int = 200, **fields: object) -> Exchange:
    return Exchange(
        "redis", 1, "r", fields.pop("why", "plan"), "cart", "ok" if status == 200 else "failed",  # type: ignore[arg-type]
        planned_us, sent_us, done_us, 0, status=status, **fields,  # type: ignore[arg-type]
    )  # fmt: skip


class TestWaits:
    def test_from_sending_and_from_the_plan(self) -> None:
        waits = WaitCounter()
        waits.add(exchange(1_000, 5_000, 7_000))
        found = waits.close()
        assert (found.raw.p50, found.from_plan.p50) == (2.0, 6.0)

    @pytest.mark.parametrize("other", [exchange(0, 0, 9, why="audit"), exchange(0, 0, 9, status=0)])
    def test_only_planned_actions_that_were_answered(self, other: Exchange) -> None:
        waits = WaitCounter()
        waits.add(other)
        assert waits.close().raw.count == 0

    @pytest.mark.parametrize("do", ["watch", "linger"])
    def test_what_takes_its_time_on_purpose_is_left_out(self, do: str) -> None:
        waits = WaitCounter()
        waits.add(msgspec.structs.replace(exchange(0, 0, 8_000_000), do=do))
        assert waits.close().raw.count == 0

    def test_an_error_is_an_answer(self) -> None:
        waits = WaitCounter()
        waits.add(exchange(0, 0, 9000, status=503))
        assert waits.close().raw.count == 1


def without(*stories: Story) -> float:
    service = WithoutService(window_us=12_000_000)
    for story in stories:
        for each in story.exchanges:
            service.add(each)
    return service.close()


class TestWithoutService:
    def test_from_the_first_failure_to_the_next_success(self) -> None:
        told = Story().login().at(1).cart(None, status=503).at(2).cart(None, status=503).at(3).cart({})
        assert without(told) == 2.01

    def test_what_was_sent_late_counts_from_its_sending(self) -> None:
        service = WithoutService(window_us=12_000_000)
        service.add(exchange(4_000_000, 5_000_000, 5_010_000, status=503))
        assert service.close() == 7.0

    def test_to_the_end_of_the_window(self) -> None:
        assert without(Story().at(10).login(status=503)) == 2.0

    def test_summed_over_shoppers(self) -> None:
        one, two = (Story(number).at(1).cart(None, status=503).at(2).cart({}) for number in (1, 2))
        assert without(one, two) == 2.02

    def test_a_recovery_does_not_end_it_nor_an_audit(self) -> None:
        told = Story().at(1).stranger().at(2).login(why="recovery").at(3).cart({})
        assert without(told) == 2.01

    def test_what_could_not_be_sent_counts_from_its_planned_start(self) -> None:
        service = WithoutService(window_us=12_000_000)
        service.add(Exchange("redis", 1, "", "plan", "cart", "not_sent", 4_000_000, done_us=9_000_000))
        assert service.close() == 8.0

    def test_no_moment_counts_twice(self) -> None:
        """A shopper who is seconds late skips every other action: each skipped one was planned long before."""
        service = WithoutService(window_us=12_000_000)
        for number in range(5):
            at_us = 6_000_000 + number * 1_000_000
            skipped = exchange(1_000_000 + number, -1, at_us, 0)
            service.add(msgspec.structs.replace(skipped, request="", outcome="not_sent"))
            service.add(exchange(at_us, at_us, at_us + 500_000))
        assert service.close() == 9.5

    def test_what_begins_after_the_window_is_no_part_of_it(self) -> None:
        """Half a millisecond less than one of both counts: what is after the end adds nothing to it, nor takes away."""
        service = WithoutService(window_us=12_000_000)
        service.add(exchange(11_999_501, 11_999_501, 11_999_601, status=503))
        for shopper in range(2, 5):
            after = exchange(11_000_000, 12_000_000 + shopper, 12_100_000, status=503)
            service.add(msgspec.structs.replace(after, shopper=shopper))
        assert service.close() == 0.0

    def test_of_a_calm_day_nothing(self) -> None:
        assert without(Story().login().cart({})) == 0.0

    def test_other_cookies_neither_begin_nor_end_it(self) -> None:
        told = Story().probe("stolen", status=401).login().cart(None, status=503).probe("second").at(2).cart({})
        assert without(told) == pytest.approx(2.01 - 0.2)

    def test_what_is_asked_while_it_lasts_ends_it_when_it_is_answered(self) -> None:
        service = WithoutService(window_us=12_000_000)
        service.add(exchange(1_000_000, 1_000_000, 1_500_000, status=503))
        service.add(exchange(1_100_000, 1_200_000, 2_000_000))
        service.add(exchange(1_600_000, 1_700_000, 2_500_000, status=503))
        service.add(exchange(2_600_000, 2_600_000, 3_000_000))
        assert service.close() == 2.0, "from 1 s to 3 s, though the second failure was sent before the first answer"

    def test_a_stream_is_no_service_by_itself(self) -> None:
        told = Story().say("watch", 503, took_ms=4000).at(5).browse()
        assert without(told) == 0


def test_many_waits_are_counted_as_a_few_are(monkeypatch: pytest.MonkeyPatch) -> None:
    def counted() -> object:
        waits = WaitCounter()
        for number in range(100):
            waits.add(exchange(number * 10, number * 11, number * 11 + number % 7))
        return waits.close()

    at_the_end = counted()
    monkeypatch.setattr(latency, "COUNTED_AT_ONCE", 30)
    assert counted() == at_the_end
