"""Each of the broken applications is named by the right check, and a whole one raises no alarm, twenty times."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.applications import BREAKS, CALM, DEPLOY, counted, found

pytestmark = [pytest.mark.long, pytest.mark.cluster]


@pytest.mark.parametrize("scenario", [CALM, DEPLOY], ids=lambda path: path.stem)
def test_each_is_named_by_the_right_check(scenario: Path, tmp_path: Path) -> None:
    breaks = [each for each in BREAKS if each.scenario == scenario]
    *results, whole = found(tmp_path, breaks)
    missed = [each.what for each, it in zip(breaks, results, strict=True) if not counted(it, each.measure)]
    assert not missed
    assert all(result.books_balance for result in results)
    assert whole.losses == ()


def test_a_whole_one_raises_no_alarm(tmp_path: Path) -> None:
    for seed in range(1, 21):
        folder = tmp_path / str(seed)
        folder.mkdir()
        results = found(folder, [each._replace(what="") for each in BREAKS[:1]], seed)
        assert [result.losses for result in results] == [(), ()]
        assert [result.verdict for result in results] == ["as predicted", "as predicted"]
