from __future__ import annotations

import time
from pathlib import Path
from typing import Literal

from loadtests.running.at_risk import Held
from shared.request_log import LoggedSession, RequestLog
from shared.sessions import HeldSession
from tests.loadtests.scripted_cluster import ScriptedCluster


def line(
    event: Literal["opened", "ended"], user: str, session: str, at_us: int | None = None, boot: str = "b"
) -> LoggedSession:
    return LoggedSession(at_us or time.time_ns() // 1000, event, "r", "n2", boot, user, session)


def test_sessions_opened_and_ended_after_the_answer_count(tmp_path: Path) -> None:
    """Between the node's answer and its death it went on serving: its log has the rest."""
    cluster = ScriptedCluster(tmp_path, {"n2": [HeldSession("aa", "user-0001"), HeldSession("bb", "user-0002")]})
    log = RequestLog(tmp_path / "n2.requests.ndjson")
    log.write(line("opened", "user-0009", "old", at_us=1))
    held = Held(cluster, "n2", "b")
    log.write(line("opened", "user-0003", "cc"), line("ended", "user-0001", "aa"))
    log.write(line("opened", "user-0004", "dd", boot="the next start"))
    log.close()
    assert held.users() == ("user-0002", "user-0003")


def test_a_node_that_holds_nothing_or_has_no_log(tmp_path: Path) -> None:
    cluster = ScriptedCluster(tmp_path)
    assert Held(cluster, "n1", "1").users() == ()
    cluster.kill("n1")
    held = Held(cluster, "n1", None)
    assert held.users() == ()
    assert "did not say" in held.source


def test_what_a_node_opened_elsewhere_it_does_not_hold(tmp_path: Path) -> None:
    cluster = ScriptedCluster(tmp_path, architecture="redis")
    log = RequestLog(tmp_path / "n2.requests.ndjson")
    held = Held(cluster, "n2", "b")
    log.write(line("opened", "user-0003", "cc"))
    log.close()
    assert held.users() == ()


def test_guests_are_left_out_and_counted(tmp_path: Path) -> None:
    held_by_n2 = [HeldSession("aa", "user-0001"), HeldSession("bb", "user-0061"), HeldSession("cc", "user-0062")]
    cluster = ScriptedCluster(tmp_path, {"n2": held_by_n2})
    held = Held(cluster, "n2", "b", guests={"user-0061", "user-0062", "user-0063"})
    assert held.users() == ("user-0001",)
    assert "own list of 3 sessions" in held.source
    assert held.source.endswith("; without 2 guests")
