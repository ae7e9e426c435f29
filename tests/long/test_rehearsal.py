"""The whole lesson without a person: every promise of its texts, with the shoppers that the texts speak of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from loadtests.workshop.episode_file import load_episodes
from tests.left_behind import processes_of
from tests.loadtests.command import twinshop


@pytest.mark.long
def test_the_whole_lesson_keeps_what_its_texts_promise(tmp_path: Path) -> None:
    done = twinshop(tmp_path, "rehearse", "--json", timeout=900)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    found = json.loads(done.stdout)
    assert [played["episode"] for played in found["episodes"]] == [episode.name for episode in load_episodes()]
    assert all(played["left_out"] == 0 and played["compared"] >= 7 for played in found["episodes"])
    assert processes_of(tmp_path / "state") == {}
