"""The statistics, case by case; test_coverage.py tries them a few thousand times.

SciPy is imported by the tests that ask it: all test processes find these tests, and it takes a second.
"""

from __future__ import annotations

import subprocess
import sys
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtests.campaigns.repeats.statistics import (
    LEAST_OTHERS,
    METHODS,
    chance_of,
    holm,
    interval_of,
    least_faults,
    share_at_most,
    smallest_chance,
)

DIFFERENCES = st.lists(st.integers(-9, 9).map(float), min_size=2, max_size=10)


def by_hand(differences: list[float]) -> float:
    """The exact two-sided p-value: twice the smaller tail of all 2^n sign changes."""
    seen = sum(differences)
    sums = [sum(sign * value for sign, value in zip(signs, differences, strict=True))
            for signs in product((1, -1), repeat=len(differences))]  # fmt: skip
    up, down = sum(each >= seen - 1e-9 for each in sums), sum(each <= seen + 1e-9 for each in sums)
    return min(1.0, 2 * min(up, down) / len(sums))


@settings(max_examples=40, deadline=None)
@given(DIFFERENCES)
def test_chance_is_exact_for_few_faults(differences: list[float]) -> None:
    assert chance_of(differences) == pytest.approx(by_hand(differences))


def test_chance_of_what_never_varies() -> None:
    assert chance_of([20.0] * 5) == pytest.approx(by_hand([20.0] * 5)) == 1 / 16
    assert chance_of([20.0] * 40) == 2.0**-39, "however many: no need to try all ways"
    assert chance_of([0.0] * 40) == 1.0


def test_chance_of_many_faults_is_drawn_at_random_and_the_same_again() -> None:
    from scipy import stats

    differences = [float(value) for value in (3, -1, 4, 1, -5, 9, 2, 6, -5, 3, 5, 8, 9, -7, 9, 3, 2, 3, 8, 4)]
    assert chance_of(differences) == chance_of(differences)
    assert chance_of(differences) == pytest.approx(stats.ttest_1samp(differences, 0).pvalue, rel=0.5)
    assert chance_of([-each for each in differences]) == pytest.approx(chance_of(differences), rel=0.2)


def test_an_interval_of_what_never_varies_is_none_and_says_how_often() -> None:
    told = interval_of([20.0] * 20)
    assert (told.mean, told.low, told.high) == (20.0, None, None)
    assert (told.commonest, told.commonest_faults) == (20.0, 20)
    assert told.others_at_most == pytest.approx(1 - 0.05 ** (1 / 20)), "the rule of three, exactly"


@pytest.mark.parametrize("others", range(1, 8))
def test_an_interval_needs_five_faults_that_differ(others: int) -> None:
    from scipy import stats

    told = interval_of([20.0] * 15 + [20.0 + each for each in range(1, others + 1)])
    assert (told.low is not None) == (others >= LEAST_OTHERS)
    assert told.others_at_most == pytest.approx(stats.beta.ppf(0.95, others + 1, 15))


def test_an_interval_is_no_narrower_than_students() -> None:
    from scipy import stats

    for sample in ([1.0, 2, 3, 4, 5, 6, 9], [0.0, 0.1, 0.2, 0.4, 0.9, 2.5, 9.0], [-3.0, -1, 0, 1, 2, 7, 8]):
        told, students = interval_of(sample), stats.ttest_1samp(sample, 0).confidence_interval(0.95)
        assert told.low is not None
        assert told.high is not None
        assert told.low <= students.low < told.mean < students.high <= told.high


def test_an_interval_of_skewed_faults_reaches_to_where_the_tail_is() -> None:
    skewed = [0.1, 0.2, 0.2, 0.3, 0.4, 0.5, 0.7, 1.1, 2.4, 7.0]
    told = interval_of(skewed)
    assert told.low is not None
    assert told.high is not None
    assert told.high - told.mean > 1.5 * (told.mean - told.low)
    assert interval_of(skewed) == told, "the same numbers give the same interval"


def test_a_share() -> None:
    assert share_at_most(20, 20) == 1.0
    assert share_at_most(0, 1) == pytest.approx(0.95)


def test_holm_by_its_own_example() -> None:
    """Holm's: the smallest of four is taken four times, the next three times, and none falls behind the one before."""
    assert holm([0.01, 0.04, 0.03, 0.005], 4) == pytest.approx((0.03, 0.06, 0.06, 0.02))
    assert holm([0.01, 0.5], 10) == pytest.approx((0.1, 1.0)), "what is not comparable still counts as tried"
    assert holm([], 7) == ()


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_never_makes_anything_surer(chances: list[float]) -> None:
    corrected = holm(chances, len(chances))
    assert all(chance <= each <= 1 for chance, each in zip(chances, corrected, strict=True))
    assert sorted(range(len(chances)), key=lambda it: (chances[it], it)) == sorted(
        range(len(chances)), key=lambda it: (corrected[it], chances[it], it)
    )


@pytest.mark.parametrize("comparisons", [1, 2, 7, 48, 500])
def test_so_many_faults_can_just_show_something(comparisons: int) -> None:
    least = least_faults(comparisons)
    assert holm([smallest_chance(least)], comparisons)[0] <= 0.05
    assert holm([smallest_chance(least - 1)], comparisons)[0] > 0.05


def test_every_method_is_named_and_cited() -> None:
    for method in METHODS:
        assert method.by.startswith(("scipy.", "numpy."))
        assert "(19" in method.cited or "(20" in method.cited


def test_the_command_line_does_not_import_it() -> None:
    script = (
        "import sys, loadtests.cli as c; c.main(['-h']); c.main(['run', '-h']); "
        "sys.exit(', '.join({'scipy', 'numpy'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr
