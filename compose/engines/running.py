"""The engine `running`: nothing is started. The application runs somewhere, with nothing of ours in front of it.

Its cluster has an address, and no parts that could be looked at or broken; what is done to it are commands of its owner
(`loadtests.running.hooks`).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from compose.applications.contract import NodeState
from compose.changes import Balancing, NodeChanges, Reply, Trouble, Wire
from compose.cluster import ClusterSpec, NodeAddress, Observation
from compose.engines.cluster_file import work_folder
from compose.engines.contract import Cluster, Engine
from compose.probes.questions import Unanswered, ask
from compose.supervision.ledger import Ledger
from compose.supervision.recovery import remove_own_folder
from compose.supervision.waiting import wait_for
from shared.database_order import DatabaseOrder
from shared.errors import EnvironmentNotReady, UsageError
from shared.sessions import HeldSession

ANSWERS_WITHIN_S = 5.0
ASK_EVERY_S = 0.5


class RunningCluster(Cluster):
    """An address."""

    engine = "running"

    def __init__(self, spec: ClusterSpec, folder: Path, url: str) -> None:
        self.spec = spec
        self.folder = folder
        self.url = url
        self.admin_url = ""
        self.mend: list[Callable[[], None]] = []
        """What is to be done before it is left alone, should it not have been done by then."""

    def nodes(self) -> tuple[NodeAddress, ...]:
        """None that we know."""
        return ()

    def parts(self) -> tuple[str, ...]:
        """None that we know."""
        return ()

    def address(self, part: str) -> str:
        """Nobody's."""
        self._not_ours()

    def kill(self, part: str) -> None:
        """Not ours to do; so are all that follow."""
        self._not_ours()

    def terminate(self, part: str) -> None:
        """Not ours."""
        self._not_ours()

    def freeze(self, part: str) -> None:
        """Not ours."""
        self._not_ours()

    def thaw(self, part: str) -> None:
        """Not ours."""
        self._not_ours()

    def start(self, part: str) -> None:
        """Not ours."""
        self._not_ours()

    def observe(self, part: str) -> Observation:
        """Not ours."""
        self._not_ours()

    def probe(self, node: str) -> Reply:
        """Not ours."""
        self._not_ours()

    def state(self, node: str) -> NodeState | None:
        """Not known."""
        return None

    def change(self, node: str, changes: NodeChanges) -> None:
        """Not ours."""
        self._not_ours()

    def trouble(self, node: str, trouble: Trouble) -> None:
        """Not ours."""
        self._not_ours()

    def drain(self, node: str) -> None:
        """Not ours."""
        self._not_ours()

    def undrain(self, node: str) -> None:
        """Not ours."""
        self._not_ours()

    def add_node(self) -> str:
        """Not ours."""
        self._not_ours()

    def remove_node(self, node: str) -> None:
        """Not ours."""
        self._not_ours()

    def balance(self, balancing: Balancing) -> None:
        """Not ours."""
        self._not_ours()

    def balancing(self) -> Balancing:
        """Not known."""
        self._not_ours()

    def ask_strangers(self, times: int) -> Counter[str]:
        """Not ours."""
        self._not_ours()

    def reload_balancer(self) -> None:
        """Not ours."""
        self._not_ours()

    def wire(self, end: str, wire: Wire) -> None:
        """Not ours."""
        self._not_ours()

    def ask_across(self, end: str) -> Reply:
        """Not ours."""
        self._not_ours()

    def held(self, node: str) -> list[HeldSession] | None:
        """Not known."""
        return None

    def orders(self) -> list[DatabaseOrder]:
        """Not known."""
        return []

    def logs(self) -> dict[str, Path]:
        """None."""
        return {}

    def stop(self) -> None:
        """Mend what is still broken, and forget it. Safe to repeat."""
        while self.mend:
            self.mend.pop()()
        remove_own_folder(work_folder(self.folder), self.spec.run)

    def _not_ours(self) -> NoReturn:
        raise UsageError(
            f"the application at {self.url} runs without us: nothing of it can be looked at or broken by Twinshop",
            why="its description has an address, and no command that starts a node",
            next_step="describe a [fault.KIND] with commands",
        )


class RunningEngine(Engine):
    """Starts nothing."""

    name = RunningCluster.engine

    def start_once(self, spec: ClusterSpec, folder: Path, ledger: Ledger) -> Cluster:
        """Make sure that somebody answers there."""
        described = spec.application
        if described is None or described.running is None:
            raise UsageError("nothing runs already", why="its description has no [running]")
        url = described.running.url.rstrip("/")
        until = time.monotonic() + ANSWERS_WITHIN_S
        if wait_for(lambda: _answers(f"{url}{described.who.path}"), until=until, every_s=ASK_EVERY_S) is None:
            raise EnvironmentNotReady(
                f"nobody answers at {url}",
                why=f"{ANSWERS_WITHIN_S:.0f} s are over",
                next_step="start it, and try again",
            )
        ledger.make_folder(work_folder(folder))
        return RunningCluster(spec, folder, url)

    def attach(self, folder: Path, ledger: Ledger) -> Cluster:
        """Nothing of it is kept."""
        raise UsageError("what runs without us cannot be found again", next_step="twinshop run SCENARIO --app FILE")


def _answers(url: str) -> bool | None:
    try:
        return True if ask(url, within_s=ANSWERS_WITHIN_S).status < 500 else None
    except Unanswered:
        return None
