"""The smallest sets without which there is no harm: minimal, all of one size, settings last, only what is needed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from itertools import combinations

import pytest

from loadtests.session_model.circumstances import Factor, Harm, Without, circumstances_of
from loadtests.session_model.counterfactual import MOST_FACTORS, Explanation, Harms, counterfactual_in_words, explain_by
from tests.loadtests.session_model.accused import strike, where

A, B, C = (Factor("fault", name, number) for number, name in enumerate("abc"))
LIFE = Factor("time", "expired")
SET = Factor("setting", "set")


def harm(factor: Factor, at_us: int = 0, *, sure: bool = True) -> Harm:
    return Harm(factor, factor.name, at_us, sure)


def each(*all_of_them: Harm) -> Harms:
    """Harms that are there whatever else is thought away: all of them are needed."""
    return lambda without: [one for one in all_of_them if one.factor not in without]


def both(*together: Harm) -> Harms:
    """A harm that takes all of these: without any one of them, there is none."""
    return lambda without: [] if any(one.factor in without for one in together) else list(together)


def first(*layers: Harms) -> Harms:
    """Harms that hide others: of the first layer that has some, only these show."""
    return lambda without: next((found for layer in layers if (found := layer(without))), [])


CASES: dict[str, tuple[Harms, str]] = {
    "nothing": (each(), "unexplained"),
    "one": (each(harm(A)), "a"),
    "several, in order of time": (each(harm(A, 9), harm(LIFE, 5)), "expired+a"),
    "a setting stands last": (each(harm(SET, -1), harm(A, 9)), "a+set"),
    "alternatives": (both(harm(A), harm(B)), "a|b"),
    "no setting where a fault suffices": (both(harm(SET), harm(B)), "b"),
    "a setting where nothing else does": (each(harm(SET)), "set"),
    "what is hidden is needed too": (first(each(harm(SET)), each(harm(A))), "a+set"),
    "what only may be is left out": (each(harm(A), harm(B, sure=False)), "a"),
    "what only may be, where nothing is sure": (each(harm(A, sure=False), harm(B, sure=False)), "a+b"),
    "equal words once": (each(harm(A, 1), harm(A._replace(fault=7), 2)), "a"),
}


@pytest.mark.parametrize("name", list(CASES))
def test_what_is_named(name: str) -> None:
    harms, cause = CASES[name]
    assert explain_by(harms).cause == cause


def drawn(seed: int) -> tuple[Harms, list[Factor]]:
    """A made-up loss: a few conjunctions of factors, each of which is a harm unless one of its factors is gone."""
    chance = random.Random(seed)
    factors = [A, B, C, LIFE, SET]
    clauses = [chance.sample(factors, chance.randint(1, 3)) for _ in range(chance.randint(1, 4))]

    def harms(without: Without) -> list[Harm]:
        there = [clause for clause in clauses if not without & set(clause)]
        return [harm(factor) for clause in there for factor in clause]

    return harms, factors


def smallest(harms: Callable[[Without], list[Harm]], factors: Iterable[Factor]) -> set[Without]:
    """By trying everything: the sets with the fewest settings, and of these the smallest."""
    pool = list(factors)
    every = [frozenset(some) for size in range(len(pool) + 1) for some in combinations(pool, size)]
    good = [some for some in every if not harms(some)]

    def rank(some: Without) -> tuple[int, int]:
        return sum(factor.kind == "setting" for factor in some), len(some)

    best = min(map(rank, good))
    return {some for some in good if rank(some) == best}


@pytest.mark.parametrize("seed", range(300))
def test_the_sets_are_the_smallest_and_each_is_minimal(seed: int) -> None:
    harms, factors = drawn(seed)
    found = {frozenset(one.factor for one in alternative) for alternative in explain_by(harms).alternatives}
    assert found == smallest(harms, factors)
    for some in found:
        assert all(harms(some - {factor}) for factor in some), "dropping any member loses the explanation"


def test_what_came_at_one_moment_stands_in_the_order_of_the_plan() -> None:
    # With so many, the order of a set is another one in nearly every process.
    factors = [Factor("fault", "same", number) for number in range(6)]
    (named,) = explain_by(each(*(harm(factor) for factor in reversed(factors)))).alternatives
    assert [one.factor.fault for one in named] == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(("count", "explained"), [(MOST_FACTORS, True), (MOST_FACTORS + 1, False)])
def test_so_many_are_thought_away_and_no_more(count: int, explained: bool) -> None:
    factors = [Factor("fault", f"{number:02}", number) for number in range(count)]
    found = explain_by(each(*(harm(factor, number) for number, factor in enumerate(factors))))
    assert {one.factor.fault for _, one in found.members} == (set(range(count)) if explained else set())
    assert found.cause == ("+".join(factor.name for factor in factors) if explained else "unexplained")


def test_of_several_harms_of_one_factor_the_first_is_told() -> None:
    found = explain_by(each(harm(A, 9), harm(A, 3)._replace(word="z"), harm(A, 3)._replace(word="y")))
    assert found.members == ((0, Harm(A, "y", 3)),)


def test_what_is_hidden_is_told_with_the_harm_that_shows_without_the_others() -> None:
    found = explain_by(first(each(harm(SET, -1)), each(harm(A, 4), harm(A, 2))))
    assert found.members == ((0, Harm(A, "a", 2)), (0, Harm(SET, "set", -1)))


def test_alternatives_are_numbered() -> None:
    found = explain_by(both(harm(A, 1), harm(B, 2)))
    assert found.members == ((0, harm(A, 1)), (1, harm(B, 2)))


class TestInWords:
    AROUND = circumstances_of(where("redis", strike("kill"), strike("store-kill", "store", at=7)))
    KILL, STORE = AROUND.faults

    def told(self, *alternatives: tuple[Harm, ...]) -> str:
        return counterfactual_in_words(Explanation(alternatives), self.AROUND, "it was good", " (it began)")

    def test_each_kind_of_factor(self) -> None:
        for one, told in (
            (Harm(self.KILL, "node_killed", 5_000_000), "killing n2 at 5.0 s"),
            (Harm(LIFE, "expired", 6_500_000), "the end of its lifetime at 6.5 s (it began)"),
            (Harm(SET, "worker", -1), "several processes in a node"),
            (Harm(SET, "worker", 0), "several processes in a node at 0.0 s"),
            (Harm(SET, "some_thing", 1_234_567_890), "some thing at 1,234.6 s"),
        ):
            assert self.told((one,)) == f"without {told}, it was good"

    def test_members_alternatives_and_nothing(self) -> None:
        kill, store = Harm(self.KILL, "node_killed", 5_000_000), Harm(self.STORE, "store_lost", 7_000_000)
        words = "killing n2 at 5.0 s", "killing the store at 7.0 s"
        assert self.told((kill, store)) == f"without {words[0]} and {words[1]}, it was good"
        assert self.told((kill,), (store,), (kill,)) == f"without {words[0]}, or without {words[1]}, it was good"
        assert self.told() == ""
