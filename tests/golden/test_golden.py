"""Every recorded run, judged and written again from scratch, comes to the same bytes as before."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.golden.product import twinshop
from tests.golden.recorded import COMPARED, OUTPUTS, RUNS, Recorded, agree, difference, names, outputs_of, transcript

CASES = [(name, output) for name in names() for output in outputs_of(name)]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Recorded]:
    """A recorded run by its name, opened once."""

    @cache
    def opened(name: str) -> Recorded:
        return Recorded(name, tmp_path_factory.mktemp(name))

    return opened


@pytest.mark.parametrize(("name", "output"), CASES)
def test_a_recorded_run_comes_to_the_same(
    recorded: Callable[[str], Recorded], name: str, output: str, update_golden: bool
) -> None:
    found = recorded(name).output(outputs_of(name)[output])
    agree(OUTPUTS / name / f"{output}.xz", found, update=update_golden)


@pytest.mark.parametrize("name", COMPARED)
def test_runs_side_by_side_come_to_the_same(tmp_path: Path, name: str, update_golden: bool) -> None:
    words = COMPARED[name]
    for bundle in words:
        if bundle.endswith(".zip"):
            shutil.copy(RUNS / bundle, tmp_path)
    agree(OUTPUTS / "compared" / f"{name}.txt.xz", transcript(twinshop(tmp_path, *words)), update=update_golden)


def test_there_is_nothing_golden_that_no_run_comes_to(update_golden: bool) -> None:
    expected = {f"{name}/{output}.xz" for name, output in CASES} | {f"compared/{name}.txt.xz" for name in COMPARED}
    golden = {path.relative_to(OUTPUTS).as_posix() for path in OUTPUTS.rglob("*.xz")}
    if update_golden:
        for path in golden - expected:
            (OUTPUTS / path).unlink()
        return
    assert golden == expected


def test_a_difference_is_shown_where_it_is() -> None:
    before, found = (f"first\n{'=' * 4000}{word}{'=' * 4000}\nlast\n".encode() for word in ("lost", "kept"))
    shown = difference(before, found, "txt")
    assert "lost" in shown
    assert "kept" in shown
    assert len(shown) < 1000
