"""The lifetime and each other thing that ends sessions, on real clusters: is every cause exact? `make test-long`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.loadtests.session_model.pairs_on_clusters import PAIRS, Pair, carried_out

pytestmark = [pytest.mark.long, pytest.mark.cluster]


@pytest.mark.parametrize("pair", PAIRS, ids=[pair.id for pair in PAIRS])
def test_a_pair(pair: Pair, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blamed = carried_out(pair, tmp_path)
    with capsys.disabled():
        print(f"\n{pair.id}: {blamed.exact} exact, {blamed.open} open, {len(blamed.wrong)} wrong: {blamed.words}")  # noqa: T201
    assert not blamed.wrong, "\n".join(blamed.wrong)
    assert blamed.exact > 5 * blamed.open
    seen = {word for cause in blamed.words for word in cause.replace("|", "+").split("+")}
    assert seen == {"expired", *(thing.word for thing in pair.things if thing.word)}, "each of the two ended some"
