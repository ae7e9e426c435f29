"""Which faults are offered, and how they are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtests.faults import FAULTS
from loadtests.planning.rules import is_condition
from loadtests.workshop.buttons import FREE_PLAY, buttons_for
from tests.loadtests.scripted_cluster import ScriptedCluster


def test_what_neither_shop_has_is_not_offered(tmp_path: Path) -> None:
    memory, token, redis = (
        ScriptedCluster(tmp_path, architecture=name) for name in ("sticky-memory", "signed-token", "redis")
    )
    kinds = [button.kind for button in buttons_for(FREE_PLAY, (memory, token))]
    assert "kill" in kinds
    assert "no-affinity" in kinds
    assert "store-kill" not in kinds
    with_store = [button.kind for button in buttons_for(FREE_PLAY, (memory, redis))]
    assert set(with_store) - set(kinds) == {"store-kill", "store-freeze"}


def test_free_play_needs_no_other_cluster_than_a_run() -> None:
    assert not [kind for kind in FREE_PLAY if is_condition(kind) or FAULTS[kind].needs_wires]


@pytest.mark.parametrize(
    ("kind", "label"),
    [("kill", "Kill"), ("scale-out", "Scale out"), ("store-kill", "Kill the store"), ("key-swap", "Key swap")],
)
def test_labels(kind: str, label: str) -> None:
    assert FAULTS[kind].button == label


def test_no_two_are_called_alike() -> None:
    assert len({fault.button for fault in FAULTS.values()}) == len(FAULTS)
