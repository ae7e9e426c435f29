"""A hundred damaged runs come to the same end as before: an error in the same words, or the same results."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.golden.damage import OF_BUNDLES, VARIANTS, WAYS, Variant, variants
from tests.golden.product import twinshop
from tests.golden.recorded import difference

GOLDEN = Path(__file__).parent / "damaged.json"
ALL = variants()
Outcomes = dict[str, dict[str, Any]]


def outcome(variant: Variant, place: Path) -> dict[str, Any]:
    """What the product says of it: first of the run as it is, then judged again."""
    path, damaged = variant.made(place)
    checked = twinshop(place, "check", path)
    found: dict[str, Any] = {"damaged": damaged, "check": checked.code}
    if checked.complained:
        found["complains"] = checked.complained.splitlines()
    if variant.way in OF_BUNDLES:
        return found
    (place / path / "results.json").unlink(missing_ok=True)
    (place / path / "report.html").unlink(missing_ok=True)
    again = twinshop(place, "report", path)
    found["report"] = again.code
    if again.code == 0:
        results = (place / path / "results.json").read_bytes()
        document = json.loads(results)
        found |= {key: document[key] for key in ("verdict", "answer") if key in document}
        found["results.json"] = hashlib.sha256(results).hexdigest()
        found["report.html"] = hashlib.sha256((place / path / "report.html").read_bytes()).hexdigest()
    elif again.complained != checked.complained:
        found["report complains"] = again.complained.splitlines()
    return found


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
    before = golden.get(variant.name)
    if found != before:
        told = difference(*(json.dumps(each, indent=1).encode() for each in (before, found)), "json")
        pytest.fail(f"{variant.name} comes to another end now:\n{told}", pytrace=False)


def test_they_are_a_hundred_in_every_way() -> None:
    assert len({variant.name for variant in ALL}) == len(ALL) == VARIANTS == 100
    assert {variant.way for variant in ALL} == set(WAYS)


def test_nothing_golden_is_of_a_variant_that_is_gone(golden: Outcomes) -> None:
    assert list(golden) == [variant.name for variant in ALL]
