"""What repeats come to: words, corrections, controls, one sentence; and no winner."""

from __future__ import annotations

import msgspec
import pytest

from loadtests.campaigns.repeats.compare import counts_of, extent, mirrored, repeats_of
from loadtests.campaigns.repeats.repeats import Interval, Repeats
from tests.loadtests.campaigns.repeats.made_up import NAMES, asked, blocks_of, reshot, twenty_more

SAME = Interval(20.0, None, None, 20.0, 20, 0.14)


def test_larger_smaller_and_by_how_much() -> None:
    told = repeats_of(asked(), blocks_of(asked(), twenty_more))
    (larger,) = told.comparisons
    assert (larger.first, larger.second, larger.word) == (*NAMES, "larger")
    assert larger.difference is not None
    assert larger.difference.low is not None
    assert larger.difference.low < larger.difference.mean == larger.first_mean
    assert larger.second_mean == 0
    turned = asked(names=NAMES[::-1])
    (smaller,) = repeats_of(turned, blocks_of(turned, twenty_more)).comparisons
    assert smaller.word == "smaller"
    assert smaller.difference is not None
    assert smaller.difference.mean == -larger.difference.mean


def test_all_the_same_is_shown_without_an_interval() -> None:
    of = asked()
    told = repeats_of(of, blocks_of(of, lambda name, *_: 20.0 if name == NAMES[0] else 0.0))
    (same,) = told.comparisons
    assert same.word == "larger"
    assert same.difference is not None
    assert (same.difference.low, same.difference.commonest_faults) == (None, 20)
    assert same.p_holm == 2.0**-19
    assert told.answer == (
        "Per fault, shoppers logged out: 20 more in sticky-memory than in redis (the same in all 20 faults)."
    )


def test_nothing_differs() -> None:
    of = asked()
    (told,) = repeats_of(of, blocks_of(of, lambda *_: 3.0)).comparisons
    assert (told.word, told.p, told.p_holm) == ("no difference shown", 1.0, 1.0)


def test_chance_is_corrected_for_everything_that_was_tried() -> None:
    measures = ("logged_out", "carts_lost", "failed", "unknown")
    of = asked(10, measures=measures)

    def some(name: str, block: int, kind: str) -> float:
        return 0.0 if kind in ("no-fault", "placebo") or name != NAMES[0] else float(block % 5 and 1)

    quiet = {measure: (lambda *_: 0.0) for measure in measures[1:]}
    told = repeats_of(of, blocks_of(of, {"logged_out": some, **quiet}))
    found = {each.measure: each for each in told.comparisons}
    assert found["logged_out"].p == pytest.approx(2 / 2**8)
    assert found["logged_out"].p_holm == pytest.approx(4 * 2 / 2**8)


def test_every_pair_of_four_architectures() -> None:
    of = asked(12, ("sticky-memory", "roundrobin-memory", "signed-token", "redis"))
    told = repeats_of(of, blocks_of(of, twenty_more))
    assert len(told.comparisons) == 6
    assert told.answer == (
        "Per fault, shoppers logged out: 17 to 23 in sticky-memory, 0 in roundrobin-memory, 0 in signed-token, "
        "0 in redis; 3 of 6 pairs differ."
    )
    assert len(told.again) == 1


def test_left_out_blocks_leave_no_trace_in_the_numbers() -> None:
    of = asked()
    blocks = reshot(blocks_of(of, twenty_more), 4, "redis", doubt="hit nobody", values={"logged_out": 99.0})
    told = repeats_of(of, blocks)
    assert told.comparisons[0].faults == 19
    assert told.means["logged_out"]["redis"].mean == 0


def test_the_verdict_is_the_worst_of_the_fault_blocks() -> None:
    of = asked()
    blocks = blocks_of(of, twenty_more)

    def with_verdict(number: int, kind: str, verdict: str) -> Repeats:
        return repeats_of(of, [
            msgspec.structs.replace(it, verdict=verdict) if (it.number, it.kind) == (number, kind) else it
            for it in blocks
        ])  # fmt: skip

    assert repeats_of(of, blocks).verdict == "as predicted"
    assert with_verdict(2, "fault", "inconclusive").verdict == "inconclusive"
    assert with_verdict(2, "fault", "not as predicted").verdict == "not as predicted"
    assert with_verdict(6, "placebo", "inconclusive").verdict == "as predicted", "a control always is"


def test_it_never_names_a_winner_and_stays_within_thirty_words() -> None:
    for measure in ("logged_out", "p95_ms", "seconds_without_service", "streams_lost"):
        for repeats in (3, 20):
            of = asked(repeats, ("a-very-long-architecture", "redis"), (measure,))
            answer = repeats_of(of, blocks_of(of, twenty_more)).answer
            assert len(answer.split()) <= 30
            assert not {"best", "better", "winner", "wins", "worse"} & set(answer.lower().split())


def test_how_sure() -> None:
    assert extent(SAME, 20) == "the same in all 20 faults"
    assert extent(SAME, 22) == "20 in 20 of 22 faults"
    assert extent(Interval(1.0, 0.5, 1.5, 1.0, 2, 0.9), 20) == "95 %: 0.5 to 1.5"
    assert mirrored(Interval(1.0, 0.5, 2.5, 1.0, 2, 0.9)) == Interval(-1.0, -2.5, -0.5, -1.0, 2, 0.9)


@pytest.mark.parametrize("names", [NAMES, ("sticky-memory", "roundrobin-memory", "signed-token", "redis")])
def test_too_few_faults_are_told_as_plain_counts(names: tuple[str, ...]) -> None:
    of = asked(4, names)
    told = repeats_of(of, blocks_of(of, twenty_more))
    assert {each.word for each in told.comparisons} == {"not comparable"}
    counts = counts_of(of, told.blocks, "logged_out")
    assert set(counts["redis"]) == {0.0}
    ones = [f"{value:g}" for value in counts["sticky-memory"]]
    plain = ", ".join(ones) if len(names) == 2 else f"{min(ones)} to {max(ones)}"
    assert told.answer.startswith(f"Per fault, shoppers logged out: {plain} in sticky-memory, 0 in ")
    assert told.answer.endswith("; too few faults to compare.")
    assert len(told.answer.split()) <= 30
