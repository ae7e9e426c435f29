"""`twinshop kill`, `stop`, `freeze`, `thaw`, `start`, `scale-out`, `scale-in`: what can be done to a running cluster.

A part is a node (n1, n2, …), the balancer, and where there are any the store, its replica and sentinel.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from loadtests.running.console import advise, tell
from shared.errors import NotReadyInTime, UsageError
from shared.plurals import inflected

if TYPE_CHECKING:
    from compose.cluster import Observation
    from compose.engines.contract import Cluster

SEEN_WITHIN_S = 5.0
BACK_WITHIN_S = 15.0

CLUSTER_OPTION = click.option("--cluster", "run", metavar="RUN", help="Which cluster, if several run.")
PART = click.argument("part")
NODE = click.argument("node")


@click.command()
@PART
@CLUSTER_OPTION
def kill(part: str, run: str | None) -> None:
    """Kill a PART of a running cluster (SIGKILL), and say what was seen of it: n1, balancer, store, …"""
    _end(run, part, "dead", lambda cluster: cluster.kill(part))


@click.command()
@PART
@CLUSTER_OPTION
def stop(part: str, run: str | None) -> None:
    """Stop a PART of a running cluster (SIGTERM): it may end what it is doing. Its memory is gone all the same."""
    _end(run, part, "stopped", lambda cluster: cluster.terminate(part))


def _end(run: str | None, part: str, ended: str, strike: Callable[[Cluster], None]) -> None:
    from compose.balancers import balancer_named

    cluster = attached(run)
    before = cluster.observe(part)
    back = f"`twinshop start {part}` brings it back"
    if not before.process and not before.answers:  # no error: whoever kills twice wanted it dead
        advise(f"{part} of {cluster.spec.run} was dead already; {back}.")
        _print_evidence(before)
        return
    is_node = _is_node(cluster, part)
    held = cluster.held(part) if is_node else None  # before the blow: a dead node tells nobody what it held
    strike(cluster)
    # From outside, and both: a process may be gone while its port is still served by a child of it.
    seen = _watch(cluster, part, lambda now: not now.process and not now.answers, SEEN_WITHIN_S)
    count = "an unknown number of" if held is None else len(held)
    sessions = inflected("session", 0 if held is None else len(held))
    memory = f"; it held {count} logged-in {sessions} in its memory" if is_node else ""
    tell(f"{part} of {cluster.spec.run} is {ended}{memory}.")
    _print_evidence(seen)
    # The open nginx, for one, has no health checks of its own: it learns of a death by a request that fails.
    if is_node and not balancer_named(cluster.spec.balancer).asks_health:
        tell("The balancer asks no node for its health: whoever is sent there meets an error first.")
    elif is_node:
        out = _watch(cluster, part, lambda now: not now.in_rotation, SEEN_WITHIN_S)
        tell(f"The balancer took it out of rotation {out.at - seen.at:.1f} s later.")
    advise(f"Next: reload the shop at {cluster.url}; {back}{', empty' if is_node else ''}.")


@click.command()
@PART
@CLUSTER_OPTION
def freeze(part: str, run: str | None) -> None:
    """Freeze a PART of a running cluster (SIGSTOP): it keeps everything and answers nobody."""
    cluster = attached(run)
    cluster.freeze(part)
    seen = _watch(cluster, part, lambda now: not now.answers, SEEN_WITHIN_S)
    advise(f"{part} of {cluster.spec.run} is frozen; `twinshop thaw {part}` lets it go on.")
    _print_evidence(seen)


@click.command()
@PART
@CLUSTER_OPTION
def thaw(part: str, run: str | None) -> None:
    """Let a frozen PART of a running cluster go on."""
    cluster = attached(run)
    cluster.thaw(part)
    _tell_that_it_serves(cluster, part)


@click.command()
@PART
@CLUSTER_OPTION
def start(part: str, run: str | None) -> None:
    """Start a dead PART of a running cluster again."""
    cluster = attached(run)
    cluster.start(part)
    _tell_that_it_serves(cluster, part)


@click.command("scale-out")
@CLUSTER_OPTION
def scale_out(run: str | None) -> None:
    """Add a node to a running cluster."""
    cluster = attached(run)
    _tell_that_it_serves(cluster, cluster.add_node())


@click.command("scale-in")
@NODE
@CLUSTER_OPTION
def scale_in(node: str, run: str | None) -> None:
    """Take a NODE out of a running cluster: first from the balancer's members, then it is stopped."""
    cluster = attached(run)
    if not _is_node(cluster, node):
        nodes = ", ".join(it.name for it in cluster.nodes())
        raise UsageError(f"there is no node {node!r}", why=f"nodes: {nodes}", next_step="twinshop status")
    cluster.remove_node(node)
    seen = _watch(cluster, node, lambda now: not now.process and not now.in_rotation, SEEN_WITHIN_S)
    advise(f"{node} of {cluster.spec.run} is out; `twinshop start {node}` brings it back, empty.")
    _print_evidence(seen)


def attached(run: str | None) -> Cluster:
    """The running cluster of that name, or the only one that runs.

    Raises:
        UsageError: there is no such cluster, or several and none is named.
    """
    from compose.running import attach, choose_run
    from compose.supervision.ledger import state_folder

    state = state_folder()
    return attach(state, choose_run(state, run))


def _is_node(cluster: Cluster, part: str) -> bool:
    return any(node.name == part for node in cluster.nodes())


def _tell_that_it_serves(cluster: Cluster, part: str) -> None:
    seen = _watch(cluster, part, lambda now: now.answers and now.in_rotation, BACK_WITHIN_S)
    tell(f"{part} of {cluster.spec.run} serves.")
    _print_evidence(seen)


def _watch(cluster: Cluster, part: str, wanted: Callable[[Observation], bool], within_s: float) -> Observation:
    """Look from outside until it is as wanted."""
    from compose.supervision.waiting import tail, wait_for

    def look() -> Observation | None:
        seen = cluster.observe(part)
        return seen if wanted(seen) else None

    seen = wait_for(look, until=time.monotonic() + within_s)
    if seen is None:
        log = cluster.logs()[part]
        raise NotReadyInTime(
            f"after {within_s:.0f} s, {part} is not as it should be",
            why="; ".join(cluster.observe(part).evidence),
            next_step="twinshop status",
            log=log,
            tail=tail(log),
        )
    return seen


def _print_evidence(seen: Observation) -> None:
    for line in seen.evidence:
        tell(f"  seen: {line}")
