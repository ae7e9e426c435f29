"""A person with a browser in a real cluster: its logs tell who served them, and that they are out."""

from __future__ import annotations

from pathlib import Path

import pytest

from compose.engines.processes import ProcessesEngine
from loadtests.model.events import LoadStarted
from loadtests.workshop.contract import Guest, GuestView, RoundSide
from loadtests.workshop.live.picture import RoundFiles
from loadtests.workshop.live.side import SideWatch
from tests.compose.engine_tests import Visitor, new_spec, running
from tests.waiting import until

pytestmark = pytest.mark.cluster
ARCHITECTURE = "roundrobin-memory"
GUEST = "user-0006"


def test_a_guest_who_is_answered_as_a_stranger_is_seen_to_be_out(tmp_path: Path) -> None:
    side = RoundSide(
        "left", ARCHITECTURE, True, "", ("n1", "n2", "n3"), ("n1", "n2", "n3", "balancer"), (Guest(GUEST, ""),)
    )
    watch = SideWatch(side, 5)
    watch.hear(LoadStarted(ARCHITECTURE, 0, 1, 1))
    evidence = RoundFiles(tmp_path / "round", {ARCHITECTURE: watch})

    def shown() -> GuestView | None:
        evidence.read()
        watch.advance(1 << 60)
        return next(iter(watch.picture().guests), None)

    (tmp_path / "round" / "logs").mkdir(parents=True)
    (tmp_path / "round" / "logs" / ARCHITECTURE).symlink_to(tmp_path / "cluster")
    with running(ProcessesEngine(), new_spec(ARCHITECTURE), tmp_path) as cluster, Visitor(cluster, GUEST) as visitor:
        home = visitor.log_in().headers["X-Node"]
        assert until(lambda: shown() == GuestView(GUEST, home, logged_in=True)), shown()
        other = visitor.ask("GET", "/me")
        assert other.status_code == 401
        assert other.headers["X-Node"] != home
        assert until(lambda: shown() == GuestView(GUEST, other.headers["X-Node"], logged_in=False, lost=True)), shown()
    evidence.close()
    assert evidence.problems == ()
