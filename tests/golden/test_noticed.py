"""A few of the damages of `tests.long.damages`, which tries 700: each that changes a count or a loss is noticed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.golden.product import Ended
from tests.long import damages
from tests.long.damages import TARGETED, Base, Damage, drawn, facts

FEW = [*drawn(8, 8, 2)]


@pytest.mark.parametrize("damage", FEW, ids=lambda damage: f"{damage.way}: {damage.base.name}".replace(" ", "-"))
def test_a_damage_ends_in_good_order_and_is_noticed(damage: Damage, tmp_path: Path) -> None:
    came = damage.tried(tmp_path)
    assert not came.wrong, came


def test_every_targeted_way_is_among_them() -> None:
    assert {damage.way for damage in FEW} >= set(TARGETED)


def test_a_run_that_was_written_when_other_things_counted_is_judged_anew_as_well() -> None:
    assert facts(json.loads(damages._judged("checkout-retried-without-keys")))


def test_what_is_not_noticed_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A `check` that never complains: each targeted damage of a run's losses is said to be wrong."""
    damage = Damage(0, "loss taken out", Base("no-affinity", anew=True), "a")
    said = damages._judged("no-affinity")
    monkeypatch.setattr(damages, "_check", lambda *_: (Ended(0, said, ""), 0.1))
    came = damage.tried(tmp_path)
    assert came.changed
    assert came.wrong == "other counts or losses, and no complaint"
    monkeypatch.setattr(damages, "_check", lambda *_: (Ended(5, b"", "Traceback (most recent call last):"), 0.1))
    (tmp_path / "again").mkdir()
    assert damage.tried(tmp_path / "again").wrong.startswith("exit code 5; a traceback")


def test_a_reason_is_no_fact_and_a_number_is_one() -> None:
    loss = {"kind": "logged_out", "shopper": 1, "at_ms": 1.0, "node": "n1", "cause": "a", "witness": [], "items": 0}
    result = {"losses": [loss], "logged_out": {"shoppers": 1}, "reasons": ["x"]}

    def of(**changes: object) -> object:
        return facts(json.loads(json.dumps({"architectures": {"redis": {**result, **changes}}})))

    assert of() == of(reasons=["y"]) == of(losses=[{**loss, "cause": "b"}])
    assert of() != of(losses=[{**loss, "shopper": 2}])
    assert of() != of(losses=[])
    assert of() != of(logged_out={"shoppers": 2})
