"""What the contract tests of an engine share: clusters for tests, a visitor, and a way to watch a part."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from compose.applications.contract import NodeSetup
from compose.applications.twins import Twins
from compose.architectures import ARCHITECTURES
from compose.balancers.access_log import AccessLine, read_access_batches
from compose.cluster import DEFAULT_BALANCER, ClusterSpec, Limits, Observation
from compose.engines import persisted_cluster
from compose.engines.contract import Cluster, Engine
from compose.engines.processes import ProcessesEngine
from compose.supervision.ledger import Ledger
from tests.waiting import until

SEEN_WITHIN_S = 30.0
SHORT_S, LONG_S = 0.3, 5.0
"""How long a look at a part takes at most: as in a run, and for tests in which no part is silent."""
SMALL_SHOP = Path(__file__).with_name("small_shop.py")


Command = Callable[[NodeSetup], list[str]]


class OtherNodes(Twins):
    """The twins, but that another command runs their nodes."""

    def __init__(self, command: Command) -> None:
        self._command = command

    def command(self, spec: ClusterSpec, setup: NodeSetup, python: str = sys.executable) -> list[str]:
        return self._command(setup)


def whose_nodes_are(command: Command, kind: type[Engine] = ProcessesEngine) -> Engine:
    """An engine of that kind for clusters with other nodes, which are told what every node is told."""

    class Other(kind):  # type: ignore[misc,valid-type]
        def start_once(self, spec: ClusterSpec, folder: Path, ledger: Ledger) -> Cluster:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(persisted_cluster, "application_of", lambda _spec: OtherNodes(command))
                return super().start_once(spec, folder, ledger)

    return Other()


def small_node(setup: NodeSetup) -> list[str]:
    return [sys.executable, "-S", str(SMALL_SHOP), str(setup.listen.port)]


SMALL_SHOPS = whose_nodes_are(small_node)
"""For tests that ask nothing of nodes but that they are there, and who they are."""


@contextmanager
def looks_within(seconds: float) -> Iterator[None]:
    """Bound what is asked of parts: on a busy machine, a living part may be slow to answer and is none the worse."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in sys.modules if name.startswith("compose.")]:
            for bound in ("PROBE_S", "STATE_WITHIN_S", "TROUBLE_WITHIN_S", "SEEN_WITHIN_S"):
                if hasattr(sys.modules[name], bound):
                    patch.setattr(sys.modules[name], bound, seconds)
        yield


PATIENT = Limits(cluster_ready_s=120, node_ready_s=60)
"""Of clusters whose start has no bound that is tried: on a busy machine it takes its time."""


def new_spec(architecture: str = "sticky-memory", **changes: object) -> ClusterSpec:
    changes.setdefault("limits", PATIENT)
    return ClusterSpec(secrets.token_hex(4), ARCHITECTURES[architecture], accounts=6, **changes)  # type: ignore[arg-type]


def access_lines(path: Path) -> list[AccessLine]:
    """What the balancer has written down up to now."""
    return [line for lines in read_access_batches(path) for line in lines]


def watch(cluster: Cluster, node: str, wanted: Callable[[Observation], bool]) -> Observation:
    """The first observation that is as wanted; fails if there is none within the bound."""
    seen: list[Observation] = []

    def look() -> bool:
        seen.append(cluster.observe(node))
        return wanted(seen[-1])

    assert until(look, SEEN_WITHIN_S), seen[-1]
    return seen[-1]


class Visitor:
    """A person with one cookie jar."""

    def __init__(self, cluster: Cluster, user: str = "user-0001") -> None:
        self.cluster = cluster
        self.user = user
        self.web = requests.Session()
        self.web.trust_env = False
        self.web.headers["Accept"] = "application/json"
        if cluster.spec.balancer != DEFAULT_BALANCER:  # one that is kept goes with the process that was reloaded
            self.web.headers["Connection"] = "close"

    def __enter__(self) -> Visitor:
        return self

    def __exit__(self, *_: object) -> None:
        self.web.close()

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> requests.Response:
        return self.web.request(method, f"{self.cluster.url}{path}", json=body, headers=headers, timeout=20)

    def log_in(self) -> requests.Response:
        body = {"user": self.user, "password": self.cluster.spec.password}
        answer = self.ask("POST", "/login", body)
        assert answer.status_code == 200, answer.text
        return answer

    def knows_me(self, times: int) -> list[bool]:
        return [self.ask("GET", "/me").status_code == 200 for _ in range(times)]


@contextmanager
def running(engine: Engine, spec: ClusterSpec, home: Path) -> Iterator[Cluster]:
    with Ledger.open(home / "state", spec.run) as ledger:
        cluster = engine.start(spec, home / "cluster", ledger)
        try:
            yield cluster
        finally:
            cluster.stop()


class EngineTests:
    """Tests that an engine inherits: it says how it is made, and how it fails."""

    @classmethod
    def make_engine(cls) -> Engine:
        """The engine as it is used."""
        raise NotImplementedError

    @classmethod
    def make_small_engine(cls) -> Engine:
        """One whose nodes start as fast as they can, for tests that ask nothing of them."""
        return cls.make_engine()

    @classmethod
    def make_failing_engine(cls) -> Engine:
        """One whose nodes say "no shop today" and end."""
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def patience(self) -> Iterator[None]:
        with looks_within(LONG_S):
            yield

    @pytest.fixture(scope="class")
    @classmethod
    def home(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        return tmp_path_factory.mktemp("engine")

    @pytest.fixture(scope="class")
    @classmethod
    def cluster(cls, home: Path) -> Iterator[Cluster]:
        """One for all tests that only look at it."""
        with running(cls.make_engine(), new_spec(), home) as cluster:
            yield cluster

    @pytest.fixture
    def own_cluster(self, tmp_path: Path) -> Iterator[Cluster]:
        """One for tests that break it."""
        with running(self.make_engine(), new_spec(), tmp_path) as cluster:
            yield cluster

    @pytest.fixture(scope="class")
    @classmethod
    def store_cluster(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
        """One with a session store and wires to it, for tests that leave it as they found it."""
        with running(cls.make_engine(), new_spec("redis", wires=True), tmp_path_factory.mktemp("stored")) as cluster:
            yield cluster
