"""How a cluster comes up, whichever engine runs it: what is started, and what must be *seen* to work, in which order.

Everything is started at once, but for the sentinel. Then, one after the other, under the cluster's limits: the database
holds the accounts; the store and its replica answer; the sentinel (not before: a store that is still on its way would
be taken for dead, and its replica promoted); the wires; each node, with our run's id; the balancer has all of them in
rotation; a request through it comes back from a node of ours.
"""

import time
from collections.abc import Callable
from functools import partial

from compose.cluster import BALANCER, CACHE, REPLICA, SENTINEL, STORE, WIRES
from compose.engines.routed_cluster import RoutedCluster
from compose.engines.store import replicas_that_keep_up
from compose.probes import PROBE_S, Unanswered, ask
from compose.supervision.waiting import not_ready, wait_for
from shared.errors import EnvironmentNotReady, ForeignAnswer

POLL_S = 0.01


def bring_up(cluster: RoutedCluster, until: float) -> RoutedCluster:
    """Start all parts and return the cluster once they were seen to work; `until` is `time.monotonic()` seconds.

    Raises:
        NotReadyInTime: a part has ended, or the time is over; whatever is raised, nothing that was started is left.
        PortTaken, ForeignAnswer, EnvironmentNotReady: as their names say.
    """
    try:
        _start(cluster, until)
    except BaseException:
        cluster.stop()
        raise
    return cluster


def _start(cluster: RoutedCluster, until: float) -> None:
    cluster.start_all([part for part in cluster.parts() if part != SENTINEL], until)
    cluster.write()
    _watch(cluster, cluster.database_part, partial(_database_is_prepared, cluster), until=until)
    # From here on: the database may have taken its time, and nodes are not to pay for that.
    each = min(until, time.monotonic() + cluster.spec.limits.node_ready_s)
    for part in [part for part in (STORE, REPLICA) if part in cluster.parts()]:
        _watch(cluster, part, partial(_is_ours, cluster, part), until=each)
    if REPLICA in cluster.parts():
        copies, store = cluster.spec.architecture.replicas, cluster.address(STORE)
        _watch(cluster, REPLICA, lambda: replicas_that_keep_up(store) >= copies, until=each)
        cluster.run_part(SENTINEL)
        cluster.write()
    for part in [part for part in (SENTINEL, WIRES, CACHE, *cluster.written.node_urls) if part in cluster.parts()]:
        _watch(cluster, part, partial(_is_ours, cluster, part), until=each)
    # A balancer that is told by a signal ends by it, if it comes before it has got so far as to listen for it.
    _watch(cluster, BALANCER, partial(_is_ours, cluster, BALANCER), until=until)
    # Only now does the balancer learn of the nodes: it then finds each healthy at its first look, and not one interval
    # after a look that came too early.
    cluster.route()
    nodes = cluster.written.node_urls
    _watch(cluster, BALANCER, lambda: all(cluster.rotation()[node].in_rotation for node in nodes), until=until)
    _watch(cluster, BALANCER, partial(_shop_answers, cluster), until=until)


def _watch(cluster: RoutedCluster, part: str, ready: Callable[[], bool], *, until: float) -> None:
    """Look until that part is ready.

    Raises:
        NotReadyInTime: it has ended, or the time is over.
    """
    began = time.monotonic()

    def look() -> bool | None:
        if ready():
            return True
        # After the look: a part that answered and then ended was ready, and whoever comes next finds it gone.
        if why := cluster.why_ended(part):
            raise not_ready(part, f"it ended {why} before it was ready", cluster.logs()[part])
        return None

    if wait_for(look, until=until, every_s=POLL_S) is None:
        why = f"it was not seen to work within {time.monotonic() - began:.1f} s"
        if part == BALANCER:
            out = [f"{node}: {health}" for node, health in cluster.rotation().items() if not health.in_rotation]
            why += f" ({'; '.join(out)})" if out else ""
        elif part in cluster.written.node_urls:
            why += f" ({cluster.self_report(part).words})"
            why += cluster.application.if_not_ready
        raise not_ready(part, why, cluster.logs()[part])


def _database_is_prepared(cluster: RoutedCluster) -> bool:
    try:
        cluster.application.prepare(cluster.spec, cluster.written.database_url)
    except EnvironmentNotReady:
        # A file is there or not: to ask again would only put the error off.
        if not cluster.database_part:
            raise
        return False
    return True


def _is_ours(cluster: RoutedCluster, part: str) -> bool:
    report = cluster.self_report(part)
    stranger = report.words if report.foreign else cluster.stranger(part) if report.answers else ""
    if stranger:
        raise ForeignAnswer(
            f"somebody else's server answers at {cluster.address(part)}",
            why=stranger,
            next_step="try again: other ports will be chosen",
        )
    return report.answers


def _shop_answers(cluster: RoutedCluster) -> bool:
    """Whether a request through the balancer reaches a node of ours."""
    http, run = cluster.application.http, cluster.spec.run
    try:
        answer = ask(f"{cluster.url}{http.health}", headers={"X-Request-Id": f"probe-ready-{run}"}, within_s=PROBE_S)
    except Unanswered:
        return False
    if stranger := cluster.application.served(answer.headers, run):
        raise ForeignAnswer(
            f"somebody else's server answers at {cluster.url}",
            why=stranger,
            next_step="find it with `lsof -i`, stop it, or choose another port",
        )
    # An answer without a node's name is the balancer's own; "" is of applications whose nodes do not name themselves.
    return answer.status == 200 and http.node_header.lower() in (*answer.headers, "")
