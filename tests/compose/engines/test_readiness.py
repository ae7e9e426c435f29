"""A node that is not seen to work is shown with what it answered, and with the keys that say what is waited for."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from compose.applications.described import DescribedApplication
from compose.applications.twins import Twins
from compose.engines.readiness import _watch
from compose.probes import SelfReport
from shared.errors import NotReadyInTime


@pytest.mark.parametrize("described", [True, False])
def test_what_a_node_answered_that_did_not_get_ready_is_said(described: bool, tmp_path: Path) -> None:
    cluster: Any = SimpleNamespace(
        why_ended=lambda _part: "",
        logs=lambda: {"n1": tmp_path / "n1.log"},
        written=SimpleNamespace(node_urls={"n1": "http://127.0.0.1:1"}),
        application=DescribedApplication if described else Twins,
        self_report=lambda _part: SelfReport(False, None, "127.0.0.1:1/nope: 404"),
    )
    with pytest.raises(NotReadyInTime) as raised:
        _watch(cluster, "n1", lambda: False, until=time.monotonic())
    assert "(127.0.0.1:1/nope: 404)" in raised.value.why
    assert ("`ready` and `ready_within_s`" in raised.value.why) is described
