"""Every reason for which a comparison is refused; and that nothing is refused without one."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from loadtests.campaigns.repeats.compare import repeats_of
from loadtests.campaigns.repeats.repeats import Asked, Block, Comparison
from tests.loadtests.campaigns.repeats.made_up import asked, blocks_of, changed, reshot, twenty_more

ASKED = asked()
BLOCKS = blocks_of(ASKED, twenty_more)


def compared(blocks: Sequence[Block], of: Asked = ASKED) -> Comparison:
    (told,) = repeats_of(of, blocks).comparisons
    return told


def refused(blocks: Sequence[Block], of: Asked = ASKED) -> str:
    """The reason."""
    told = compared(blocks, of)
    assert told.word == "not comparable"
    assert (told.difference, told.p, told.p_holm) == (None, None, None)
    return told.reason


def test_nothing_is_refused_without_a_reason() -> None:
    told = compared(BLOCKS)
    assert (told.word, told.reason, told.faults) == ("larger", "", 20)


def test_a_load_process_over_80_percent() -> None:
    assert compared(reshot(BLOCKS, 7, "redis", load_cpu=80.0)).word == "larger"
    reason = refused(reshot(BLOCKS, 7, "redis", load_cpu=81.0))
    assert reason.startswith("the load process of redis used 81 % of a core in block 7, more than 80 %")


def test_plans_that_differ_within_a_block() -> None:
    assert (
        refused(changed(BLOCKS, 3, plan_sha256="0th3r" * 12))
        == "the plans differ in block 3: 00035eed5eed and 0th3r0th3r0t"
    )


def test_another_plan_than_the_one_that_was_planned_is_refused_for_a_against_a_too() -> None:
    (number,) = {block.number for block in BLOCKS if block.kind == "again"} & {6}
    (told,) = repeats_of(ASKED, changed(BLOCKS, number, "again", plan_sha256="0th3r" * 12)).again
    assert told.reason.startswith("the plans differ in block 6")


def test_logs_that_do_not_reconcile() -> None:
    reason = refused(reshot(BLOCKS, 20, "sticky-memory", mismatches=2))
    assert reason == "the logs of client, balancer and nodes disagree on 2 requests of sticky-memory in block 20"


def test_a_machine_too_noisy_says_the_placebo() -> None:
    """60 shoppers: three of them may differ between placebo and no fault, in the mean of both control blocks."""
    quiet = reshot(BLOCKS, 6, "redis", "placebo", values={"logged_out": 6.0})
    assert compared(quiet).word == "larger"
    reason = refused(reshot(BLOCKS, 6, "redis", "placebo", values={"logged_out": 7.0}))
    assert reason == (
        "the machine was too noisy: with nothing broken, redis was 3.5 apart from itself (placebo and no fault), "
        "more than 3"
    )


@pytest.mark.parametrize("missing", ["placebo", "no-fault"])
def test_without_its_controls_nobody_knows(missing: str) -> None:
    reason = refused([block for block in BLOCKS if block.kind != missing])
    assert reason.startswith("nobody knows how noisy the machine was")


def test_an_architecture_that_differs_from_itself() -> None:
    """Many A against A, so that it can be shown at all; each time ten more than the first time."""
    of = asked(60)
    blocks = blocks_of(of, twenty_more)
    for number in [block.number for block in blocks if block.kind == "again"]:
        blocks = reshot(blocks, number, "sticky-memory", "again", values={"logged_out": 40.0})
    assert repeats_of(of, blocks).again[0].word == "larger"
    assert refused(blocks, of).startswith("the machine was too noisy: sticky-memory differs from itself")


def test_too_few_faults_to_show_anything() -> None:
    few = asked(5)
    assert refused(blocks_of(few, twenty_more), few) == (
        "too few faults: 5 counted, and it takes 6 to show anything"
    )  # fmt: skip
    just = asked(6)
    assert compared(blocks_of(just, twenty_more), just).word == "larger"


def test_the_more_is_compared_the_more_faults_it_takes() -> None:
    many = asked(6, measures=("logged_out", "carts_lost"))
    told = repeats_of(many, blocks_of(many, twenty_more))
    assert told.least_faults == 7
    assert {each.word for each in told.comparisons} == {"not comparable"}


def test_too_many_left_out() -> None:
    blocks = BLOCKS
    for number in range(1, 5):
        blocks = reshot(blocks, number, "redis", doubt="the kill of n1 hit nobody")
    assert compared(blocks).faults == 16
    reason = refused(reshot(blocks, 5, "sticky-memory", doubt="the kill of n1 hit nobody"))
    assert reason == "too few faults: 15 counted (in block 1 the kill of n1 hit nobody) of 20, less than 80 %"


def test_a_measure_that_was_not_measured() -> None:
    blocks = [
        msgspec.structs.replace(
            block, shots=tuple(msgspec.structs.replace(shot, values={"logged_out": None}) for shot in block.shots)
        )
        for block in BLOCKS
    ]
    assert "nobody knows how noisy" in refused(blocks)
