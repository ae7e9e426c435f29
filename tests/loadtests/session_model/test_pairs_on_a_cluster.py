"""Lifetimes end and a part is killed, on real clusters: who is blamed for each logout? All pairs: `make test-long`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.loadtests.session_model.pairs_on_clusters import PAIRS, Pair, carried_out

QUICK = [
    replace(pair, load={"seconds": 5})
    for pair in PAIRS
    if pair.id in ("sticky-memory: expiry, kill", "redis: expiry, store killed")
]


@pytest.mark.cluster
@pytest.mark.parametrize("pair", QUICK, ids=[pair.id for pair in QUICK])
def test_each_logout_is_blamed_on_what_would_have_ended_the_session_by_then(pair: Pair, tmp_path: Path) -> None:
    blamed = carried_out(pair, tmp_path)
    assert not blamed.wrong, "\n".join(blamed.wrong)
    assert blamed.exact > 5 * blamed.open
    assert set(blamed.words) >= {"expired"}
    assert any(pair.things[0].word in cause for cause in blamed.words), blamed.words


def test_both_pairs_are_there() -> None:
    assert len(QUICK) == 2
