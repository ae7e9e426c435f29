"""Are the intervals what they say? Made-up experiments of which the truth is known.

The made-up faults have the shapes that real ones have: whole numbers, skewed, the same nearly every time.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import fmean

import pytest
from numpy.random import Generator, default_rng

from loadtests.campaigns.repeats.compare import repeats_of
from loadtests.campaigns.repeats.repeats import Interval
from loadtests.campaigns.repeats.statistics import interval_of
from tests.loadtests.campaigns.repeats.made_up import asked, blocks_of

Draw = Callable[[Generator], float]

SHAPES: dict[str, tuple[Draw, Draw, float]] = {
    "people, and nobody": (lambda it: it.binomial(60, 1 / 3), lambda _: 0.0, 20.0),
    "people, and a few less": (lambda it: it.binomial(60, 1 / 3), lambda it: it.binomial(60, 0.3), 2.0),
    "few losses": (lambda it: it.poisson(2.5), lambda it: it.poisson(1.0), 1.5),
    "losses in clusters": (lambda it: it.negative_binomial(2, 0.2), lambda it: it.negative_binomial(2, 0.4), 5.0),
    "seconds without service": (lambda it: it.gamma(2, 10), lambda it: it.gamma(2, 2), 16.0),
    "waits, skewed": (lambda it: 12 + it.exponential(8), lambda it: 9 + it.exponential(4), 7.0),
    "nearly always the same": (lambda it: it.choice([19, 20, 21], p=[0.2, 0.6, 0.2]), lambda _: 0.0, 20.0),
}
"""Of each: what the first and the second architecture draw, and how much their means differ."""


def intervals(shape: str, experiments: int, faults: int = 20) -> list[Interval]:
    """Of so many made-up experiments: the difference, paired by block."""
    first, second, _ = SHAPES[shape]
    chance = default_rng(2026)
    return [
        interval_of([float(first(chance)) - float(second(chance)) for _ in range(faults)]) for _ in range(experiments)
    ]


def coverage(found: list[Interval], truth: float) -> tuple[float, int]:
    """The share of intervals that hold the known difference, and in how many experiments there was one."""
    given = [each.low <= truth <= each.high for each in found if each.low is not None and each.high is not None]
    return fmean(given), len(given)


def test_a_few_hundred_intervals_hold_the_truth() -> None:
    share, given = coverage(intervals("seconds without service", 400), 16.0)
    assert given == 400
    assert 0.92 <= share <= 0.98


def false_differences(family: int, repeats: int) -> int:
    """One architecture against itself: how many of so many comparisons say that it differs from itself."""
    measures = ("logged_out", "carts_lost", "failed", "seconds_without_service", "p95_ms")
    draws: tuple[Draw, ...] = tuple(first for first, _, _ in list(SHAPES.values())[1:6])
    chance = default_rng(family)
    of = asked(repeats, ("redis", "signed-token"), measures)
    values = {
        measure: (lambda _name, _block, kind, draw=draw: 0.0 if kind in ("no-fault", "placebo") else draw(chance))
        for measure, draw in zip(measures, draws, strict=True)
    }
    told = repeats_of(of, blocks_of(of, values)).comparisons
    assert all(each.word != "not comparable" for each in told)
    return sum(each.word in ("larger", "smaller") for each in told)


def test_one_against_itself_a_few_times() -> None:
    assert sum(false_differences(family, 20) for family in range(6)) <= 1


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("shape", list(SHAPES))
def test_of_two_thousand_intervals_95_in_100_hold_the_truth(shape: str) -> None:
    share, given = coverage(intervals(shape, 2000), SHAPES[shape][2])
    print(f"{shape}: {100 * share:.1f} % of {given} intervals of 20 faults")  # noqa: T201 - the figure to publish
    assert given >= 1000
    assert 0.93 <= share <= 0.97


@pytest.mark.long
@pytest.mark.timeout(900)
def test_of_two_hundred_comparisons_of_one_against_itself_at_most_5_in_100_differ() -> None:
    false = sum(false_differences(family, 20) for family in range(40))
    print(f"A against A: {false} of 200 comparisons say that they differ")  # noqa: T201 - the figure to publish
    assert false <= 0.05 * 200


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_difference_that_is_there_is_shown() -> None:
    """A test that never says anything would be right just as often."""
    of, chance = asked(20), default_rng(1)

    def value(name: str, _block: int, kind: str) -> float:
        if kind in ("no-fault", "placebo"):
            return 0.0
        return float(chance.binomial(60, 1 / 3) - (8 if name == of.architectures[1] else 0))

    words = [repeats_of(of, blocks_of(of, value)).comparisons[0].word for _ in range(100)]
    assert words.count("larger") >= 95
    assert words.count("smaller") == 0
