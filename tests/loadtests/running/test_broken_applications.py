"""An application that is broken is named by the right check; beside it, a whole one raises no alarm."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.applications import BREAKS, counted, found

QUICK = [each for each in BREAKS if each.what in ("lost on every tenth request", "somebody else's session")]


@pytest.mark.cluster
def test_what_is_broken_is_named_and_what_is_whole_is_not(tmp_path: Path) -> None:
    *results, whole = found(tmp_path, QUICK)
    for each, result in zip(QUICK, results, strict=True):
        assert counted(result, each.measure) > 0, each.what
        assert result.books_balance
    assert (whole.losses, whole.verdict, whole.reasons) == ((), "as predicted", ())
