"""What a session store costs a node: requests a second beside a bare Flask route, and memory for each session.

    python -m tests.bench.stores [--rounds N] [--seconds S] [--sessions N] [--json]

All servers run at once and are asked in turns, so that a busy machine disturbs all alike; medians over the rounds
count. What is counted is the node's own CPU: "requests a second" is what one core would do, whatever else the machine
does meanwhile. Memory is what the processes say: small differences of large numbers, some hundred bytes of noise.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from compose.supervision.ports import answers, free_ports
from shared.demo_accounts import account_name
from shared.shop.database import prepare
from tests.shared.valkey import Valkey, running_valkey
from tests.waiting import until

ROOT = Path(__file__).parents[2]
THREADS = 8
PASSWORD = "shop"
ACCOUNTS = 50
COST = 128
READY_WITHIN_S = 15.0
CART = ("acorn", "bell", "map")
STORES = ("memory", "token", "redis")


@dataclass
class Server:
    """A running server, asked over one kept connection."""

    name: str
    port: int
    process: psutil.Process

    def __post_init__(self) -> None:
        self.connection = socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def ask(self, request: bytes) -> bytes:
        """One request; its whole answer."""
        self.connection.sendall(request)
        answer = self.connection.recv(65536)
        while b"\r\n\r\n" not in answer:
            answer += self.connection.recv(65536)
        head, _, body = answer.partition(b"\r\n\r\n")
        length = int(field(head, b"content-length"))
        while len(body) < length:
            body += self.connection.recv(65536)
        if not head.startswith(b"HTTP/1.1 200"):
            raise AssertionError(f"{self.name}: {head[:60]!r} {body[:200]!r}")
        return head

    def cpu_s(self) -> float:
        """CPU of the server's processes so far."""
        times = [part.cpu_times() for part in (self.process, *self.process.children(recursive=True))]
        return sum(one.user + one.system for one in times)

    def memory(self) -> int:
        """Bytes that only the serving process has (the last child is the worker)."""
        uss: int = self.process.children(recursive=True)[-1].memory_full_info().uss
        return uss


def request(method: str, path: str, cookie: str = "", body: bytes = b"") -> bytes:
    """A request, ready to be sent."""
    lines = [f"{method} {path} HTTP/1.1", "Host: shop", "Accept: application/json", f"Content-Length: {len(body)}"]
    lines += ["Content-Type: application/json"] if method != "GET" else []
    lines += [f"Cookie: {cookie}"] if cookie else []
    return "\r\n".join([*lines, "", ""]).encode() + body


def field(head: bytes, name: bytes) -> bytes:
    """A header of an answer."""
    return next(line for line in head.split(b"\r\n") if line.lower().startswith(name + b":")).split(b":", 1)[1].strip()


def cookie_in(head: bytes) -> str:
    """The session cookie that an answer sets."""
    return field(head, b"set-cookie").split(b";")[0].decode()


def shopper(server: Server, number: int) -> str:
    """Log in and fill a cart; the cookie."""
    credentials = json.dumps({"user": account_name(number % ACCOUNTS + 1), "password": PASSWORD}).encode()
    cookie = cookie_in(server.ask(request("POST", "/login", "", credentials)))
    for sku in CART:
        head = server.ask(request("POST", "/cart", cookie, json.dumps({"sku": sku, "quantity": 2}).encode()))
        cookie = cookie_in(head)
    return cookie


@contextmanager
def started(name: str, command: list[str], environment: dict[str, str]) -> Iterator[Server]:
    """A server on a free port, in a group of its own."""
    (port,) = free_ports(1)
    words = [word.format(port=port) for word in command]
    process = subprocess.Popen(
        words, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        until(lambda: answers(port) or process.poll() is not None, READY_WITHIN_S)
        if not answers(port):
            raise RuntimeError(f"{name} did not start")
        yield Server(name, port, psutil.Process(process.pid))
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def all_servers(folder: Path, valkey: Valkey) -> Iterator[dict[str, Server]]:
    """The bare route and a node for each store."""
    url = f"sqlite:///{folder}/shop.sqlite"
    prepare(url, accounts=ACCOUNTS, password=PASSWORD, cost=COST)
    settings = {
        "TWINSHOP_DATABASE_URL": url,
        "TWINSHOP_SECRET_KEY": "the secret key of the benchmark",
        "TWINSHOP_REDIS_URL": valkey.url,
        "TWINSHOP_PASSWORD_COST": str(COST),
        "TWINSHOP_NODE_THREADS": str(THREADS),
    }
    with ExitStack() as stack:
        bare = [sys.executable, "-m", "tests.bench.bare", "{port}", str(THREADS)]
        servers = {"bare": stack.enter_context(started("bare", bare, {**os.environ}))}
        for store in STORES:
            twin = "stateful_app" if store == "memory" else "stateless_app"
            command = [sys.executable, "-m", "shared.node", twin, "--port", "{port}"]
            log = {"TWINSHOP_STORE": store, "TWINSHOP_REQUEST_LOG": str(folder / f"{store}.ndjson")}
            servers[store] = stack.enter_context(started(store, command, {**os.environ, **settings, **log}))
        yield servers


def rate(server: Server, asked: bytes, seconds: float) -> float:
    """Requests for each second of the server's CPU."""
    before, count, end = server.cpu_s(), 0, time.monotonic() + seconds
    while time.monotonic() < end:
        for _ in range(20):
            server.ask(asked)
        count += 20
    return count / max(server.cpu_s() - before, 1e-9)


def rates(servers: dict[str, Server], rounds: int, seconds: float) -> dict[str, dict[str, float]]:
    """By server: what one core answers, reading and writing the session."""
    cookies = {store: shopper(servers[store], 0) for store in STORES}
    found: dict[str, dict[str, list[float]]] = {name: {"read": [], "write": []} for name in servers}
    for _ in range(rounds):
        for name, server in servers.items():
            cookie = cookies.get(name, "")
            found[name]["read"].append(rate(server, request("GET", "/me", cookie), seconds))
            if name != "bare":
                found[name]["write"].append(rate(server, request("DELETE", "/cart/key", cookie), seconds))
    return {name: {do: statistics.median(each) for do, each in by.items() if each} for name, by in found.items()}


def memory(server: Server, valkey: Valkey, sessions: int) -> dict[str, float]:
    """Bytes for each session with three articles in its cart: in the node, in the store, in the cookie."""
    for number in range(sessions // 4):
        shopper(server, number)
    node, store, cookie = server.memory(), used_memory(valkey), ""
    for number in range(sessions):
        cookie = shopper(server, number)
    return {
        "node": (server.memory() - node) / sessions,
        "store": (used_memory(valkey) - store) / sessions,
        "cookie": float(len(cookie)),
    }


def used_memory(valkey: Valkey) -> int:
    """What the store says it uses."""
    with socket.create_connection(("127.0.0.1", valkey.port), timeout=5) as connection:
        connection.sendall(b"INFO memory\r\n")
        answer = b""
        while b"used_memory_dataset_perc" not in answer:
            answer += connection.recv(65536)
    return int(answer.split(b"used_memory:")[1].split(b"\r\n")[0])


def measure(rounds: int, seconds: float, sessions: int) -> dict[str, dict[str, float]]:
    """Everything."""
    with (
        tempfile.TemporaryDirectory(prefix="twinshop-bench-") as folder,
        running_valkey() as valkey,
        all_servers(Path(folder), valkey) as servers,
    ):
        found = rates(servers, rounds, seconds)
        for store in STORES:
            held = memory(servers[store], valkey, sessions)
            found[store] |= {f"bytes_in_{place}": bytes_ for place, bytes_ in held.items()}
            found[store]["ratio"] = found[store]["read"] / found["bare"]["read"]
    return found


def words(found: dict[str, dict[str, float]]) -> str:
    """A table."""
    lines = [
        "one node         read a session     write it   beside bare   bytes a session:   node   store  cookie",
        f"bare Flask route {found['bare']['read']:12.0f}/s",
    ]
    for store in STORES:
        one = found[store]
        lines.append(
            f"{store:<16} {one['read']:12.0f}/s {one['write']:10.0f}/s {one['ratio']:13.2f}"
            f" {one['bytes_in_node']:25.0f} {one['bytes_in_store']:7.0f} {one['bytes_in_cookie']:7.0f}"
        )
    return "\n".join([*lines, "requests for each second of the node's own CPU; medians"])


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.6)
    parser.add_argument("--sessions", type=int, default=2000)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = measure(asked.rounds, asked.seconds, asked.sessions)
    print(json.dumps(found) if asked.json else words(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
