"""Rules over measured cells."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from loadtests.campaigns.cells import Cell, Place
from loadtests.campaigns.claims import Missing, Reference, holds, references, with_numbers

CELLS: dict[Place, Cell] = {
    (cell.scenario, cell.architecture): cell
    for cell in (
        Cell("kill", "redis", "as predicted", shoppers=60, nodes=3, measures={"logged_out": 20.0, "p50_ms": 1.25}),
        Cell("kill", "signed-token", "inconclusive", measures={"logged_out": 0.0}),
        Cell("kill", "sticky-hash", "not run"),
    )
}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("[kill/redis/logged_out] > 0", True),
        ("[kill/redis/logged_out] == 0", False),
        ("[kill/redis/logged_out] == [kill/redis/shoppers] / [kill/redis/nodes]", True),
        ("[kill/redis/logged_out] > 0 and not [kill/redis/p50_ms] > 1", False),
        ("[kill/redis/logged_out] > max([kill/redis/p50_ms], 30) or [kill/redis/p50_ms] == 1.25", True),
        ("1 / ([kill/redis/nodes] - 3) > 0", False),
    ],
)
def test_a_rule_holds_or_not(rule: str, expected: bool) -> None:
    assert holds(rule, CELLS) is expected


@pytest.mark.parametrize(
    ("reference", "why"),
    [
        ("[calm/redis/logged_out]", "calm on redis was not run"),
        ("[kill/sticky-hash/logged_out]", "kill on sticky-hash was not run"),
        ("[kill/signed-token/logged_out]", "kill on signed-token is inconclusive"),
        ("[kill/redis/no_such_thing]", "kill on redis has no no_such_thing"),
    ],
)
def test_what_was_not_measured_decides_nothing(reference: str, why: str) -> None:
    with pytest.raises(Missing, match=why):
        holds(f"{reference} == 0", CELLS)
    with pytest.raises(Missing, match=why):
        with_numbers(f"it is {reference}", CELLS)


@pytest.mark.parametrize(
    "rule",
    [
        "[kill/redis/logged_out]",
        "[kill/redis/logged_out] >",
        "__import__('os')",
        "[kill/redis/logged_out].real > 0",
        "",
    ],
)
def test_what_is_no_rule_is_refused(rule: str) -> None:
    with pytest.raises(ValueError, match="no rule"):
        holds(rule, CELLS)


def test_times_of_different_machines_are_not_compared() -> None:
    near, far = (
        Cell(name, "redis", "as predicted", measures={"p50_ms": 2.0, "logged_out": 1.0}, machine=machine)
        for name, machine in (("near", "m1"), ("far", "m2"))
    )
    cells = {near.place: near, far.place: far}
    assert holds("[far/redis/logged_out] == [near/redis/logged_out]", cells)
    with pytest.raises(Missing, match="the times of far on redis, near on redis were measured on different machines"):
        holds("[far/redis/p50_ms] > [near/redis/p50_ms] and [far/redis/logged_out] > 0", cells)
    one = {place: replace(cell, machine="m1") for place, cell in cells.items()}
    assert not holds("[far/redis/p50_ms] > [near/redis/p50_ms]", one)


def test_a_sentence_gets_its_numbers() -> None:
    text = "[kill/redis/logged_out] of [kill/redis/shoppers] in [kill/redis/p50_ms] ms"
    assert with_numbers(text, CELLS) == "20 of 60 in 1.25 ms"
    assert references(text + text) == (
        Reference("kill", "redis", "logged_out"),
        Reference("kill", "redis", "shoppers"),
        Reference("kill", "redis", "p50_ms"),
    )
