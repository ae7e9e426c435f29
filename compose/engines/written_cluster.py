"""What a cluster can be asked whatever runs it: all that is answered by what is written down, by HTTP, and by the
files that the balancer watches. An engine adds what only it knows: whether a part's process lives, and how to strike
it.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
from filelock import FileLock

from compose.applications.node_state import NodeState, state_of
from compose.balancers.envoy_admin import balancing_now
from compose.balancers.envoy_config import ENDPOINTS_FILE, ROUTES_FILE, Endpoint, Listen, endpoints
from compose.balancers.envoy_routes import routes_file
from compose.changes import Balancing, Key, NodeChanges, Reply, Trouble, Wire
from compose.cluster import Observation
from compose.engines.cluster_file import ClusterFile, read_cluster_file, work_folder, write_cluster_file
from compose.engines.contract import Cluster
from compose.engines.observing import NO_MEMBER, ask_balancer, held_by, observation
from compose.engines.part_names import BALANCER, REPLICA, SENTINEL, STORE, WIRES, other_parts
from compose.links.link_file import Line
from compose.probes.http import Unanswered, ask
from compose.probes.replies import ask_page, ping
from compose.probes.self_reports import (
    Voice,
    listen_to,
    listen_to_balancer,
    listen_to_sentinel,
    listen_to_store,
    listen_to_wires,
)
from compose.supervision.ledger import Ledger
from compose.supervision.recovery import is_own_folder, remove_own_folder
from compose.supervision.waiting import wait_for
from shared.database_order import DatabaseOrder
from shared.errors import TwinshopError, UsageError
from shared.sessions import HeldSession, fingerprint

TROUBLE_WITHIN_S = 1.0
REMOVED_WITHIN_S = 0.5
"""For the balancer to hear that a node is no member any more: until then it sends it requests."""


class WrittenCluster(Cluster):
    """A cluster by its file, `work/cluster.json`."""

    def __init__(self, folder: Path, written: ClusterFile, ledger: Ledger) -> None:
        self.folder = folder
        self.spec = written.spec
        self.url = written.url
        self.admin_url = written.admin_url
        self.written = written
        self.work = work_folder(folder)
        self._ledger = ledger
        self._struck: set[str] = set()
        self._lock = threading.RLock()
        self._stopped = False

    # what only the engine knows

    def in_the_books(self, part: str) -> tuple[bool, str]:
        """Whether the part's process exists (a frozen one does), and the same in words, by the engine's books."""
        raise NotImplementedError

    def tell_balancer(self, file: str, content: bytes) -> None:
        """Replace one of the files that the balancer watches, by rename."""
        raise NotImplementedError

    def tell_wires(self) -> None:
        """Replace the file that the wires follow, by rename; each of its lines is a `line`."""
        raise NotImplementedError

    # what there is

    def parts(self) -> tuple[str, ...]:
        """All parts, dead ones too."""
        return (*self.written.node_urls, *other_parts(self.spec))

    def address(self, part: str) -> str:
        """Where we reach that part."""
        self._known(part)
        written = self.written
        others = {
            BALANCER: written.url,
            STORE: written.store_url,
            REPLICA: written.replica_url,
            SENTINEL: written.sentinel_url,
            WIRES: written.wires_url,
        }
        return others[part] if part in others else self._node_url(part)

    def _known(self, part: str) -> None:
        if part not in self.parts():
            raise UsageError(
                f"there is no part {part!r} in this cluster",
                why=f"its parts are {', '.join(self.parts())}",
                next_step="twinshop status",
            )

    def _node_url(self, node: str) -> str:
        try:
            return self.written.node_urls[node]
        except KeyError:
            raise UsageError(
                f"there is no node {node!r} in this cluster",
                why=f"its nodes are {', '.join(self.written.node_urls)}",
                next_step="twinshop status",
            ) from None

    # looking

    def observe(self, part: str) -> Observation:
        """Look at a part from outside: the engine's books, its own address, the balancer."""
        self._known(part)
        process, words = self.in_the_books(part)
        voice = self._voice(part)
        is_node = part in self.written.node_urls
        routed = ask_balancer(self.admin_url, self.written.reach(part)) if is_node else None
        return observation(part, process, words, voice, routed)

    def _voice(self, part: str) -> Voice:
        match part:
            case "balancer":
                return listen_to_balancer(self.admin_url)
            case "store" | "replica":
                return listen_to_store(self.address(part))
            case "sentinel":
                return listen_to_sentinel(self.written.sentinel_url)
            case "wires":
                return listen_to_wires(self.written.wires_url)
            case _:
                return listen_to(self._node_url(part), self.spec.run)

    def probe(self, node: str) -> Reply:
        """Ask a node for a page of the shop, past the balancer."""
        return ask_page(self._node_url(node), "/products", f"probe-{secrets.token_hex(4)}")

    def state(self, node: str) -> NodeState | None:
        """What a node says of itself, past the balancer; None if it does not answer."""
        keys: dict[str, Key] = {fingerprint(self.written.secret_key): "own", fingerprint(self.written.next_key): "next"}
        return state_of(self._node_url(node), self.written.control_token, keys)

    def held(self, node: str) -> list[HeldSession] | None:
        """The logged-in sessions that the node says it holds."""
        return held_by(self._node_url(node), self.written.control_token)

    def orders(self) -> list[DatabaseOrder]:
        """Every order in the database, by order id."""
        from shared.shop.database import read_orders  # costs 0.2 s to import: not at every start of the command line

        return read_orders(self.written.database_url)

    # changing how nodes behave

    def change(self, node: str, changes: NodeChanges) -> None:
        """Settings that the node has from its next start on."""
        self._node_url(node)
        with self.changing() as there:
            if there:
                self.rewrite(changes={**self.written.changes, node: changes})

    def keys(self, node: str) -> tuple[str, str]:
        """The signing key and the fallback ("": none) that the node is started with."""
        asked = self.written.changes.get(node, NodeChanges())
        key = {"own": self.written.secret_key, "next": self.written.next_key, None: ""}
        return key[asked.key], key[asked.fallback]

    def trouble(self, node: str, trouble: Trouble) -> None:
        """Tell a living node what to suffer from.

        Raises:
            TwinshopError: it answers, but will not.
        """
        url = f"{self._node_url(node)}/-/trouble"
        token = {"X-Control-Token": self.written.control_token}
        with suppress(Unanswered):
            answer = ask(url, headers=token, put=msgspec.json.encode(trouble), within_s=TROUBLE_WITHIN_S)
            if answer.status >= 300:
                raise TwinshopError(f"{node} cannot be troubled: its control page answers {answer.status}")

    # changing who is served by whom

    def drain(self, node: str) -> None:
        """New shoppers go to other nodes; those whom their cookie leads here still come."""
        self._node_url(node)
        with self.changing() as there:
            if there:
                self._ledger.broken(f"drain {node}")
                self.rewrite(draining=(*(n for n in self.written.draining if n != node), node))
                self.route()

    def undrain(self, node: str) -> None:
        """Send it everybody again."""
        self._node_url(node)
        with self.changing() as there:
            if there:
                self.rewrite(draining=tuple(n for n in self.written.draining if n != node))
                self.route()

    def remove_node(self, node: str) -> None:
        """Take it out of the balancer's membership, then SIGTERM it; it stays among `nodes()`, dead."""
        self._node_url(node)
        with self.changing() as there:
            if there:
                self._ledger.broken(f"remove {node}")
                self.rewrite(outside=(*(n for n in self.written.outside if n != node), node))
                self.route()
        if self._stopped:
            return
        until = time.monotonic() + REMOVED_WITHIN_S
        wait_for(lambda: True if self._is_no_member(node) else None, until=until)
        self.terminate(node)

    def _is_no_member(self, node: str) -> bool:
        return ask_balancer(self.admin_url, self.written.reach(node)).trouble == (NO_MEMBER,)

    def rejoin(self, node: str) -> None:
        """Make it a member again, if it was taken out; while `changing`."""
        if node in self.written.outside:
            self.rewrite(outside=tuple(n for n in self.written.outside if n != node))
            self.route()

    def route(self) -> None:
        """Tell the balancer its members, and how each is to be treated."""
        self.route_to([node for node in self.written.node_urls if node not in self.written.outside])

    def route_to(self, nodes: list[str]) -> None:
        """The same for those nodes only."""
        written = self.written
        doubled = {"n1"} if self.spec.architecture.affinity == "weighted" else set()
        members = [
            Endpoint(node, Listen.at(written.reach(node)), node in written.draining, 2 if node in doubled else 1)
            for node in nodes
        ]
        self.tell_balancer(ENDPOINTS_FILE, endpoints(members))

    def balance(self, balancing: Balancing) -> None:
        """Change how the running balancer routes, without dropping a connection."""
        with self.changing() as there:
            if there:
                self._ledger.broken(f"balance: {balancing}")
                self.rewrite(balancing=balancing)
                self.tell_routes()

    def tell_routes(self) -> None:
        """Tell the balancer how to route, as it is written down."""
        self.tell_balancer(ROUTES_FILE, routes_file(self.spec, self.written.balancing))

    def balancing(self) -> Balancing:
        """How the balancer says that it routes now; retries are None if they are as they were at the start.

        Raises:
            TwinshopError: it does not say.
        """
        try:
            said = balancing_now(self.admin_url)
        except (Unanswered, msgspec.DecodeError) as error:
            raise TwinshopError("the balancer does not say how it routes", why=str(error)) from error
        if said is None:
            raise TwinshopError("the balancer does not say how it routes", why="it has no routes yet")
        return Balancing(said.affinity, None if said.retries == self.spec.limits.balancer_retries else said.retries)

    # changing how the store is reached

    def wire(self, end: str, wire: Wire) -> None:
        """Change the connection between that end and the session store."""
        self._wire_url(end)
        with self.changing() as there:
            if there:
                self._ledger.broken(f"wire of {end}: {wire}")
                self.rewrite(wires={**self.written.wires, end: wire})
                self.tell_wires()

    def line(self, end: str, listen: str, leads_to: str) -> Line:
        """That end's wire as it is to be, between those addresses (host:port)."""
        wire = self.written.wires.get(end, Wire())
        return Line(listen, leads_to, self.spec.limits.store_distance_ms + wire.delay_ms, wire.cut)

    def ask_across(self, end: str) -> Reply:
        """PING the session store over that end's wire."""
        return ping(self._wire_url(end))

    def _wire_url(self, end: str) -> str:
        try:
            return self.written.wire_urls[end]
        except KeyError:
            raise UsageError(
                f"there is no wire between {end!r} and a session store in this cluster",
                why=f"there are wires of: {', '.join(self.written.wire_urls) or 'nobody'}",
                next_step="twinshop status",
            ) from None

    # writing it down

    @contextmanager
    def changing(self) -> Iterator[bool]:
        """Hold the cluster's file, for one change at a time in all threads and processes; False if it was stopped."""
        with self._lock:
            if self._stopped:
                yield False
                return
            with FileLock(self.work / "change.lock", timeout=self.spec.limits.stop_s):
                self._reread()
                yield True

    def _reread(self) -> None:
        """Another process may have changed it since."""
        self.written = read_cluster_file(self.folder)

    def rewrite(self, **changed: Any) -> None:
        """Change the cluster's file; while `changing`."""
        self.written = msgspec.structs.replace(self.written, **changed)
        self.write()

    def write(self) -> None:
        """Write down what another process needs to attach."""
        write_cluster_file(self.folder, self.written)

    def _remove_work(self) -> None:
        """Remove `work/`.

        Raises:
            TwinshopError: it would not go.
        """
        remove_own_folder(self.work, self.spec.run)
        if is_own_folder(self.work, self.spec.run):
            raise TwinshopError(f"cannot remove {self.work}", next_step="remove it by hand")
