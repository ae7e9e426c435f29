"""`twinshop up`, `status`, `kill`, `start`, `down`, `recover`, as a user calls them."""

from __future__ import annotations

import json
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from compose.supervision.ledger_file import ledgers
from loadtests.cli import main
from tests.applications import BROKEN
from tests.compose.engine_tests import LONG_S, looks_within
from tests.left_behind import processes_of
from tests.loadtests.command import start, twinshop
from tests.waiting import until

pytestmark = pytest.mark.cluster


@pytest.fixture(autouse=True)
def patience() -> Iterator[None]:
    with looks_within(LONG_S):
        yield


def call(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(list(words))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def statuses(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    code, out, _ = call(capsys, "status", "--json")
    assert code == 0
    clusters: list[dict[str, Any]] = json.loads(out)["clusters"]
    return clusters


def test_a_cluster_to_play_with(tmp_path: Path, own_state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # As a program of its own: it has to return, and let go of its output, while the cluster goes on.
    done = twinshop(tmp_path, "up", "--architecture", "sticky-memory", "--nodes", "2", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert set(document) == {"url", "architecture", "run", "users", "nodes", "balancer"}
    assert document["architecture"] == "sticky-memory"
    assert set(document["users"]) == {"count", "password"}
    assert [set(node) for node in document["nodes"]] == [{"name", "url", "pid"}] * 2
    assert set(document["balancer"]) == {"name", "admin_url"}

    (cluster,) = statuses(capsys)
    assert (cluster["run"], cluster["url"]) == (document["run"], document["url"])
    assert all(node["process"] and node["answers"] and node["in_rotation"] for node in cluster["nodes"])

    code, out, err = call(capsys, "kill", "n2")
    assert (code, err) == (0, "")
    assert "n2" in out
    assert "refused" in out
    assert "out of rotation" in out
    code, out, err = call(capsys, "kill", "n2")
    assert (code, err) == (0, "")
    assert "was dead already" in out
    assert "held" not in out
    dead = statuses(capsys)[0]["nodes"][1]
    assert (dead["process"], dead["answers"], dead["in_rotation"], dead["sessions"]) == (False, False, False, None)

    code, out, err = call(capsys, "start", "n2", "--cluster", document["run"])
    assert (code, err) == (0, "")
    back = statuses(capsys)[0]["nodes"][1]
    assert (back["process"], back["answers"], back["in_rotation"], back["sessions"]) == (True, True, True, 0)
    assert back["pid"] != dead["pid"]
    assert back["url"] == dead["url"]

    assert call(capsys, "recover")[1] == "There was nothing to clear away.\n"
    code, out, err = call(capsys, "down")
    assert (code, err) == (0, "")
    assert document["run"] in out
    assert statuses(capsys) == []
    assert until(lambda: processes_of(own_state) == {})
    assert ledgers(own_state) == []
    assert list((own_state / "clusters").iterdir()) == []


def test_what_a_person_reads(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capsys, "up", "--architecture", "redis", "--nodes", "1")
    try:
        assert (code, err) == (0, "")
        assert "The shop is open: http://127.0.0.1:" in out
        assert "user-0001" in out
        assert "twinshop down" in out
        assert "loadtests/locustfile.py --host http://127.0.0.1:" in out
        shown = call(capsys, "status")[1]
        assert "in rotation yes" in shown
        assert "redis" in shown
        code, _, err = call(capsys, "kill", "n7")
        assert code == 2
        assert "there is no part 'n7'" in err
        assert call(capsys, "start", "n7")[0] == 2
        assert call(capsys, "kill", "n1", "--cluster", "nonsense")[0] == 2
    finally:
        assert call(capsys, "down", "--all")[0] == 0


def test_with_two_clusters_one_has_to_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    runs = []
    try:
        for name in ("signed-token", "sticky-memory"):
            assert call(capsys, "up", "--architecture", name, "--nodes", "1")[0] == 0
        runs = [cluster["run"] for cluster in statuses(capsys)]
        for command in (["kill", "n1"], ["down"]):
            code, out, err = call(capsys, *command)
            assert (code, out) == (2, "")
            assert f"{runs[0]} (signed-token), {runs[1]} (sticky-memory)" in err
            assert f"--cluster {runs[1]}" in err
        assert all(node["process"] for cluster in statuses(capsys) for node in cluster["nodes"])
        assert call(capsys, "kill", "n1", "--cluster", runs[0])[0] == 0
        assert [cluster["nodes"][0]["process"] for cluster in statuses(capsys)] == [False, True]
    finally:
        assert call(capsys, "down", "--all")[0] == 0


def test_recover_ends_kept_clusters_only_when_asked(own_state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(capsys, "up", "--architecture", "signed-token", "--nodes", "1")[0] == 0
    assert call(capsys, "recover")[1] == "There was nothing to clear away.\n"
    assert processes_of(own_state)
    code, out, _ = call(capsys, "recover", "--all")
    assert code == 0
    assert "ended" in out
    assert until(lambda: processes_of(own_state) == {})


def test_two_who_start_a_node_at_once_start_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(capsys, "up", "--architecture", "signed-token", "--nodes", "1")[0] == 0
    try:
        assert call(capsys, "kill", "n1")[0] == 0
        both = [start(tmp_path, "start", "n1") for _ in range(2)]
        ended = [(process.communicate(timeout=120)[1], process.returncode) for process in both]
        assert ended == [("", 0), ("", 0)]
        (node,) = statuses(capsys)[0]["nodes"]
        assert (node["process"], node["answers"], node["in_rotation"]) == (True, True, True)
        assert call(capsys, "kill", "n1")[0] == 0
        assert not statuses(capsys)[0]["nodes"][0]["answers"]
    finally:
        call(capsys, "down")


@pytest.mark.parametrize("within_s", [25, pytest.param(5, marks=pytest.mark.long)])
def test_ctrl_c_while_starting_leaves_nothing(tmp_path: Path, own_state: Path, within_s: float) -> None:
    """In 5 s on a machine that does nothing else; a start that went on would take up to 30 s."""
    process = start(tmp_path, "up", "--architecture", "redis", "--nodes", "12")  # so many take seconds to start
    assert until(lambda: len(processes_of(own_state)) > 2)  # the balancer or the store, beside the command itself
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert time.monotonic() - began < within_s
    assert (process.returncode, out) == (130, "")
    assert "interrupted" in err
    assert processes_of(own_state) == {}
    assert ledgers(own_state) == []


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["up"], 2, "--architecture"),
        (["up", "--architecture", "stickymemory"], 2, "no architecture named"),
        (["up", "--architecture", "redis", "--nodes", "0"], 2, "--nodes"),
        (["up", "--architecture", "redis", "--nodes", "-1"], 2, "--nodes"),
        (["up", "--architecture", "redis", "--port", "99999"], 2, "--port"),
        (["kill", "n1"], 2, "no cluster is running"),
        (["start", "n1"], 2, "no cluster is running"),
        (["kill"], 2, "Missing argument"),
        (["down", "--cluster", "x"], 2, "no cluster is running"),
        (["down", "--all", "--cluster", "x"], 2, "exclude each other"),
    ],
)
def test_bad_usage(words: list[str], code: int, says: str, own_state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ended, out, err = call(capsys, *words)
    assert (ended, out) == (code, "")
    assert says in err
    assert processes_of(own_state) == {}


def test_no_cluster_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert "No cluster is running" in call(capsys, "status")[1]
    assert statuses(capsys) == []
    for words in (["down"], ["down", "--all"]):
        assert call(capsys, *words)[:2] == (0, "No cluster was running.\n")
    assert call(capsys, "recover")[0] == 0


def test_a_port_that_is_taken(own_state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as foreign:
        port = foreign.getsockname()[1]
        code, out, err = call(capsys, "up", "--architecture", "redis", "--port", str(port), "--json")
        assert (code, out) == (4, "")
        assert f"port {port}, meant for the balancer, is taken" in err
        assert "next:" in err
    assert ledgers(own_state) == []
    assert processes_of(own_state) == {}


def test_a_state_folder_that_cannot_be_written(own_state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own_state.write_text("a file in its place")
    code, out, err = call(capsys, "up", "--architecture", "redis")
    assert (code, out) == (4, "")
    assert "ledger" in err


def test_somebodys_own_application_is_left_running(own_state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    app = str(BROKEN / "app.toml")
    code, out, _ = call(capsys, "up", "--app", app, "--architecture", "token", "--nodes", "1", "--json")
    assert code == 0
    document = json.loads(out)
    assert (document["architecture"], document["users"]["password"]) == ("broken-token", "")
    (cluster,) = statuses(capsys)
    assert [node["in_rotation"] for node in cluster["nodes"]] == [True]
    assert call(capsys, "down")[0] == 0
    assert not processes_of(own_state)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "nobody said what to start"),
        (["--app", str(BROKEN / "app.toml"), "--architecture", "tokken"], "there is no variant named 'tokken'"),
        (["--app", str(BROKEN / "app.toml"), "--engine", "docker"], "it is described by a command"),
        (["--app", str(BROKEN / "service.toml")], "it is described by a service of a compose file"),
        (["--app", str(BROKEN / "app.toml"), "--balancer", "caddy"], "it does not say which nodes it calls healthy"),
    ],
)
def test_what_cannot_be_left_running_is_said(
    words: list[str], says: str, own_state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = call(capsys, "up", *words)
    assert (code, out) == (2, "")
    assert says in err
