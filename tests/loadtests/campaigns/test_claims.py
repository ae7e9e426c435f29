"""Each claim can come out in each way: change the results, and the word changes with them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

import msgspec
import pytest

from compose.architectures import ARCHITECTURES
from loadtests.campaigns.cells import Cell, Place
from loadtests.campaigns.claims import (
    OF_THE_RUN,
    REFERENCE,
    Claim,
    Reference,
    all_claims,
    decide,
    read_claims,
    references,
)
from loadtests.checks import MEASURES
from loadtests.model.formulas import is_true
from loadtests.planning.scenario_file import all_scenarios
from shared.errors import ScenarioError

CLAIMS = all_claims()
by_id = pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
TRIED = (0.0, 1.0, 60.0, 0.5)
"""Values from which a rule is made true or false."""


def cells_with(values: Mapping[Reference, float]) -> dict[Place, Cell]:
    cells: dict[Place, Cell] = {}
    for reference, value in values.items():
        place = (reference.scenario, reference.architecture)
        cell = cells.get(place, Cell(*place, "as predicted", shoppers=60, nodes=3))
        if reference.measure in OF_THE_RUN:
            cell = msgspec.structs.replace(cell, **{reference.measure: int(value)})
        else:
            cell = msgspec.structs.replace(cell, measures={**cell.measures, reference.measure: value})
        cells[place] = cell
    return cells


def named(claim: Claim) -> tuple[Reference, ...]:
    texts = [text for case in claim.case for text in (case.holds, case.says)]
    return tuple(dict.fromkeys(reference for text in texts for reference in references(text)))


def wanting(claim: Claim, wanted: tuple[bool, ...]) -> dict[Reference, float]:
    """Values under which each case comes out as wanted, found case by case and checked as a whole."""
    values: dict[Reference, float] = {}
    for reference in named(claim):
        if reference.measure in OF_THE_RUN:
            values[reference] = {"shoppers": 60.0, "nodes": 3.0}[reference.measure]
    found = _search(claim, wanted, values, 0)
    assert found is not None, f"{claim.id} cannot come out as {wanted}"
    return {reference: found.get(reference, 1.0) for reference in named(claim)}


def _search(
    claim: Claim, wanted: tuple[bool, ...], values: dict[Reference, float], place: int
) -> dict[Reference, float] | None:
    if place == len(claim.case):
        return values
    rule = claim.case[place].holds
    free = [reference for reference in references(rule) if reference not in values]
    for choice in _choices(len(free)):
        tried = values | dict(zip(free, choice, strict=True))
        if is_true(rule, {reference.name: tried[reference] for reference in references(rule)}) is wanted[place]:
            found = _search(claim, wanted, tried, place + 1)
            if found is not None:
                return found
    return None


def _choices(count: int) -> Iterator[tuple[float, ...]]:
    yield from itertools.product(TRIED, repeat=count)


def test_there_are_eighteen_each_with_a_number_of_its_own() -> None:
    assert [claim.id for claim in CLAIMS] == [f"C{number}" for number in range(1, 19)]


@by_id
def test_every_number_that_a_claim_names_is_one(claim: Claim) -> None:
    for reference in named(claim):
        assert reference.architecture in ARCHITECTURES
        assert reference.measure in MEASURES or reference.measure in OF_THE_RUN


@by_id
def test_every_bracket_is_a_number(claim: Claim) -> None:
    """A misspelt one would stand in the sentence as it is."""
    for case in claim.case:
        for text in (case.holds, case.says):
            assert text.count("[") == text.count("]") == len(REFERENCE.findall(text))


@by_id
def test_confirmed_if_every_case_holds(claim: Claim) -> None:
    cells = cells_with(wanting(claim, (True,) * len(claim.case)))
    decision = decide(claim, cells)
    assert decision.word == "confirmed"
    assert decision.sentence.startswith("It holds for ")
    assert "it does not for" not in decision.sentence
    assert "[" not in decision.sentence


@by_id
def test_refuted_if_none_does(claim: Claim) -> None:
    decision = decide(claim, cells_with(wanting(claim, (False,) * len(claim.case))))
    assert decision.word == "refuted"
    assert decision.sentence.startswith("It does not hold for ")


@by_id
def test_it_depends_if_one_differs_whichever(claim: Claim) -> None:
    possible = 0
    for differing in range(len(claim.case)):
        wanted = tuple(number == differing for number in range(len(claim.case)))
        decision = decide(claim, cells_with(wanting(claim, wanted)))
        assert decision.word == "depends"
        assert f"It holds for {claim.case[differing].name} (" in decision.sentence
        assert "; it does not for " in decision.sentence
        possible += 1
    assert possible == len(claim.case) >= 2


@by_id
def test_not_decided_if_a_cell_is_missing_and_nothing_speaks_against(claim: Claim) -> None:
    cells = cells_with(wanting(claim, (True,) * len(claim.case)))
    reference = references(claim.case[0].holds)[0]
    del cells[reference.scenario, reference.architecture]
    decision = decide(claim, cells)
    assert decision.word == "not decided"
    assert f"{reference.scenario} on {reference.architecture} was not run" in decision.sentence
    assert f"--scenario {reference.scenario}" in decision.sentence


@by_id
def test_an_inconclusive_cell_decides_nothing(claim: Claim) -> None:
    cells = cells_with(wanting(claim, (False,) * len(claim.case)))
    doubtful = {place: msgspec.structs.replace(cell, word="inconclusive") for place, cell in cells.items()}
    decision = decide(claim, doubtful)
    assert decision.word == "not decided"
    assert "is inconclusive" in decision.sentence


@by_id
def test_nothing_run_nothing_decided(claim: Claim) -> None:
    decision = decide(claim, {})
    assert decision.word == "not decided"
    assert "run twinshop matrix --scenario" in decision.sentence


def test_a_number_that_is_not_as_predicted_decides_all_the_same() -> None:
    """It was measured: that a prediction failed is a finding about the prediction."""
    claim = CLAIMS[0]
    cells = cells_with(wanting(claim, (True,) * len(claim.case)))
    refuted = {place: msgspec.structs.replace(cell, word="not as predicted") for place, cell in cells.items()}
    assert decide(claim, refuted).word == "confirmed"


def test_the_scenarios_that_decide_are_in_the_catalogue() -> None:
    """And measured on the architectures that the claims name."""
    known = {scenario.name: scenario.architectures for scenario in all_scenarios()}
    missing = {
        f"{reference.scenario} on {reference.architecture}"
        for claim in CLAIMS
        for reference in named(claim)
        if reference.architecture not in known.get(reference.scenario, ())
    }
    assert not missing


@pytest.mark.parametrize(
    ("old", "new"),
    [("holds =", "hold ="), ("[node-kill/sticky-memory/logged_out] > 0", "[node-kill/sticky-memory/logged_out]")],
)
def test_a_slip_in_the_file_is_told(old: str, new: str) -> None:
    rule = "[node-kill/sticky-memory/logged_out] > 0"
    text = f'[[claim]]\nid = "C1"\nclaim = "So."\n[[claim.case]]\nname = "x"\nholds = "{rule}"\nsays = "y"\n'
    assert len(read_claims(text.encode(), file="claims.toml")) == 1
    with pytest.raises(ScenarioError, match=r"claims\.toml"):
        read_claims(text.replace(old, new).encode(), file="claims.toml")
