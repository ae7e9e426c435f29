"""Sessions in the memory of every node, with real nodes: kill them, and see who is still known where."""

from __future__ import annotations

import http.client
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from compose.supervision.ports import answers, free_ports
from shared.errors import UsageError
from shared.replication.peers import HEARTBEAT_S
from shared.sessions import fingerprint
from shared.shop.settings import Settings
from stateful_app.sessions import session_store
from tests.shared.node_process import GONE_WITHIN_S, READY_WITHIN_S, Process
from tests.waiting import until

pytestmark = pytest.mark.cluster

CONTROL_TOKEN = "control-token-of-the-tests"
WITHIN_S = 30.0
JSON = "application/json"
PORTS_TRIED = 3


class Shopper:
    """Somebody with a cookie, who says at which node to ask."""

    def __init__(self, user: str = "user-0001") -> None:
        self.user = user
        self.cookie = ""

    def ask(self, node: Process, method: str, path: str, body: object = None) -> tuple[int, dict[str, object]]:
        headers = {"Accept": JSON, "Content-Type": JSON, "X-Request-Id": "r", "X-Control-Token": CONTROL_TOKEN}
        if self.cookie:
            headers["Cookie"] = f"session={self.cookie}"
        with closing(http.client.HTTPConnection("127.0.0.1", node.port, timeout=30)) as connection:
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            told = json.loads(answer.read())
        for line in answer.headers.get_all("Set-Cookie") or []:
            self.cookie = line.partition("session=")[2].partition(";")[0]
        return answer.status, told

    def login(self, node: Process) -> Shopper:
        status, told = self.ask(node, "POST", "/login", {"user": self.user, "password": "shop"})
        assert (status, told) == (200, {"user": self.user})
        return self

    def add(self, node: Process, sku: str) -> int:
        return self.ask(node, "POST", "/cart", {"sku": sku, "quantity": 1})[0]

    def is_known(self, node: Process) -> bool:
        status, told = self.ask(node, "GET", "/me")
        return status == 200 and told["user"] == self.user

    def cart(self, node: Process) -> object:
        return self.ask(node, "GET", "/cart")[1].get("cart")


class Nodes:
    """Nodes that tell each other of their sessions; each can be started again where it was."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._places = [f"127.0.0.1:{port}" for port in free_ports(4)]
        self.running: dict[int, Process] = {}
        self._starts = 0

    def start(self, *numbers: int, **settings: str) -> None:
        for number in numbers:
            self._starts += 1
            folder = self._folder / f"n{number}-{self._starts}"
            folder.mkdir()
            self.running[number] = Process(
                folder,
                "stateful_app",
                TWINSHOP_NODE=f"n{number}",
                TWINSHOP_STORE="replicated",
                TWINSHOP_REPLICA_SELF=self._places[number - 1],
                TWINSHOP_REPLICA_PEERS=",".join(place for place in self._places[:3]),
                TWINSHOP_CONTROL_TOKEN=CONTROL_TOKEN,
                **settings,
            )
        for number in numbers:
            assert until(lambda n=number: self.is_ready(n), WITHIN_S), self.running[number].words.read_text()  # type: ignore[misc]

    def is_ready(self, number: int) -> bool:
        node = self.running[number]
        assert node.popen.poll() is None, node.words.read_text()
        return answers(node.port) and node.ask("/healthz")[0] == 200

    def kill(self, *numbers: int) -> None:
        for number in numbers:
            self.running.pop(number).end()

    def __getitem__(self, number: int) -> Process:
        return self.running[number]

    def end(self) -> None:
        for node in self.running.values():
            node.end()


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Nodes]:
    nodes = started(tmp_path)
    try:
        yield nodes
    finally:
        nodes.end()


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    """For tests in which every node lives on."""
    nodes = started(tmp_path_factory.mktemp("three"))
    try:
        yield nodes
    finally:
        nodes.end()


@pytest.fixture
def living(three: Nodes) -> Iterator[Nodes]:
    """The same, and nobody is logged in."""
    yield three
    for user in ("user-0001", "user-0002"):
        assert Shopper(user).login(three[1]).ask(three[1], "POST", "/logout/everywhere")[0] == 200


def started(folder: Path) -> Nodes:
    """Three nodes; on other ports if somebody else, a test beside this one, has taken one of theirs meanwhile."""
    for attempt in range(PORTS_TRIED):
        place = folder / f"attempt-{attempt}"
        place.mkdir()
        nodes = Nodes(place)
        try:
            nodes.start(1, 2, 3)
        except AssertionError as error:
            nodes.end()
            if "Address already in use" not in str(error):
                raise
        except BaseException:
            nodes.end()
            raise
        else:
            return nodes
    pytest.fail(f"{PORTS_TRIED} times a port was taken that was free when it was chosen")


def knows(shopper: Shopper, node: Process) -> bool:
    return until(lambda: shopper.is_known(node), WITHIN_S)


def test_who_logs_in_on_one_node_is_known_on_all(living: Nodes) -> None:
    shopper = Shopper().login(living[1])
    assert shopper.add(living[1], "acorn") == 200
    for number in (2, 3):
        assert until(lambda n=number: shopper.cart(living[n]) == {"acorn": 1}, WITHIN_S)  # type: ignore[misc]
    assert shopper.add(living[2], "bell") == 200
    assert until(lambda: shopper.cart(living[3]) == {"acorn": 1, "bell": 1}, WITHIN_S)
    shopper.ask(living[3], "POST", "/logout")
    assert until(lambda: not any(shopper.is_known(living[number]) for number in (1, 2, 3)), WITHIN_S)


def test_who_logs_out_everywhere_is_out_on_every_node(living: Nodes) -> None:
    here, there, other = (
        Shopper(user).login(living[n]) for n, user in ((1, "user-0001"), (2, "user-0001"), (3, "user-0002"))
    )
    assert knows(here, living[3])
    assert here.ask(living[3], "POST", "/logout/everywhere")[0] == 200
    assert until(lambda: not any(there.is_known(living[number]) for number in (1, 2, 3)), WITHIN_S)
    assert all(knows(other, living[number]) for number in (1, 2, 3))


def test_every_node_lists_every_session_and_says_so(living: Nodes) -> None:
    shoppers = [Shopper(user).login(living[number]) for number, user in ((1, "user-0001"), (2, "user-0002"))]
    held = [{"session": fingerprint(shopper.cookie), "user": shopper.user} for shopper in shoppers]

    def listed(number: int) -> object:
        _, told = Shopper().ask(living[number], "GET", "/-/sessions")
        assert told["store"] == "replicated"
        return told["sessions"]

    for number in (1, 2, 3):
        assert until(lambda n=number: listed(n) == held, WITHIN_S), listed(number)  # type: ignore[misc]


def test_a_killed_node_takes_nobody_along_and_comes_back_knowing(nodes: Nodes) -> None:
    shoppers = [Shopper(f"user-000{1 + number % 2}").login(nodes[1 + number % 3]) for number in range(6)]
    nodes.kill(1)
    assert all(knows(shopper, nodes[2]) and knows(shopper, nodes[3]) for shopper in shoppers)
    assert until(lambda: shoppers[0].add(nodes[2], "acorn") == 200, WITHIN_S), "no new leader"
    nodes.start(1)
    assert all(shopper.is_known(nodes[1]) for shopper in shoppers), "it said that it was ready"
    assert shoppers[0].cart(nodes[1]) == {"acorn": 1}


def test_a_rolling_restart_logs_nobody_out(nodes: Nodes) -> None:
    shoppers = [Shopper(f"user-000{1 + number % 2}").login(nodes[1 + number % 3]) for number in range(6)]
    for number in (1, 2, 3):
        node = nodes.running.pop(number)
        node.popen.send_signal(signal.SIGTERM)
        assert node.popen.wait(READY_WITHIN_S) == 0, node.words.read_text()
        nodes.start(number)
    for number in (1, 2, 3):
        assert all(shopper.is_known(nodes[number]) for shopper in shoppers)
    assert until(lambda: shoppers[0].add(nodes[3], "acorn") == 200, WITHIN_S)


def test_with_two_of_three_dead_reading_goes_on_and_writing_is_an_outage(nodes: Nodes) -> None:
    shopper = Shopper().login(nodes[3])
    nodes.kill(1, 2)
    for _ in range(3):
        status, told = shopper.ask(nodes[3], "POST", "/cart", {"sku": "acorn", "quantity": 1})
        assert (status, told["error"]) == (503, "store_unavailable")
        assert shopper.is_known(nodes[3])
    assert Shopper("user-0002").ask(nodes[3], "POST", "/login", {"user": "user-0002", "password": "shop"})[0] == 503
    nodes.start(1, 2)
    assert all(shopper.is_known(nodes[number]) for number in (1, 2, 3)), "those that came back took what was left"
    assert until(lambda: shopper.add(nodes[1], "acorn") == 200, WITHIN_S)
    assert "Traceback" not in nodes[3].words.read_text()


def test_a_fourth_node_joins_and_leaves(nodes: Nodes) -> None:
    shopper = Shopper().login(nodes[1])
    nodes.start(4)
    assert shopper.is_known(nodes[4])
    assert shopper.add(nodes[4], "acorn") == 200
    leaving = nodes.running.pop(4)
    leaving.popen.send_signal(signal.SIGTERM)
    assert leaving.popen.wait(READY_WITHIN_S) == 0, leaving.words.read_text()
    nodes.kill(3)
    # Of the four, two are left; of the three that are counted, too.
    assert until(lambda: shopper.add(nodes[2], "bell") == 200, WITHIN_S)
    assert until(lambda: shopper.cart(nodes[1]) == {"acorn": 1, "bell": 1}, WITHIN_S)


def test_the_worker_processes_of_one_node_know_the_same_people(tmp_path: Path) -> None:
    nodes = Nodes(tmp_path)
    try:
        nodes.start(1, 2, 3, TWINSHOP_NODE_WORKERS="2")
        shopper = Shopper()
        # Whichever worker answers first: the other one may still be on its way in.
        login = {"user": shopper.user, "password": "shop"}
        assert until(lambda: shopper.ask(nodes[1], "POST", "/login", login)[0] == 200, WITHIN_S)
        time.sleep(5 * HEARTBEAT_S)  # a worker that has caught up may be a heartbeat behind what came since
        asked: set[object] = set()

        def both_were_asked() -> bool:
            asked.add(shopper.ask(nodes[1], "GET", "/-/state")[1]["pid"])
            assert shopper.ask(nodes[1], "GET", "/me")[0] in {200, 503}, "an empty worker called somebody a stranger"
            return len(asked) == 2

        assert until(both_were_asked, WITHIN_S)
        assert until(lambda: all(shopper.is_known(nodes[1]) for _ in range(20)), WITHIN_S)
    finally:
        nodes.end()


def test_its_port_is_closed_when_it_is_stopped(nodes: Nodes) -> None:
    node = nodes.running.pop(2)
    pids = node.group()
    node.popen.send_signal(signal.SIGTERM)
    assert node.popen.wait(READY_WITHIN_S) == 0
    assert until(lambda: not answers(int(nodes._places[1].rpartition(":")[2])), GONE_WITHIN_S)
    assert until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), GONE_WITHIN_S)


def test_a_node_alone_of_three_answers_nobody_whom_it_may_have_forgotten(tmp_path: Path) -> None:
    nodes = Nodes(tmp_path)
    folder = tmp_path / "alone"
    folder.mkdir()
    alone = Process(
        folder,
        "stateful_app",
        TWINSHOP_STORE="replicated",
        TWINSHOP_REPLICA_SELF=nodes._places[0],
        TWINSHOP_REPLICA_PEERS=",".join(nodes._places[1:3]),
    )
    try:
        assert until(lambda: answers(alone.port), READY_WITHIN_S), alone.words.read_text()
        shopper = Shopper()
        shopper.cookie = "somebody-may-have-this-one"
        status, told = shopper.ask(alone, "GET", "/me")
        assert (status, told["error"]) == (503, "store_unavailable")
        assert alone.ask("/healthz")[0] == 503, "the balancer must not send anybody here"
        assert alone.ask("/products")[0] == 200, "it is alive"
    finally:
        os.killpg(alone.popen.pid, signal.SIGKILL)
        alone.popen.wait(GONE_WITHIN_S)


def test_it_must_be_told_where_to_listen() -> None:
    with pytest.raises(UsageError, match="TWINSHOP_REPLICA_SELF"):
        session_store(Settings(database_url="sqlite://", secret_key="x" * 8, store="replicated"))
