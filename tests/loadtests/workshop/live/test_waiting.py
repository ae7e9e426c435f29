"""Waits by the second."""

from __future__ import annotations

import msgspec

from loadtests.model.history import Exchange
from loadtests.workshop.contract import WaitsView
from loadtests.workshop.live.states import KEPT_SECONDS, Waiting

ASKED = Exchange("redis", 1, "r", "plan", "cart", "ok", 0, 0, 0, status=200)


def exchange(done_ms: int, wait_ms: int = 10, **changes: object) -> Exchange:
    times = {"sent_us": (done_ms - wait_ms) * 1000, "done_us": done_ms * 1000}
    return msgspec.structs.replace(ASKED, **times, **changes)


def waiting_with(*exchanges: Exchange) -> Waiting:
    waiting = Waiting()
    for each in exchanges:
        waiting.add(each)
    return waiting


def test_a_second_is_told_when_it_is_over() -> None:
    waiting = waiting_with(*(exchange(100 + ms, ms) for ms in range(1, 21)))
    assert waiting.close_until(999_999) == ()
    assert waiting.close_until(1_000_000) == (WaitsView(0, 20, 0, 10.0, 19.0),)
    assert waiting.close_until(1_500_000) == ()


def test_what_was_not_answered_has_no_wait_and_has_failed() -> None:
    waiting = waiting_with(
        exchange(500, 30),
        exchange(600, 500, outcome="unknown", status=0, error="timeout"),
        exchange(700, 5, outcome="failed", status=401),
        exchange(800, 400, do="linger"),
    )
    assert waiting.close_until(1_000_000) == (WaitsView(0, 4, 2, 5.0, 30.0),)


def test_what_nobody_planned_or_sent_does_not_count() -> None:
    waiting = waiting_with(
        exchange(100, why="recovery"), exchange(100, why="audit"), exchange(0, outcome="not_sent", status=0),
        exchange(100, do="forget_node", status=0),
    )  # fmt: skip
    assert waiting.close_until(9_000_000, over=True) == ()


def test_a_second_in_which_nobody_was_answered_is_told_once_somebody_is_again() -> None:
    waiting = waiting_with(exchange(500))
    assert [second.second for second in waiting.close_until(4_000_000)] == [0]
    waiting.add(exchange(3_500))
    assert waiting.close_until(4_000_000)[:2] == (WaitsView(1, 0, 0, 0.0, 0.0), WaitsView(2, 0, 0, 0.0, 0.0))
    assert list(waiting.seconds) == [0, 1, 2, 3]


def test_more_of_a_second_that_was_told_is_told_again() -> None:
    waiting = waiting_with(exchange(500, 10))
    waiting.close_until(1_000_000)
    waiting.add(exchange(600, 30))
    assert waiting.close_until(1_200_000) == (WaitsView(0, 2, 0, 10.0, 30.0),)
    assert waiting.seconds[0].asked == 2


def test_what_comes_much_too_late_changes_nothing() -> None:
    last = (KEPT_SECONDS + 5) * 1000
    waiting = waiting_with(exchange(500), exchange(last))
    waiting.close_until(1 << 40)
    waiting.add(exchange(600))
    assert waiting.close_until(1 << 40) == ()
    assert waiting.seconds[0].asked == 1


def test_at_the_end_the_last_second_is_told_though_it_is_not_over() -> None:
    waiting = waiting_with(exchange(500), exchange(1_200))
    assert [second.second for second in waiting.close_until(1_300_000, over=True)] == [0, 1]
