"""Sessions in a Redis that a sentinel finds: its replica takes over when it dies, and nodes ask anew where it is."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from redis import Redis, RedisError

from compose.engines.store import server_program
from compose.supervision.ports import answers, free_ports
from shared.shop.settings import SENTINEL_MASTER as MASTER
from tests.shared.shops import node
from tests.shared.valkey import Valkey, running_valkey
from tests.waiting import until

pytestmark = pytest.mark.cluster

WITHIN_S = 60.0


@contextmanager
def running_sentinel(folder: Path, master: Valkey) -> Iterator[int]:
    """A sentinel that alone decides that the master is down; the port it listens on."""
    (port,) = free_ports(1)
    file = folder / "sentinel.conf"
    file.write_text(
        f"bind 127.0.0.1\nport {port}\ndir {folder}\n"
        f"sentinel monitor {MASTER} 127.0.0.1 {master.port} 1\n"
        f"sentinel down-after-milliseconds {MASTER} 300\nsentinel failover-timeout {MASTER} 2000\n"
    )
    command = [str(server_program()), str(file), "--sentinel"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert until(lambda: answers(port), WITHIN_S)
        yield port
    finally:
        process.kill()
        process.wait()


def keeps_up(master: Redis) -> bool:
    """The replica has acknowledged all that was written: else the promotion may lose what we were told is kept."""
    told = master.info("replication")
    return int(told["connected_slaves"]) == 1 and int(told["slave0"]["offset"]) == int(told["master_repl_offset"])


def knows_the_replica(sentinel: Redis) -> bool:
    return len(sentinel.execute_command("SENTINEL", "REPLICAS", MASTER)) == 1


def promoted(replica: Redis) -> bool:
    try:
        return bool(replica.info("replication")["role"] == "master")
    except RedisError:
        return False


def test_it_follows_the_promotion(tmp_path: Path) -> None:
    with ExitStack() as stack:
        first, second = (stack.enter_context(running_valkey()) for _ in range(2))
        master, replica = (stack.enter_context(Redis.from_url(each.url)) for each in (first, second))
        replica.replicaof("127.0.0.1", first.port)
        port = stack.enter_context(running_sentinel(tmp_path, first))
        sentinel = stack.enter_context(Redis(port=port))
        shop = node(tmp_path, "redis", sentinel=f"127.0.0.1:{port}", redis_url="redis://127.0.0.1:1/0")
        assert "wherever its sentinel says that it is" in shop.reader().get("/").text
        assert until(lambda: knows_the_replica(sentinel) and keeps_up(master), WITHIN_S)
        visitor = shop.visitor().login()
        visitor.add("acorn")
        assert until(lambda: keeps_up(master), WITHIN_S)
        first.kill()
        assert visitor.get("/me").json["error"] == "store_unavailable"
        assert until(lambda: promoted(replica), WITHIN_S)
        assert until(lambda: visitor.get("/me").status_code == 200, WITHIN_S)
        assert visitor.add("bell").json == {"cart": {"acorn": 1, "bell": 1}}


def test_without_a_sentinel_there_is_no_store(tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        shop = node(tmp_path, "redis", sentinel=f"127.0.0.1:{nobody.getsockname()[1]}", store_timeout_s=0.3)
        answer = shop.visitor().post("/login", {"user": "user-0001", "password": "correct horse"})
    assert (answer.status_code, answer.json["error"]) == (503, "store_unavailable")
