"""The order of blocks: nobody is always first, and a machine that slows down accuses nobody."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise, permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from loadtests.campaigns.repeats.repeats import CONTROLLED, blocks_asked, controlled_blocks, in_turn

names = st.lists(st.text("abcdefgh", min_size=1, max_size=3), min_size=2, max_size=8, unique=True)


def test_two_take_turns_as_abba() -> None:
    assert ["".join(in_turn("AB", block)) for block in range(8)] == ["AB", "BA", "BA", "AB", "AB", "BA", "BA", "AB"]


@settings(deadline=None)
@given(names, st.integers(0, 40))
def test_in_every_block_everybody_is_once(architectures: list[str], block: int) -> None:
    assert sorted(in_turn(architectures, block)) == sorted(architectures)


@settings(deadline=None)
@given(names, st.integers(0, 10))
def test_in_every_round_everybody_stands_once_in_every_place(architectures: list[str], round_: int) -> None:
    count = len(architectures)
    length = 4 if count == 2 else count
    orders = [in_turn(architectures, round_ * length + block) for block in range(length)]
    stood = Counter((name, place) for order in orders for place, name in enumerate(order))
    assert set(stood.values()) == {length // count}
    assert len(stood) == count * count


@settings(deadline=None)
@given(names)
def test_over_two_rounds_everybody_comes_as_often_before_as_after_everybody_else(architectures: list[str]) -> None:
    orders = [in_turn(architectures, block) for block in range(2 * max(len(architectures), 2))]
    before = Counter(
        pair for order in orders for pair in permutations(order, 2) if order.index(pair[0]) < order.index(pair[1])
    )
    assert len(set(before.values())) == 1


@settings(deadline=None)
@given(st.integers(0, 5))
def test_a_machine_that_slows_down_evenly_slows_both_alike(four: int) -> None:
    moments = enumerate(name for block in range(4) for name in in_turn("AB", 4 * four + block))
    sums: Counter[str] = Counter()
    for moment, name in moments:
        sums[name] += moment
    assert sums["A"] == sums["B"]


@settings(deadline=None)
@given(st.integers(2, 200))
def test_controls_are_few_at_least_one_of_each_and_spread(repeats: int) -> None:
    blocks = controlled_blocks(repeats)
    assert len(blocks) == max(1, repeats // CONTROLLED)
    assert len(set(blocks)) == len(blocks)
    assert all(0 <= block < repeats for block in blocks)
    gaps = [later - block for block, later in pairwise(blocks)]
    assert not gaps or max(gaps) - min(gaps) <= 1


@settings(deadline=None)
@given(names, st.integers(2, 40), st.integers(0, 1000))
def test_what_is_run(architectures: list[str], repeats: int, seed: int) -> None:
    found = blocks_asked(architectures, repeats, seed)
    faults = [turn for turn in found if turn.kind == "fault"]
    assert [turn.seed for turn in faults] == list(range(seed, seed + repeats))
    count = len(controlled_blocks(repeats))
    assert Counter(turn.kind for turn in found) == {
        "fault": repeats, "no-fault": count, "placebo": count, "again": count,
    }  # fmt: skip
    for turn in found:
        (block,) = [each for each in faults if each.number == turn.number]
        assert turn.seed == block.seed
        assert turn.order == (architectures[0],) if turn.kind == "again" else block.order


def test_the_second_time_comes_before_and_after_in_turn() -> None:
    found = blocks_asked("AB", 40, 1)
    before = [found.index(turn) < found.index(fault) for turn in found if turn.kind == "again"
              for fault in found if fault.kind == "fault" and fault.number == turn.number]  # fmt: skip
    assert before == [False, True, False, True]
