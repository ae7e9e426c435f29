"""A store that is far away: the way past the wires comes first, and nobody waits at a wire for a store that is dead."""

from __future__ import annotations

from pathlib import Path

import pytest

from compose.cluster import Reply
from loadtests.faults import FAULTS, store_far
from tests.loadtests.faults.targets import target_for


@pytest.mark.parametrize("answers", [True, False])
def test_nodes_are_asked_only_if_the_store_answers(
    answers: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = target_for(FAULTS["store-far"], tmp_path)
    asked: list[str] = []

    def across(node: str) -> Reply:
        asked.append(node)
        return Reply(True, 3.0, "PONG")

    monkeypatch.setattr(store_far, "ping", lambda _address: Reply(answers, 0.5, "PONG"))
    monkeypatch.setattr(target.cluster, "ask_across", across)
    assert (FAULTS["store-far"].observe(target) is not None) is answers
    assert bool(asked) is answers
