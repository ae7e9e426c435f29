"""Who is served by whom in a running cluster, and over which wires: what is written down is told to balancer and wires.

What the balancer cannot do (`compose.balancers.contract.BalancerCapabilities`) is refused, and whom it treats how is,
where it cannot tell, seen by asking through it.
"""

import time
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from compose.balancers.contract import Member, MemberHealth, Routing, Site
from compose.cluster import OF_A_CANARY, STORE, WIRES, Balancing, Observation, Reply, Wire
from compose.engines.persisted_cluster import CONFIGURATION, PersistedCluster
from compose.probes import PROBE_S, Unanswered, ask, ping
from compose.supervision.ledger_file import Broken
from compose.supervision.ports import HOST
from compose.supervision.waiting import wait_for
from compose.wires import Link, WireFile
from shared.errors import TwinshopError, UsageError

REMOVED_WITHIN_S = 0.5  # for the balancer to hear that a node is no member any more: until then it sends it requests
NO_MEMBER = "not a member"
WIRES_FILE = "wires.json"
# A node that a balancer sends no stranger to in that time, in so many tries for each node, is out of rotation.
SEEN_WITHIN_S, SEEN_TRIES = 0.5, 12
RELOADS, RELOADED_WITHIN_S = 4, 0.6  # so often it is told to read its files anew, and has so long each time to follow


class RoutedCluster(PersistedCluster):
    """A cluster whose balancer and wires can be told."""

    host = HOST
    """Where parts listen, as they see it themselves."""
    told_folder: Path
    """Of the files that balancer and wires follow, as we see it."""

    @abstractmethod
    def balancer_site(self) -> Site:
        """Where the balancer runs, as it sees it."""

    @abstractmethod
    def signal_balancer(self, name: str) -> None:
        """Send the balancer's first process, and no other of its own, that signal ("SIGHUP")."""

    @abstractmethod
    def run_new_node(self, node: str) -> None:
        """Give a new node its addresses, write them down and start it; while `changing`."""

    def observe(self, part: str) -> Observation:
        """Look at a part from outside: the engine's books, its own address, the balancer."""
        self._known(part)
        process, words, start = self.process_state(part)
        report = self.self_report(part)
        evidence, in_rotation = [words, report.words], report.answers
        # What does not say which start of it this is goes by its process; one that does not answer is no start at all.
        boot = report.boot or (start if report.answers else None)
        if part in self.written.node_urls:
            health = self.rotation()[part]
            evidence.append(f"{self.balancer.name}: {health}")
            # The balancer's word and not the node's: whom it sends people to is what people meet.
            in_rotation = health.in_rotation
        return Observation(part, time.monotonic(), process, report.answers, in_rotation, boot, evidence=tuple(evidence))

    def rotation(self) -> dict[str, MemberHealth]:
        """What the balancer says of each node; if it cannot tell, what asking through it shows."""
        nodes = self.written.node_urls
        try:
            told = self.balancer.members_health(self.admin_url)
        except (Unanswered, msgspec.DecodeError) as error:
            return dict.fromkeys(nodes, MemberHealth((f"the balancer does not say: {error}",)))
        if told is None:
            return self._members_seen()
        return {node: told.get(str(self.written.reach(node)), MemberHealth((NO_MEMBER,))) for node in nodes}

    def _members_seen(self) -> dict[str, MemberHealth]:
        """Each node by whether strangers are sent to it, as far as answers show."""
        nodes = self.written.node_urls
        # A balancer that minds failures is asked only while no member is dead: the harness must not find out for it,
        # in place of a shopper, that one is.
        if self.balancer.can.learns_from_failures and (dead := self._dead_members()):
            return {node: self._as_told(node, node in dead) for node in nodes}
        seen: set[str | None] = set()
        asked = failed = 0
        until = time.monotonic() + SEEN_WITHIN_S
        # Until each was met: one answer from a node proves that it is in rotation, while none proves little.
        while not seen >= set(nodes) and asked < SEEN_TRIES * len(nodes) and time.monotonic() < until:
            asked += 1
            try:
                node = self._stranger(asked)
            except Unanswered as silence:
                if silence.reason == "refused":
                    return dict.fromkeys(nodes, MemberHealth(("the balancer does not answer",)))
                node = None
            failed += node is None
            seen.add(node)
        return {node: MemberHealth() if node in seen else self._unseen(node, asked, failed) for node in nodes}

    def _stranger(self, number: int) -> str | None:
        """The node that answers somebody without a cookie; each comes from another place, for those that go by it.

        Raises:
            Unanswered: nobody does.
        """
        http = self.application.http
        # An address of the range for documentation (RFC 5737): a ring by address has no shopper there.
        headers = {"X-Request-Id": f"probe-ready-{self.spec.run}", "X-Forwarded-For": f"198.51.100.{number % 256}"}
        answer = ask(f"{self.url}{http.health}", headers=headers, within_s=PROBE_S)
        return answer.headers.get(http.node_header.lower())

    def ask_strangers(self, times: int) -> Counter[str]:
        """How many of so many people whom nobody knows each node answers; the first who is answered by none ends it."""
        found = Counter[str]()
        with suppress(Unanswered):
            for number in range(times):
                found[self._stranger(number) or ""] += 1
        return found

    def _dead_members(self) -> set[str]:
        members = self.written.node_urls.keys() - set(self.written.outside)
        return {node for node in members if not self.self_report(node).answers}

    def _as_told(self, node: str, dead: bool) -> MemberHealth:
        """Where nobody asks: a node by what the balancer was told of it."""
        if node in self.written.outside:
            return MemberHealth((NO_MEMBER,))
        if node in self.written.draining:
            return MemberHealth(("draining",))
        return MemberHealth(remark="dead, and whether it knows only failed requests would tell" if dead else "a member")

    def _unseen(self, node: str, asked: int, failed: int) -> MemberHealth:
        # Strangers whose request failed may have been sent to a node that is dead: that one is not out of rotation.
        if failed and not self.self_report(node).answers:
            return MemberHealth(remark=f"{failed} of {asked} strangers were answered by no node")
        why = "draining" if node in self.written.draining else NO_MEMBER if node in self.written.outside else ""
        return MemberHealth((f"answered none of {asked} strangers",), why)

    def drain(self, node: str) -> None:
        """New shoppers go to other nodes; those whom their cookie leads here still come.

        Raises:
            UsageError: the balancer cannot.
        """
        self._node_url(node)
        self._able(self.balancer.can.drain, "drain a node")
        self._rule(f"drain {node}", draining=lambda written: (*_without(written.draining, node), node))

    def undrain(self, node: str) -> None:
        """Send it everybody again."""
        self._node_url(node)
        self._rule(None, draining=lambda written: _without(written.draining, node))

    def balance(self, balancing: Balancing) -> None:
        """Change how the running balancer routes, without dropping a connection.

        Raises:
            UsageError: the balancer cannot.
        """
        self._able(self.balancer.can.live_affinity or balancing.affinity, "take affinity away while it runs")
        self._able(self.balancer.can.live_retries or balancing.retries is None, "change its retries while it runs")
        self._rule(f"balance: {balancing}", balancing=lambda _written: balancing)

    def add_node(self) -> str:
        """Start one node more and return its name; it is sent shoppers as soon as it is healthy. That is waited for
        where the balancer does not ask.

        Raises:
            UsageError: the cluster was stopped.
            PortTaken: the port chosen for it.
        """
        with self.changing() as there:
            if not there:
                raise UsageError("a cluster that was stopped gets no node", next_step="twinshop up")
            # Counted over all there ever were: a removed node's name is not given to another.
            node = f"n{len(self.written.node_urls) + 1}"
            self._ledger.add(Broken(f"add {node}"))
            self.run_new_node(node)
            # Started outside of the membership: it joins when it can serve.
            self.rewrite(outside=(*self.written.outside, node))
        self.make_member(node)
        return node

    def remove_node(self, node: str) -> None:
        """Take it out of the balancer's membership, then SIGTERM it; it stays among `nodes()`, dead."""
        self._node_url(node)
        self._rule(f"remove {node}", outside=lambda written: (*_without(written.outside, node), node))
        if not self._stopped:
            until = time.monotonic() + REMOVED_WITHIN_S
            # First out of the balancer's sight, then SIGTERM: the other way round people are sent to a node that ends.
            wait_for(lambda: NO_MEMBER in str(self.rotation()[node]) or None, until=until)
            self.terminate(node)

    def start(self, part: str) -> None:
        """Start a dead part again, on the same address. A node that was removed joins the balancer's members again."""
        self._known(part)
        with self.changing() as there:
            if there:
                self.start_again(part)
        # After the lock is let go: it may wait for the node to answer, and nobody else need wait with it.
        self.make_member(part)

    def make_member(self, part: str) -> None:
        """Make a node a member, if it is none; not while `changing`."""
        if part not in self.written.outside:
            return
        # A balancer that asks no node for its health would send somebody to one that does not listen yet, and take it
        # for dead: it is told when the node answers, as whoever runs such a balancer does it.
        if not self.balancer.asks_health:
            until = time.monotonic() + self.spec.limits.node_ready_s
            wait_for(lambda: self._stopped or self.self_report(part).answers or None, until=until)
        with self.changing() as there:
            if there:
                self.rewrite(outside=_without(self.written.outside, part))
                self.route()

    def _able(self, can: bool, what: str) -> None:
        if not can:
            raise UsageError(
                f"{self.balancer.title} cannot {what}",
                why="so its file in compose/balancers says",
                next_step="choose another balancer, or a scenario without this",
            )

    def _rule(self, broken: str | None, **changed: Any) -> None:
        """Change what is written down, each field by a function of it, and tell the balancer."""
        with self.changing() as there:
            if there:
                if broken is not None:
                    self._ledger.add(Broken(broken))
                self.rewrite(**{name: new(self.written) for name, new in changed.items()})
                self.route()

    def route(self) -> None:
        """Tell the balancer its members, how each is to be treated, and how to route."""
        written = self.written
        nodes = [node for node in written.node_urls if node not in written.outside]
        members = [Member(node, written.reach(node), node in written.draining, self._weight(node)) for node in nodes]
        routing = Routing(tuple(members), written.balancing)
        if self.write_balancer_files(routing) and self.balancer.reload_signal:
            self._reload(lambda: self.balancer.follows(self.admin_url, routing))

    def _weight(self, node: str) -> int:
        if canary := self.written.balancing.canary:
            # The canary has weight 1, and the others have that many: balancers want whole numbers.
            return 1 if node == canary else OF_A_CANARY
        return 2 if node == "n1" and self.spec.architecture.affinity == "weighted" else 1

    def reload_balancer(self) -> None:
        """Signal it, until it is another process than before or has read its files once more: `observe` says so, too.

        Raises:
            UsageError: a reload without a change is none for this balancer.
        """
        self._able(self.balancer.can.reloads, "be reloaded without a change")
        with self.changing() as there:
            if there:
                before = self.balancer.self_report(self.admin_url).boot
                self._reload(lambda: self.balancer.self_report(self.admin_url).boot not in (None, before))

    def _reload(self, seen: Callable[[], bool]) -> None:
        # Until it is seen: a balancer that is still at the last reload does not hear the next.
        for _ in range(RELOADS):
            self.signal_balancer(self.balancer.reload_signal)
            until = time.monotonic() + RELOADED_WITHIN_S
            if wait_for(lambda: seen() or None, until=until):
                return

    def write_balancer_files(self, routing: Routing) -> bool:
        """Write what the balancer reads, as far as it is not so already; whether anything was not."""
        found = self.balancer.files(self.balancer_site(), routing)
        changed = {name: content for name, content in found.items() if not _holds(self.told_folder / name, content)}
        # Kept whole and one below the other: when a run is doubted, what the balancer was told is evidence.
        with (self.folder / CONFIGURATION).open("ab") as kept:
            for name, content in changed.items():
                self.write_file(self.told_folder / name, content)
                kept.write(f"---- {name}, {datetime.now(UTC):%H:%M:%S.%f}\n".encode() + content + b"\n")
        return bool(changed)

    def balancing(self) -> Balancing:
        """How the balancer says that it routes now; retries are None if they are as they were at the start.

        Raises:
            TwinshopError: it does not say.
        """
        try:
            said = self.balancer.balancing(self.admin_url)
        except (Unanswered, msgspec.DecodeError) as error:
            raise TwinshopError("the balancer does not say how it routes", why=str(error)) from error
        if said is None:
            raise TwinshopError("the balancer does not say how it routes", why="it has no routes yet, or cannot tell")
        return Balancing(said.affinity, None if said.retries == self.spec.limits.balancer_retries else said.retries)

    def wire(self, end: str, wire: Wire) -> None:
        """Change the connection between that end and the session store."""
        self._wire_url(end)
        with self.changing() as there:
            if there:
                self._ledger.add(Broken(f"wire of {end}: {wire}"))
                # Written down before it is told: whoever attaches later finds the wire as it is.
                self.rewrite(wires={**self.written.wires, end: wire})
                self.tell_wires()

    def tell_wires(self) -> None:
        """Replace the file that the wires follow; a cluster without wires has none."""
        written = self.written
        if written.wires_url:
            lines = {end: self._link(end) for end in written.wire_urls}
            told = WireFile(f"{self.host}:{written.reach(WIRES).port}", lines)
            self.write_file(self.told_folder / WIRES_FILE, msgspec.json.encode(told))

    def _link(self, end: str) -> Link:
        written, wire = self.written, self.written.wires.get(end, Wire())
        delay_ms = self.spec.limits.store_distance_ms + wire.delay_ms
        return Link(f"{self.host}:{written.store_for(end).port}", str(written.reach(STORE)), delay_ms, wire.cut)

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


def _without(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return tuple(one for one in names if one != name)


def _holds(file: Path, content: bytes) -> bool:
    try:
        return file.read_bytes() == content
    except OSError:
        return False
