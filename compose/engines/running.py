"""The engine `running`: nothing is started. The application runs somewhere, with nothing of ours in front of it.

Its cluster has an address, and no parts that could be looked at or broken; what is done to it are commands of its owner
(`loadtests.running.stand_ins`).
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from compose.applications.contract import NodeState
from compose.cluster import ClusterSpec, NodeAddress
from compose.engines.cluster_file import work_folder
from compose.engines.contract import Cluster, Engine
from compose.probes import Unanswered, ask
from compose.supervision.ledger import Ledger
from compose.supervision.recovery import remove_own_folder
from compose.supervision.waiting import wait_for
from shared.demo_accounts import DatabaseOrder
from shared.errors import EnvironmentNotReady, UsageError
from shared.sessions import HeldSession

ANSWERS_WITHIN_S = 5.0
ASK_EVERY_S = 0.5


class RunningCluster(Cluster):
    """An address."""

    def __init__(self, spec: ClusterSpec, folder: Path, url: str) -> None:
        self.spec = spec
        self.folder = folder
        self.url = self.shop_url = url
        self.admin_url = ""
        self.mend: list[Callable[[], None]] = []
        """What is to be done before it is left alone, should it not have been done by then."""

    def nodes(self) -> tuple[NodeAddress, ...]:
        """None that we know."""
        return ()

    def parts(self) -> tuple[str, ...]:
        """None that we know."""
        return ()

    def _not_ours(self, *_asked: object, **_so: object) -> NoReturn:
        raise UsageError(
            f"the application at {self.url} runs without us: nothing of it can be looked at or broken by Twinshop",
            why="its description has an address, and no command that starts a node",
            next_step="describe a [fault.KIND] with commands",
        )

    address = strike = start = observe = probe = change = trouble = _not_ours
    drain = undrain = add_node = remove_node = balance = balancing = ask_strangers = reload_balancer = _not_ours
    wire = ask_across = _not_ours

    def state(self, node: str) -> NodeState | None:
        """Not known."""
        return None

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


class RunningEngine(Engine):
    """Starts nothing."""

    name = "running"

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
        # Any page will do: a stranger may be answered 401, or led to the login.
        return True if ask(url, within_s=ANSWERS_WITHIN_S).status < 500 else None
    except Unanswered:
        return None
