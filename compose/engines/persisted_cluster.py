"""What a cluster can be asked whatever runs it: all that is answered by what is written down, by its parts themselves,
and by its application. An engine adds what only it knows: whether a part's process lives, and how to strike it.
"""

import threading
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import msgspec

from compose.applications import application_of
from compose.applications.contract import NodeState
from compose.balancers import balancer_named
from compose.balancers.access_log import KEPT_LOG, translate
from compose.balancers.contract import OUR_LOG
from compose.cluster import BALANCER, CACHE, REPLICA, SENTINEL, STORE, WIRES, NodeChanges, Reply, Usage
from compose.engines import page_cache
from compose.engines.cluster_file import ClusterFile, read_cluster_file, work_folder, write_cluster_file
from compose.engines.contract import Blow, Cluster
from compose.engines.store import master_address, store_counters
from compose.probes import PROBE_S, SelfReport, Unanswered, ask, report_of_sentinel, report_of_store, report_of_wires
from compose.supervision.ledger import Ledger
from compose.supervision.ledger_file import Broken
from compose.supervision.recovery import is_own_folder, remove_own_folder
from shared.demo_accounts import DatabaseOrder
from shared.errors import TwinshopError, UsageError
from shared.sessions import HeldSession, Injection
from shared.whole_file import write_whole

PROBE = "probe-"  # how the ids of what is asked from outside begin: they are no shopper's
CONFIGURATION = "balancer.configuration"
"""All that the balancer was told to read, and when, one below the other; in a cluster's folder."""
PREPARE_LOG = "prepare.log"  # what the command printed that prepares somebody's application


class PersistedCluster(Cluster):
    """A cluster by its file, `work/cluster.json`."""

    database_part = ""
    """What is started to hold accounts and orders; empty: it is a file."""

    def __init__(self, folder: Path, written: ClusterFile, ledger: Ledger) -> None:
        self.folder = folder
        self.spec = written.spec
        self.url = written.url
        self.shop_url = written.cache_url or written.url
        self.admin_url = written.admin_url
        self.written = written
        self.work = work_folder(folder)
        self.application = application_of(written.spec)
        self.balancer = balancer_named(written.spec.balancer)
        self._ledger = ledger
        self._lock = threading.RLock()  # reentrant: a change of several steps calls others that hold it by themselves
        self._stopped = False

    @abstractmethod
    def process_state(self, part: str) -> tuple[bool, str, str | None]:
        """By the engine's books: whether the part's process exists (a frozen one does), the same in words, and what
        tells this start of it from another one."""

    @abstractmethod
    def hit(self, blow: Blow, part: str) -> None:
        """Carry it out on a part's process; no error if it is gone, or so already."""

    @abstractmethod
    def start_all(self, parts: list[str], until: float) -> None:
        """Start these parts for the first time, and the database if it is one, all at once."""

    @abstractmethod
    def run_part(self, part: str) -> None:
        """Start a part for the first time."""

    def write_file(self, path: Path, content: bytes) -> None:
        """Replace, by rename, a file that a part reads."""
        write_whole(path, content, mode=0o600)

    @abstractmethod
    def start_again(self, part: str) -> None:
        """Start a part again, unless it runs; while `changing`."""

    @abstractmethod
    def used(self, part: str) -> tuple[float, int] | None:
        """Processor seconds and bytes of memory of that part; None if nobody says."""

    def why_ended(self, part: str) -> str:
        """How a part that is being started has ended, in words; empty if it runs."""
        runs, words, _start = self.process_state(part)
        return "" if runs else f"({words})"

    def stranger(self, _part: str) -> str:
        """Why what answers in that part's place is not ours; empty if nothing speaks against it."""
        return ""

    def parts(self) -> tuple[str, ...]:
        """All parts, dead ones too."""
        return tuple(self.written.urls)

    def address(self, part: str) -> str:
        """Where we reach that part."""
        self._known(part)
        return self.written.urls[part]

    def ask_as_shopper(self, request: str) -> dict[str, str]:
        """The headers of the answer to a page that everybody is shown, asked where shoppers come."""
        browse = self.application.interface.calls.get("browse")
        page = f"{self.shop_url}{browse.path if browse else self.application.http.health}"
        page += f"?{PROBE}{self.spec.run}"  # its own address: no shopper is given this page
        try:
            return ask(page, headers={"X-Request-Id": f"{PROBE}{request}"}, within_s=PROBE_S).headers
        except Unanswered:
            return {}

    def _known(self, part: str) -> None:
        if part not in self.parts():
            raise _no_such("part", part, self.parts())

    def _node_url(self, node: str) -> str:
        try:
            return self.written.node_urls[node]
        except KeyError:
            raise _no_such("node", node, self.written.node_urls) from None

    def self_report(self, part: str) -> SelfReport:
        """What a part's own address answers."""
        if part in self.written.node_urls:
            return self.application.health(self._node_url(part), self.spec.run)
        if part == BALANCER:
            return self.balancer.self_report(self.admin_url)
        looks = {SENTINEL: report_of_sentinel, WIRES: report_of_wires, CACHE: page_cache.self_report}
        return looks.get(part, report_of_store)(self.address(part))

    def follows(self, part: str) -> str:
        """host:port of the server whose copy a store or replica is to be; "": it is nobody's."""
        written = self.written
        ours = str(written.reach(STORE))
        # As a system's start-up would, it asks the sentinel: a store that was replaced, told by nobody, would be a
        # second one for 10 s, until the sentinel makes it follow.
        named = master_address(written.sentinel_url) if written.sentinel_url else None
        leads = named or ours
        if leads == str(written.reach(part)):
            return ""
        return str(written.store_for(part)) if leads == ours else leads

    def probe(self, node: str) -> Reply:
        """Ask a node for a page of the shop, past the balancer."""
        return self.application.probe(self._node_url(node))

    def state(self, node: str) -> NodeState | None:
        """What a node says of itself, past the balancer; None if it does not answer."""
        return self.application.state(self._node_url(node), self.written.control_token, self.written.keys)

    def held(self, node: str) -> list[HeldSession] | None:
        """The logged-in sessions that the node says it holds."""
        return self.application.held(self._node_url(node), self.written.control_token)

    def orders(self) -> list[DatabaseOrder]:
        """Every order in the database, by order id."""
        return self.application.orders(self.written.database_url)

    def usage(self) -> dict[str, Usage]:
        """What each node and each store uses of the machine."""
        stores = {part: url for part, url in self.written.urls.items() if part in (STORE, REPLICA)}
        parts = (*self.written.node_urls, *stores)
        with ThreadPoolExecutor(len(parts)) as pool:  # side by side: an engine may take its time for each
            found = dict(zip(parts, pool.map(self.used, parts), strict=True))
        return {
            part: Usage(*spent, store_counters(stores[part]) if part in stores else {})
            for part, spent in found.items()
            if spent is not None
        }

    def logs(self) -> dict[str, Path]:
        """The logs by part."""
        self._translate_access_log()
        return self.log_files()

    def log_files(self) -> dict[str, Path]:
        """As `logs`, as they are just now."""
        found = {part: self.folder / f"{part}.log" for part in self.parts()}
        found["balancer.configuration"] = self.folder / CONFIGURATION
        if self.application.can.logs_requests:
            found |= {f"{node}.requests": self.folder / f"{node}.requests.ndjson" for node in self.written.node_urls}
        if self.balancer.own_log != OUR_LOG:
            found["access.own"] = self.own_access_log
        if CACHE in self.parts():
            found["access.kept"] = self.folder / KEPT_LOG
        return found | {"access": self.folder / OUR_LOG}

    @property
    def own_access_log(self) -> Path:
        """The access log as the balancer writes it."""
        return self.folder / self.balancer.own_log

    def _translate_access_log(self) -> None:
        if self.balancer.own_log == OUR_LOG:
            return
        with self.changing():
            # By the address as the balancer has it: in containers that is another one than ours.
            nodes = {str(self.written.reach(node)): node for node in self.written.node_urls}
            translate(self.own_access_log, self.folder / OUR_LOG, lambda line: self.balancer.record(line, nodes))

    def strike(self, blow: Blow, part: str) -> None:
        """Write down what is about to be broken, and carry it out."""
        self._known(part)
        with self._lock:  # not the file's as well: a blow must not wait for a change that another process makes
            if self._stopped:
                return
            if blow != "thaw":  # that breaks nothing
                self._ledger.add(Broken(f"{blow} {part}"))
            self.hit(blow, part)

    def change(self, node: str, changes: NodeChanges) -> None:
        """Settings that the node has from its next start on."""
        self._node_url(node)
        with self.changing() as there:
            if there:
                self.rewrite(changes={**self.written.changes, node: changes})

    def trouble(self, node: str, trouble: Injection) -> None:
        """Tell a living node what to suffer from.

        Raises:
            TwinshopError: it answers, but will not.
        """
        self.application.trouble(self._node_url(node), self.written.control_token, trouble)

    @contextmanager
    def changing(self) -> Iterator[bool]:
        """Hold the cluster's file, for one change at a time in all threads and processes; False if it was stopped."""
        with self._lock:
            if self._stopped:
                yield False
                return
            from filelock import FileLock  # here: it imports asyncio and SQLite, and most commands hold nothing

            # Another process may change it, too: two terminals with `twinshop kill`. A lock makes its folder; where
            # another process has stopped the cluster there shall be none, and reading its file will say so.
            lock = FileLock(self.work / "change.lock", timeout=self.spec.limits.stop_s)
            with lock if self.work.is_dir() else nullcontext():
                self._reread()
                yield True

    def _reread(self) -> None:
        self.written = read_cluster_file(self.folder)

    def rewrite(self, **changed: Any) -> None:
        """Change the cluster's file; while `changing`."""
        self.written = msgspec.structs.replace(self.written, **changed)
        self.write()

    def write(self) -> None:
        """Write down what another process needs to attach."""
        write_cluster_file(self.folder, self.written)

    def _close(self) -> None:
        """When all is ended: complete the access log and remove `work/`.

        Raises:
            TwinshopError: it would not go.
        """
        self._translate_access_log()
        logs = self.log_files() | {"prepare": self.folder / PREPARE_LOG}
        self.application.blank(logs, (*self.confidential, self.written.secret_key))
        remove_own_folder(self.work, self.spec.run)
        if is_own_folder(self.work, self.spec.run):
            raise TwinshopError(f"cannot remove {self.work}", next_step="remove it by hand")


def _no_such(what: str, name: str, there: tuple[str, ...] | Mapping[str, str]) -> UsageError:
    why = f"its {what}s are {', '.join(there)}"
    return UsageError(f"there is no {what} {name!r} in this cluster", why=why, next_step="twinshop status")
