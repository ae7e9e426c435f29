from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from compose.engines.processes import ProcessesEngine
from compose.probes import usage as part_usage
from compose.probes.usage import store_counters, usage_of, used_by_processes
from tests.compose.contract import new_spec, running, watch


def test_dead_parts_are_left_out() -> None:
    assert list(usage_of(("n1", "n2"), {}, {"n1": (1.0, 2), "n2": None}.get)) == ["n1"]


def test_a_process_and_all_that_it_started() -> None:
    used = used_by_processes(os.getpid())
    assert used is not None
    cpu_s, memory = used
    assert cpu_s > 0
    assert memory >= psutil.Process().memory_info().rss // 2
    assert used_by_processes(2**31 - 1) is None


def test_a_store_that_does_not_answer_counts_nothing() -> None:
    assert store_counters("redis://127.0.0.1:9/0") == {}


def test_keys_of_all_databases(monkeypatch: pytest.MonkeyPatch) -> None:
    said = "total_commands_processed:7\r\nused_memory:99\r\nevicted_keys:0\r\ndb0:keys=2,expires=0,avg_ttl=0\r\n"
    monkeypatch.setattr(part_usage, "ask_server", lambda *_args, **_within: said + "db1:keys=3,expires=0,avg_ttl=0")
    assert store_counters("redis://nowhere:1/0") == {"commands": 7, "memory": 99, "evicted": 0, "keys": 5}


@pytest.mark.cluster
@pytest.mark.timeout(60)
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
