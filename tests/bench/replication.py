"""What replicated memory costs: three nodes' state in three processes, without a shop around it.

python -m tests.bench.replication [--writes N] [--elections N]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import psutil

from compose.supervision.ports import free_ports
from shared.replication.state import ReplicatedState
from tests.waiting import until

SESSION = {"_permanent": True, "csrf": "c" * 40, "user": "user-0001", "cart": {"acorn": 1, "bell": 2, "map": 3}}
WITHIN_S = 30.0


class Node:
    """One process with one node's state, which does what it is told."""

    def __init__(self, address: str, every: list[str]) -> None:
        self.address, self._every = address, every
        self._popen: subprocess.Popen[str] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.bench.replication", "--node", self.address, ",".join(self._every)]
        self._popen = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, word: str, number: int = 0) -> Any:
        assert self._popen is not None
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        self._popen.stdin.write(json.dumps([word, number]) + "\n")
        self._popen.stdin.flush()
        return json.loads(self._popen.stdout.readline())

    def kill(self) -> None:
        assert self._popen is not None
        self._popen.kill()
        self._popen.communicate()

    def memory(self) -> int:
        assert self._popen is not None
        return int(psutil.Process(self._popen.pid).memory_info().rss)


def be_a_node(address: str, every: list[str]) -> None:
    """What runs in each of the processes."""
    began = time.perf_counter()
    state = ReplicatedState(address, every, password="measured", timeout_s=WITHIN_S)
    until(state.ready, WITHIN_S)
    ready_ms = (time.perf_counter() - began) * 1000
    packed = msgspec.msgpack.encode(SESSION)

    def write(count: int) -> list[float]:
        took = []
        for number in range(count):
            began = time.perf_counter()
            key = f"session:{number:043d}"
            state.set(key, packed, lifetime_s=3600, owner="user-0001")
            took.append((time.perf_counter() - began) * 1000)
        return took

    answers = {
        "ready": lambda _: {"ms": ready_ms, "sessions": len(state)},
        "leads": lambda _: state.standing.leads,
        "leader": lambda _: state.standing.leader,
        "cpu": lambda _: time.process_time(),
        "write": write,
    }
    for line in sys.stdin:
        word, number = json.loads(line)
        print(json.dumps(answers[word](number)), flush=True)
    state.close()


@contextmanager
def three_nodes() -> Iterator[list[Node]]:
    """Three of them, which know who leads."""
    every = [f"127.0.0.1:{port}" for port in free_ports(3)]
    nodes = [Node(address, every) for address in every]
    for node in nodes:
        node.start()
    try:
        for node in nodes:
            node.ask("ready")
        yield nodes
    finally:
        for node in nodes:
            node.kill()


def leader_first(nodes: list[Node]) -> list[Node]:
    """The same, the leader first."""
    return sorted(nodes, key=lambda node: not node.ask("leads"))


def writing(writes: int) -> list[str]:
    """One writer at a time, at the leader and at another node."""
    words = []
    with three_nodes() as nodes:
        for name, node in zip(("the leader", "another node"), leader_first(nodes), strict=False):
            before = [each.ask("cpu") for each in nodes]
            took = sorted(node.ask("write", writes))
            cpu = [each.ask("cpu") - was for each, was in zip(nodes, before, strict=True)]
            median, late = statistics.median(took), took[int(len(took) * 0.99)]
            words.append(
                f"a write at {name}: {median:.2f} ms (median of {writes}), p99 {late:.2f} ms, "
                f"{sum(cpu) / writes * 1e6:.0f} µs of CPU on all nodes together"
            )
        before = [each.ask("cpu") for each in nodes]
        time.sleep(5)
        idle = [(each.ask("cpu") - was) / 5 * 100 for each, was in zip(nodes, before, strict=True)]
        words.append(f"idle: {max(idle):.1f} % of a core for each node")
    return words


def holding(sessions: int) -> list[str]:
    """Memory, and how long an empty node takes to get everything."""
    words = []
    with three_nodes() as nodes:
        leader, _other, victim = leader_first(nodes)
        leader.ask("write", 1)
        before = [node.memory() for node in nodes]
        for count in (1_000, sessions):
            leader.ask("write", count)
            victim.kill()
            victim.start()
            found = victim.ask("ready")
            words.append(f"back with {found['sessions']} sessions {found['ms']:.0f} ms after it began to ask")
        grown = max(node.memory() - was for node, was in zip(nodes, before, strict=True)) / sessions
        words.append(f"memory of a node: {grown / 1000:.1f} kB a session, {sessions} sessions")
    return words


def electing(elections: int) -> list[str]:
    """The leader is killed, and another node is asked to write at once."""
    took = []
    for _ in range(elections):
        with three_nodes() as nodes:
            leader, other, _third = leader_first(nodes)
            other.ask("write", 5)
            leader.kill()
            took += other.ask("write", 1)
            leader.start()
    return [
        f"the first write after the leader was killed: {statistics.median(took):.0f} ms (median of {elections}), "
        f"{min(took):.0f} to {max(took):.0f} ms"
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--writes", type=int, default=1000)
    parser.add_argument("--sessions", type=int, default=10_000)
    parser.add_argument("--elections", type=int, default=10)
    parser.add_argument("--node", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.node:
        be_a_node(asked.node[0], asked.node[1].split(","))
        return
    for words in (writing(asked.writes), holding(asked.sessions), electing(asked.elections)):
        print("\n".join(words))


if __name__ == "__main__":
    main()
