"""Each of the broken applications is named by the right check, and a whole one raises no alarm, twenty times."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from compose.engines.registry import engine_named
from loadtests.running.application import ApplicationUnderTest
from loadtests.running.progress import Silent
from loadtests.running.run import RunRequest, run
from tests.applications import BREAKS, BROKEN, CALM, DEPLOY, counted, found

pytestmark = [pytest.mark.long, pytest.mark.cluster]


@pytest.mark.parametrize("scenario", [CALM, DEPLOY], ids=lambda path: path.stem)
def test_each_is_named_by_the_right_check(scenario: Path, tmp_path: Path) -> None:
    breaks = [each for each in BREAKS if each.scenario == scenario]
    *results, whole = found(tmp_path, breaks)
    for each, it in zip(breaks, results, strict=True):
        kinds = dict(Counter(loss.kind for loss in it.losses))
        print(f"{each.what}: {each.measure} {counted(it, each.measure):g}; all losses: {kinds}")  # noqa: T201 - with -s
    missed = [each.what for each, it in zip(breaks, results, strict=True) if not counted(it, each.measure)]
    assert not missed
    assert all(result.books_balance for result in results)
    assert whole.losses == ()


@pytest.mark.parametrize("seed", range(1, 21))
def test_a_whole_one_raises_no_alarm(seed: int, tmp_path: Path) -> None:
    """Sessions in memory, and in files that all nodes share. In tokens it is not whole: they outlive a logout."""
    under_test = ApplicationUnderTest.load(BROKEN / "app.toml")
    request = RunRequest(str(CALM), ("memory", "shared"), seed, runs=tmp_path, application=under_test)
    results = run(request, engine_named("processes"), Silent()).results.architectures
    assert len(results) == 2
    for name, result in results.items():
        assert (result.losses, result.verdict, result.reasons) == ((), "as predicted", ()), name
        assert result.books_balance
