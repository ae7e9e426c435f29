"""A hundred damaged runs come to the same end as before: an error in the same words, or the same results."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.golden.damage import VARIANTS, WAYS, Variant, outcome, variants

GOLDEN = Path(__file__).parent / "damaged.json"
ALL = variants()
Outcomes = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def golden(update_golden: bool) -> Iterator[Outcomes]:
    """What each variant came to, by its name; what a test changes in it is written at the end."""
    outcomes: Outcomes = json.loads(GOLDEN.read_bytes()) if GOLDEN.exists() else {}
    if update_golden:
        outcomes = {variant.name: outcomes.get(variant.name, {}) for variant in ALL}
    yield outcomes
    if update_golden:
        GOLDEN.write_text(json.dumps(outcomes, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


@pytest.mark.parametrize("variant", ALL, ids=lambda variant: variant.name.replace(" ", "-"))
def test_a_damaged_run_comes_to_the_same_end(
    golden: Outcomes, variant: Variant, tmp_path: Path, update_golden: bool
) -> None:
    place = tmp_path / "damaged"
    place.mkdir()
    found = outcome(variant, place)
    if update_golden:
        golden[variant.name] = found
    assert found == golden.get(variant.name), "if that is meant: pytest --update-golden"


def test_they_are_a_hundred_in_every_way() -> None:
    assert len({variant.name for variant in ALL}) == len(ALL) == VARIANTS == 100
    assert {variant.way for variant in ALL} == set(WAYS)


def test_nothing_golden_is_of_a_variant_that_is_gone(golden: Outcomes) -> None:
    assert list(golden) == [variant.name for variant in ALL]
