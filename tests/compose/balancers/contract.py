"""The contract of a balancer, as tests: each balancer inherits them and says only which it is.

They run on the engine of processes, with nodes of a few lines (the real shop stands behind each balancer in
`tests/loadtests/test_every_balancer.py`), and ask nothing that only one balancer has: what it does is seen in answers,
in its log as our record, and in what the cluster observes.
"""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from compose.balancers import BALANCERS
from compose.balancers.access_log import AccessLine
from compose.balancers.contract import Balancer, Member, Routing, Site
from compose.cluster import Balancing, ClusterSpec, Limits, PublicListener
from compose.engines.contract import Cluster
from compose.engines.processes import ProcessCluster
from compose.probes import Unanswered
from compose.supervision.ports import Listen, free_ports, port_of
from compose.supervision.process_table import living_of_run
from loadtests.faults import FAULTS, Target
from shared.errors import PortTaken, UsageError
from tests.compose.contract_balancing import strangers_go_to, visitors
from tests.compose.engine_tests import (
    LONG_S,
    SMALL_SHOPS,
    Visitor,
    access_lines,
    looks_within,
    new_spec,
    running,
    watch,
)
from tests.waiting import ask, until


class BalancerContract:
    """What every balancer promises, as far as its `can` says so."""

    balancer: Balancer
    times_requests = True
    """Its access log knows how long each one took."""
    tells_routing = True
    """It says how it routes now."""

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def known(cls) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(BALANCERS, cls.balancer.name, cls.balancer)
            yield

    @pytest.fixture(autouse=True)
    def patience(self) -> Iterator[None]:
        with looks_within(LONG_S):
            yield

    @classmethod
    def spec(cls, architecture: str = "sticky-memory", **changes: object) -> ClusterSpec:
        return new_spec(architecture, balancer=cls.balancer.name, **changes)

    @pytest.fixture(scope="class")
    @classmethod
    def cluster(cls, known: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
        """One for all tests that only look at it: one that is told anew starts processes, and these count as left."""
        with running(SMALL_SHOPS, cls.spec(), tmp_path_factory.mktemp("balancer")) as cluster:
            yield cluster

    @pytest.fixture
    def own_cluster(self, tmp_path: Path) -> Iterator[Cluster]:
        """One for tests that change it."""
        with running(SMALL_SHOPS, self.spec(), tmp_path) as cluster:
            yield cluster

    def statuses(self, cluster: Cluster) -> set[int]:
        """What six strangers are answered; 0: nothing, as where connections are dropped when it is told anew."""
        found = set()
        for _ in range(6):
            try:
                found.add(ask(f"{cluster.url}/products").status)
            except Unanswered:
                found.add(0)
        return found

    def settled(self, cluster: Cluster) -> None:
        """Wait for one to be done that cannot be told anew without dropping connections."""
        if not self.balancer.can.live_membership:
            assert until(lambda: self.statuses(cluster) == {200} == self.statuses(cluster))

    def line(self, cluster: Cluster, request: str) -> AccessLine:
        """The line of that request, which may be a moment late."""
        found: list[AccessLine] = []

        def look() -> bool:
            found[:] = [one for one in access_lines(cluster.logs()["access"]) if one.id == request]
            return bool(found)

        assert until(look)
        (only,) = found
        return only

    # its program and its files

    def test_its_program_is_the_version_that_we_depend_on(self) -> None:
        program = self.balancer.program()
        assert program.path.is_file()
        assert self.balancer.version_of(program.path) == program.version
        if program.pinned:
            assert program.version == self.balancer.version
        else:
            series = {self.balancer.version.rpartition(".")[0], *self.balancer.also}
            assert program.version.rpartition(".")[0] in series

    def test_the_same_routing_gives_the_same_files(self, cluster: Cluster) -> None:
        assert isinstance(cluster, ProcessCluster)
        site: Site = cluster.balancer_site()
        routing = Routing((Member("n1", Listen("127.0.0.1", 8101)),))
        files = self.balancer.files(site, routing)
        assert files == self.balancer.files(site, routing)
        assert files != self.balancer.files(site, Routing())

    # starting and ending

    def test_it_is_ready_when_it_was_observed_to_be(self, cluster: Cluster) -> None:
        for node in cluster.nodes():
            seen = cluster.observe(node.name)
            assert (seen.answers, seen.in_rotation) == (True, True), seen
        itself = cluster.observe("balancer")
        assert (itself.process, itself.answers) == (True, True)
        assert strangers_go_to(cluster) == {"n1", "n2", "n3"}

    def test_a_port_that_is_taken_is_refused(self, tmp_path: Path) -> None:
        (port,) = free_ports(1)
        with socket.create_server(("127.0.0.1", port)) as somebody:
            somebody.listen()
            with (
                pytest.raises(PortTaken, match=str(port)),
                running(SMALL_SHOPS, self.spec(nodes=1, port=port), tmp_path),
            ):
                pass

    def test_it_ends_and_leaves_its_whole_log_and_nothing_else(self, tmp_path: Path) -> None:
        with running(SMALL_SHOPS, self.spec(nodes=1), tmp_path) as cluster:
            ports = [port_of(url) for url in (cluster.url, cluster.admin_url)]
            ask(f"{cluster.url}/products", headers={"X-Request-Id": "the-last-one"})
            logs = cluster.logs()
        assert living_of_run(cluster.spec.run) == set()
        for port in ports:
            with pytest.raises(Unanswered, match="refused"):
                ask(f"http://127.0.0.1:{port}/")
        assert {path.name for path in cluster.folder.iterdir()} == {path.name for path in logs.values()}
        assert "the-last-one" in {line.id for line in access_lines(logs["access"])}

    def test_it_comes_back_and_knows_its_members(self, own_cluster: Cluster) -> None:
        cluster = own_cluster
        with Visitor(cluster) as visitor:
            home = visitor.log_in().headers["X-Node"]
            cluster.kill("balancer")
            watch(cluster, "balancer", lambda seen: not seen.process and not seen.answers)
            if not self.balancer.can.learns_from_failures:
                assert not cluster.observe("n1").in_rotation
            cluster.start("balancer")
            for node in ("balancer", "n1", "n2", "n3"):
                watch(cluster, node, lambda seen: seen.answers and seen.in_rotation)
            assert {visitor.ask("GET", "/me").headers["X-Node"] for _ in range(6)} == {home}

    # routing

    def test_it_keeps_people_by_its_cookie(self, cluster: Cluster) -> None:
        assert self.served(cluster) == {9}

    @pytest.mark.parametrize("architecture", ["signed-token", "sticky-hash", "sticky-address"])
    def test_it_has_each_affinity_or_refuses_it(self, architecture: str, tmp_path: Path) -> None:
        spec = self.spec(architecture)
        if spec.architecture.affinity not in self.balancer.can.affinities:
            with (
                pytest.raises(UsageError, match="cannot do what is asked of it"),
                running(SMALL_SHOPS, spec, tmp_path),
            ):
                pass
            return
        with running(SMALL_SHOPS, spec, tmp_path) as cluster:
            assert self.served(cluster) == ({3} if architecture == "signed-token" else {9})

    def served(self, cluster: Cluster) -> set[int]:
        """How many of nine questions of somebody who is logged in each node answered."""
        with Visitor(cluster) as visitor:
            visitor.log_in()
            answers = [visitor.ask("GET", "/me") for _ in range(9)]
        assert {answer.status_code for answer in answers} == {200}
        return set(Counter(answer.headers["X-Node"] for answer in answers).values())

    def test_a_dead_node_is_sent_nobody_and_a_living_one_again(self, own_cluster: Cluster) -> None:
        cluster = own_cluster
        cluster.kill("n2")
        watch(cluster, "n2", lambda seen: not seen.answers)
        if self.balancer.can.learns_from_failures:
            # Whoever asks for its page meets the dead node first: that is how it learns.
            assert until(lambda: {ask(f"{cluster.url}/products").status for _ in range(12)} == {200})
        else:
            watch(cluster, "n2", lambda seen: not seen.in_rotation)
        assert strangers_go_to(cluster) == {"n1", "n3"}
        cluster.start("n2")
        watch(cluster, "n2", lambda seen: seen.answers and seen.in_rotation)
        assert strangers_go_to(cluster) == {"n1", "n2", "n3"}

    def test_it_is_told_anew_whom_to_serve_and_how(self, own_cluster: Cluster) -> None:
        self.a_drained_node_serves_whom_it_knows(own_cluster)
        self.affinity_is_taken_away_and_given_back(own_cluster)
        self.it_says_how_it_routes_or_that_it_cannot_tell(own_cluster)
        self.a_canary_gets_fewer_newcomers_and_keeps_its_people(own_cluster)
        self.a_reload_without_a_change_is_seen_or_refused(own_cluster)

    def a_drained_node_serves_whom_it_knows(self, cluster: Cluster) -> None:
        if not self.balancer.can.drain:
            with pytest.raises(UsageError, match="cannot drain"):
                cluster.drain("n2")
            return
        with visitors(cluster) as known:
            cluster.drain("n2")
            self.settled(cluster)
            watch(cluster, "n2", lambda seen: not seen.in_rotation and "draining" in seen.evidence[-1])
            # A process of before the reload may still answer somebody.
            assert until(lambda: strangers_go_to(cluster) == {"n1", "n3"})
            for node, visitor in known.items():
                assert visitor.ask("GET", "/me").headers["X-Node"] == node
            cluster.undrain("n2")
            self.settled(cluster)
            watch(cluster, "n2", lambda seen: seen.in_rotation)

    def a_canary_gets_fewer_newcomers_and_keeps_its_people(self, cluster: Cluster) -> None:
        canary, target = FAULTS["fewer-newcomers"], Target(cluster, "n2", None, ("n1", "n2", "n3"))
        # A process of before the last reload may still answer somebody, and give no cookie.
        assert until(lambda: all(self.gives_a_cookie(cluster) for _ in range(20)))
        with visitors(cluster) as known:
            assert canary.observe(target) is None
            canary.inject(target)
            assert until(lambda: canary.observe(target) is not None)
            for node, visitor in known.items():
                assert until(lambda: visitor.ask("GET", "/me").headers["X-Node"] == node)  # noqa: B023 - called at once
            canary.heal(target)
            assert until(lambda: canary.observe_healed(target) is not None)

    def gives_a_cookie(self, cluster: Cluster) -> bool:
        with Visitor(cluster) as stranger:
            answer = stranger.ask("GET", "/products", Connection="close")
            return any("twinshop-node" in cookie.name for cookie in answer.cookies)

    def a_reload_without_a_change_is_seen_or_refused(self, cluster: Cluster) -> None:
        reload, target = FAULTS["balancer-reload"], Target(cluster, "balancer", cluster.observe("balancer"))
        if not self.balancer.can.reloads:
            with pytest.raises(UsageError, match="cannot be reloaded without a change"):
                reload.inject(target)
            return

        def nothing_changes() -> bool:
            """The last reload is over, too: nothing is seen to change in twenty looks."""
            nonlocal target
            target = Target(cluster, "balancer", cluster.observe("balancer"))
            return all(reload.observe(target) is None for _ in range(20))

        assert until(nothing_changes)
        reload.inject(target)
        assert until(lambda: reload.observe(target) is not None)
        self.settled(cluster)

    def test_nodes_come_and_go(self, tmp_path: Path) -> None:
        with running(SMALL_SHOPS, self.spec(nodes=2), tmp_path) as cluster:
            assert cluster.add_node() == "n3"
            # Who does not ask whether it is well must not be told of it before it is.
            assert self.balancer.asks_health or cluster.observe("n3").answers
            watch(cluster, "n3", lambda seen: seen.answers and seen.in_rotation)
            cluster.remove_node("n2")
            watch(cluster, "n2", lambda seen: not seen.process and "not a member" in seen.evidence[-1])
            assert strangers_go_to(cluster) == {"n1", "n3"}
            cluster.start("n2")
            watch(cluster, "n2", lambda seen: seen.answers and seen.in_rotation)

    def affinity_is_taken_away_and_given_back(self, cluster: Cluster) -> None:
        if not self.balancer.can.live_affinity:
            with pytest.raises(UsageError, match="cannot take affinity away"):
                cluster.balance(Balancing(affinity=False))
            return
        with Visitor(cluster) as visitor:
            home = visitor.log_in().headers["X-Node"]

            def nodes() -> set[str]:
                return {visitor.ask("GET", "/products").headers["X-Node"] for _ in range(9)}

            assert nodes() == {home}
            cluster.balance(Balancing(affinity=False))
            self.settled(cluster)
            assert until(lambda: nodes() == {"n1", "n2", "n3"})
            cluster.balance(Balancing())
            self.settled(cluster)
            assert until(lambda: nodes() == {home})

    # retries

    def test_nothing_is_sent_twice_unless_told_so(self, tmp_path: Path) -> None:
        """Of a node that has just died, the balancer does not know yet."""
        spec = self.spec("signed-token", nodes=2, limits=Limits(unhealthy_after=40))
        with running(SMALL_SHOPS, spec, tmp_path) as cluster:
            cluster.kill("n1")
            watch(cluster, "n1", lambda seen: not seen.answers)
            statuses = {ask(f"{cluster.url}/products").status for _ in range(6)}
            assert statuses & {502, 503}
            if self.balancer.can.live_retries:
                cluster.balance(Balancing(retries=1))
                assert until(lambda: self.statuses(cluster) == {200})
                cluster.balance(Balancing())
                assert any(self.meets_one_that_just_died(cluster) for _ in range(3))
            else:
                with pytest.raises(UsageError, match="cannot change its retries"):
                    cluster.balance(Balancing(retries=1))

    def meets_one_that_just_died(self, cluster: Cluster) -> bool:
        """One that was told anew may call a node dead after one look, which may come before ours: then it is no try."""
        cluster.start("n1")
        watch(cluster, "n1", lambda seen: seen.answers and seen.in_rotation)
        cluster.kill("n1")
        watch(cluster, "n1", lambda seen: not seen.answers)
        return bool(self.statuses(cluster) & {502, 503})

    def it_says_how_it_routes_or_that_it_cannot_tell(self, cluster: Cluster) -> None:
        if self.tells_routing:
            assert until(lambda: cluster.balancing() == Balancing())
            cluster.balance(Balancing(affinity=False, retries=2))
            assert until(lambda: cluster.balancing() == Balancing(affinity=False, retries=2))
            cluster.balance(Balancing())
            assert until(lambda: cluster.balancing() == Balancing())
        else:
            assert self.balancer.balancing(cluster.admin_url) is None

    # its log

    def test_every_request_is_logged_with_its_id_and_node(self, cluster: Cluster) -> None:
        with Visitor(cluster) as visitor:
            nodes = {
                f"logged-{number}": visitor.ask("GET", "/products", **{"X-Request-Id": f"logged-{number}"}).headers
                for number in range(6)
            }
        for request, headers in nodes.items():
            line = self.line(cluster, request)
            assert headers["X-Request-Id"] == request
            assert (line.method, line.path, line.status) == ("GET", "/products", 200)
            assert line.node == line.answered_by == headers["X-Node"]
            assert (line.took_us is not None) == self.times_requests

    def test_what_is_not_for_shoppers_does_not_reach_a_node(self, cluster: Cluster) -> None:
        answer = ask(f"{cluster.url}/-/sessions", headers={"X-Request-Id": "private"})
        assert answer.status == 404
        assert not self.line(cluster, "private").answered_by

    # people with browsers

    def test_people_reach_what_the_application_serves_and_nothing_else(self, tmp_path: Path) -> None:
        (port,) = free_ports(1)
        public = PublicListener("127.0.0.1", port, ("127.0.0.1",))
        spec = self.spec(nodes=1, public=public, guests={"guest-01": "secret"})
        if not self.balancer.can.public:
            with pytest.raises(UsageError, match="no listener for people"), running(SMALL_SHOPS, spec, tmp_path):
                pass
            return
        room = f"http://127.0.0.1:{port}"
        with running(SMALL_SHOPS, spec, tmp_path) as cluster:
            served = ask(f"{room}/products", headers={"X-Request-Id": "mine", "X-Forwarded-For": "203.0.113.9"})
            assert (served.status, served.headers["x-run"]) == (200, spec.run)
            assert self.line(cluster, served.headers["x-request-id"]).answered_by == "n1"
            assert served.headers["x-request-id"] != "mine"
            for path in ("/-/state", "/%2d/state", "//-/state", "/metrics", "/%6detrics", "/healthz", "/nothing"):
                assert ask(f"{room}{path}").status == 404, path
            assert ask(f"{room}/products", headers={"Host": "evil.example"}).status == 404
            assert ask(f"{cluster.url}/%2d/state").status == 404, "nor do shoppers reach what is private"
            cluster.balance(Balancing(affinity=False))
            assert until(lambda: ask(f"{room}/products").status == 200)
