"""A node as a process: it starts quickly, stops when asked, dies when its group is killed, and its log survives."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from compose.supervision.ports import answers
from shared.node import KEEP_ALIVE_MS, MORE_THREADS
from shared.request_log import LoggedRequest, read_request_log
from shared.shop.routes.orders import MOST_STREAMS
from tests.shared.node_process import GONE_WITHIN_S, READY_WITHIN_S, Process
from tests.waiting import until

pytestmark = pytest.mark.cluster


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def process(folder: Path) -> Iterator[Process]:
    process = Process(folder, "stateful_app")
    try:
        process.wait_until_ready()
        yield process
    finally:
        process.end()


def test_it_answers_for_itself(process: Process) -> None:
    status, told = process.ask("/healthz")
    assert (status, told["node"], told["run"]) == (200, "n1", "0a1b2c3d")


def test_its_processes_are_one_group(process: Process) -> None:
    assert {os.getpgid(pid) for pid in process.group()} == {process.popen.pid}
    assert len(process.group()) == 2, "granian's main process and its one worker"


def test_sigterm_ends_it_at_once_despite_idle_connections(process: Process) -> None:
    idle = [socket.create_connection(("127.0.0.1", process.port), timeout=20) for _ in range(5)]
    for connection in idle:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: shop\r\n\r\n")
        assert connection.recv(12) == b"HTTP/1.1 200"
    process.popen.send_signal(signal.SIGTERM)
    assert process.popen.wait(GONE_WITHIN_S) == 0
    assert not answers(process.port)
    for connection in idle:
        connection.close()


def test_sigkill_of_the_group_ends_both_and_the_log_survives(process: Process) -> None:
    pids = process.group()
    for number in range(20):
        assert process.ask("/products", f"r{number}")[0] == 200
    os.killpg(process.popen.pid, signal.SIGKILL)
    process.popen.wait(GONE_WITHIN_S)
    assert until(lambda: not answers(process.port) and not any(map(psutil.pid_exists, pids)), GONE_WITHIN_S), (
        "somebody still serves"
    )
    logged = [record for record in read_request_log(process.log) if isinstance(record, LoggedRequest)]
    assert [record.id for record in logged] == [f"r{number}" for number in range(20)]


def test_a_restarted_node_is_another_boot_and_has_forgotten(folder: Path, process: Process) -> None:
    first = process.ask("/healthz")[1]["boot"]
    process.end()
    again = Process(folder, "stateful_app")
    try:
        again.wait_until_ready()
        assert again.ask("/healthz")[1]["boot"] != first
    finally:
        again.end()


def test_event_streams_keep_no_thread_from_others_and_end_with_the_node(folder: Path) -> None:
    process = Process(folder, "stateful_app", TWINSHOP_NODE_THREADS="2")
    try:
        process.wait_until_ready()
        cookie, streams = process.login(), []
        for _ in range(6):
            stream = http.client.HTTPConnection("127.0.0.1", process.port, timeout=30)
            stream.request("GET", "/orders/progress", headers={"Cookie": cookie})
            answer = stream.getresponse()
            assert answer.status == 200
            assert answer.readline().startswith(b"retry:"), "the first event comes at once"
            streams.append((stream, answer))
        assert process.ask("/me", headers={"Cookie": cookie})[0] == 200
        process.popen.send_signal(signal.SIGTERM)
        assert process.popen.wait(GONE_WITHIN_S) == 0
        for stream, answer in streams:
            assert b"event: status" in answer.read(), "it ends as it should, and is not cut off"
            stream.close()
    finally:
        process.end()


def test_a_stream_whose_client_has_left_gives_its_place_back(folder: Path) -> None:
    process = Process(folder, "stateful_app", TWINSHOP_NODE_THREADS="2")
    try:
        process.wait_until_ready()
        cookie = process.login()

        def opened() -> bool:
            """Ask for one more and leave at once."""
            with closing(http.client.HTTPConnection("127.0.0.1", process.port, timeout=30)) as stream:
                stream.request("GET", "/orders/progress", headers={"Cookie": cookie})
                return stream.getresponse().status == 200

        assert all(opened() for _ in range(MOST_STREAMS))
        assert until(opened, READY_WITHIN_S), "all places are still taken"
        assert process.ask("/me", headers={"Cookie": cookie})[0] == 200
    finally:
        process.end()


def test_nodes_that_are_told_to_be_late_still_say_that_they_live(folder: Path) -> None:
    process = Process(folder, "stateful_app", TWINSHOP_NODE_THREADS="2", TWINSHOP_CONTROL_TOKEN="token")
    control = {"X-Control-Token": "token"}
    try:
        process.wait_until_ready()
        assert process.ask("/-/trouble", headers=control, put={"delay_ms": 4000})[0] == 200
        waiting = [http.client.HTTPConnection("127.0.0.1", process.port, timeout=20) for _ in range(12)]
        for connection in waiting:
            connection.request("GET", "/products", headers={"Accept": "application/json"})
        started = time.monotonic()
        assert process.ask("/healthz")[0] == 200
        assert process.ask("/-/state", headers=control)[1]["trouble"]["delay_ms"] == 4000  # type: ignore[index]
        assert time.monotonic() - started < 3, "asked behind the others, they would answer after 4 s"
        for connection in waiting:
            assert connection.getresponse().status == 200
            connection.close()
        assert time.monotonic() - started < 15, "they all wait at the same time"
    finally:
        process.end()


def test_workers_are_one_node_with_a_memory_each(folder: Path) -> None:
    process = Process(folder, "stateful_app", TWINSHOP_NODE_WORKERS="3", TWINSHOP_CONTROL_TOKEN="token")
    try:
        process.wait_until_ready()
        states: dict[object, dict[str, object]] = {}

        def ask() -> bool:
            said = process.ask("/-/state", headers={"X-Control-Token": "token"})[1]
            states[said["pid"]] = said
            return len(states) == 3

        assert until(ask, READY_WITHIN_S), "each connection may meet another one"
        assert {state["boot"] for state in states.values()} == {process.ask("/healthz")[1]["boot"]}
        pids = sorted(pid for pid in process.group() if pid != process.popen.pid)
        assert sorted(map(str, states)) == sorted(map(str, pids))
        assert {tuple(state["pids"]) for state in states.values()} == {tuple(pids)}  # type: ignore[arg-type]
        cookie = process.login()
        answers = [process.ask("/me", headers={"Cookie": cookie})[0] for _ in range(60)]
        assert set(answers) == {200, 401}, "some of them know who it is, and some do not"
    finally:
        process.end()


def test_the_stateless_twin_is_started_alike(folder: Path) -> None:
    process = Process(folder, "stateless_app", TWINSHOP_STORE="token", TWINSHOP_NODE="n2")
    try:
        process.wait_until_ready()
        assert process.ask("/healthz")[1]["node"] == "n2"
    finally:
        process.end()


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"TWINSHOP_SESSION_CAP": "none"}, "TWINSHOP_SESSION_CAP"),
        ({"TWINSHOP_SECRET_KEY": ""}, "TWINSHOP_SECRET_KEY"),
    ],
)
def test_bad_settings_end_it_with_words(folder: Path, settings: dict[str, str], named: str) -> None:
    process = Process(folder, "stateful_app", **settings)
    assert process.popen.wait(READY_WITHIN_S) == 2
    assert named in process.words.read_text()
    assert "Traceback" not in process.words.read_text()


def test_a_store_that_the_twin_lacks_ends_it_with_words(folder: Path) -> None:
    process = Process(folder, "stateful_app", TWINSHOP_STORE="redis")
    assert process.popen.wait(READY_WITHIN_S) != 0
    assert "no session store 'redis'" in process.words.read_text()


def test_connections_are_kept_longer_than_the_balancer_keeps_them() -> None:
    assert KEEP_ALIVE_MS >= 60_000


def test_streams_leave_threads_for_those_who_wait() -> None:
    assert MOST_STREAMS < MORE_THREADS
