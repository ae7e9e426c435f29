from __future__ import annotations

import platform
import secrets
import socket
from pathlib import Path

import psutil
import pytest

from compose import probes
from compose.cluster import Limits
from compose.engines.cluster_file import server_url
from compose.engines.processes import ProcessesEngine
from compose.engines.store import server_args, server_program, serving_pid, store_counters, store_settings
from compose.probes import Unanswered, ask_server
from compose.supervision.child import spawn
from compose.supervision.ledger import Ledger
from compose.supervision.ports import free_ports
from compose.supervision.process_table import carries
from shared.errors import EnvironmentNotReady
from tests.compose.contract import new_spec, running, watch
from tests.waiting import until

RUN = secrets.token_hex(4)


@pytest.mark.cluster
def test_a_real_server_without_a_trace_on_the_disk(own_state: Path, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    folder = tmp_path / "work"
    folder.mkdir()
    with Ledger.open(own_state, RUN) as ledger:
        args = server_args(server_program(), port, folder, Limits())
        started = spawn(ledger, "store", args, env={}, log=tmp_path / "log")
        assert until(lambda: serving_pid(server_url(port)) == started.pid)
        assert carries(started.pid, RUN), "its environment must stay readable, or recovery would not know it"
        listening = psutil.Process(started.pid).net_connections("inet")
        assert {connection.laddr.ip for connection in listening} == {"127.0.0.1"}
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            connection.sendall(b"SET a b\r\n")
            assert connection.recv(100) == b"+OK\r\n"
        started.terminate()
        assert started.wait(60) == 0
    assert list(folder.iterdir()) == []
    assert serving_pid(server_url(port)) is None


def test_a_machine_for_which_there_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "vax")
    with pytest.raises(EnvironmentNotReady, match="there is no Valkey for this machine") as refused:
        server_program()
    assert "vax" in refused.value.why


def test_something_else_is_no_store() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert serving_pid(server_url(server.getsockname()[1])) is None


def test_a_store_that_nobody_asked_for_more_keeps_nothing_and_refuses_nothing() -> None:
    settings = store_settings(Limits())
    assert (settings["save"], settings["appendonly"], settings["maxmemory-policy"]) == ("", "no", "noeviction")
    assert not {"maxmemory", "min-replicas-to-write"} & set(settings)


def test_a_store_takes_its_limits() -> None:
    limits = Limits(store_append_only=True, store_memory_mb=3, store_eviction="allkeys-lru", store_min_replicas=2)
    settings = store_settings(limits)
    assert (settings["appendonly"], settings["maxmemory"]) == ("yes", "3mb")
    assert (settings["maxmemory-policy"], settings["min-replicas-to-write"]) == ("allkeys-lru", "2")


@pytest.mark.cluster
def test_a_full_store_refuses_or_evicts(own_state: Path, tmp_path: Path) -> None:
    ports = dict(zip(("noeviction", "allkeys-lru"), free_ports(2), strict=True))
    with Ledger.open(own_state, RUN) as ledger:
        for policy, port in ports.items():
            limits = Limits(store_memory_mb=3, store_eviction=policy)  # type: ignore[arg-type]
            args = server_args(server_program(), port, tmp_path, limits)
            spawn(ledger, policy, args, env={}, log=tmp_path / f"{policy}.log")
        for port in ports.values():
            assert until(lambda port=port: serving_pid(server_url(port)) is not None)  # type: ignore[misc]
        said = {policy: fill(port) for policy, port in ports.items()}
    assert "OOM" in said["noeviction"]
    assert said["allkeys-lru"] == "OK"


def fill(port: int) -> str:
    """What the server says to the last of more writes than it can hold."""
    said = ""
    for number in range(40):
        try:
            said = ask_server(server_url(port), f"SET {number} {'x' * 60_000}", within_s=20)
        except Unanswered as refusal:
            said = refusal.reason
    return said


def test_a_store_that_does_not_answer_counts_nothing() -> None:
    assert store_counters("redis://127.0.0.1:9/0") == {}


def test_keys_of_all_databases(monkeypatch: pytest.MonkeyPatch) -> None:
    said = "total_commands_processed:7\r\nused_memory:99\r\nevicted_keys:0\r\ndb0:keys=2,expires=0,avg_ttl=0\r\n"
    monkeypatch.setattr(probes, "ask_server", lambda *_args, **_within: said + "db1:keys=3,expires=0,avg_ttl=0")
    assert store_counters("redis://nowhere:1/0") == {"commands": 7, "memory": 99, "evicted": 0, "keys": 5}


@pytest.mark.cluster
def test_a_real_cluster(tmp_path: Path) -> None:
    with running(ProcessesEngine(), new_spec("redis", nodes=1), tmp_path) as cluster:
        usage = cluster.usage()
        assert list(usage) == ["n1", "store"]
        assert usage["n1"].cpu_s > 0
        assert all(used.memory_bytes > 2**20 for used in usage.values())
        counted = usage["store"].counters
        assert counted["memory"] > 0
        assert counted["commands"] >= 0
        assert (counted["evicted"], counted["keys"]) == (0, 0)
        assert usage["n1"].counters == {}
        cluster.kill("n1")
        watch(cluster, "n1", lambda seen: not seen.process)
        assert list(cluster.usage()) == ["store"]
