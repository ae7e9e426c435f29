"""Every fault on a cluster of real processes: it is seen to happen, it heals twice without an error, and is seen to."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
import requests

from compose.cluster import Limits
from compose.engines.contract import Cluster
from compose.engines.processes import ProcessesEngine
from loadtests.faults import FAULTS, Evidence, Fault, Target
from loadtests.faults.bases import Condition, Deploys
from shared.errors import TwinshopError
from tests.compose.engine_tests import LONG_S, looks_within, new_spec, running
from tests.loadtests.faults.targets import REMEMBERS, something_there, target_on
from tests.waiting import until

pytestmark = pytest.mark.cluster

WITHIN_S = 30.0
COOKIE = "affinity-cookie-expires"
"""A condition of a balancer that sets a cookie."""
CONDITIONS = [kind for kind, fault in FAULTS.items() if isinstance(fault, Condition) and kind != COOKIE]
MEMORY = ["memory-cap", "no-affinity"]
"""What only a shop with sessions in its nodes has."""
REPLICA = ["replica-cut", "promoted"]
"""What only a store with a replica has."""
FAILOVER = ["demoted-primary"]
"""The same; and it takes a primary that has not been replaced."""
TABLE = ["table-forgotten", "balancer-reload"]
"""What only a balancer with a table of its own forgets, or one that can be told to read its files anew."""
LAST = ["scale-in"]
"""It leaves less than there was."""
ALIKE = [kind for kind, fault in FAULTS.items() if isinstance(fault, Deploys) and kind != "deploy-renamed"]
"""What differs from another one by data alone: that one is tried."""
OTHERS = [
    kind for kind in FAULTS if kind not in (*CONDITIONS, COOKIE, *MEMORY, *REPLICA, *FAILOVER, *TABLE, *LAST, *ALIKE)
]
BY_AN_ORDER = {"dies-before-saving"}
"""What happens only once somebody orders."""


def limits_for(kinds: list[str]) -> Limits:
    limits = Limits()
    for kind in kinds:
        limits = FAULTS[kind].prepare(limits)
    return limits


def seen(fault: Fault, target: Target, *, healing: bool = False) -> Evidence | None:
    """What is seen within the bound; while healing, heal again and again, as a run does."""
    found: list[Evidence | None] = [None]

    def look() -> bool:
        if healing:
            fault.heal(target)
        found[0] = fault.observe_healed(target) if healing else fault.observe(target)
        return found[0] is not None

    until(look, WITHIN_S)
    return found[0]


def strike_and_heal(fault: Fault, cluster: Cluster) -> None:
    assert something_there(fault, cluster)
    target = target_on(fault, cluster)
    if not isinstance(fault, Condition):
        with looks_within(LONG_S):  # a slow answer is none of a frozen node
            assert fault.observe(target) is None, "it must not be seen before it is done"
    fault.inject(target)
    if fault.kind in BY_AN_ORDER:
        order_at(cluster, target.victim)
    assert seen(fault, target), f"{fault.kind} was not seen to happen"
    fault.heal(target)
    assert seen(fault, target, healing=True), f"{fault.kind} was not seen to heal"
    fault.heal(target)
    assert seen(fault, target, healing=True), f"{fault.kind} does not stay healed when it is healed again"


def order_at(cluster: Cluster, node: str) -> None:
    """Somebody orders there, past the balancer; the node may be gone before it answers."""
    (url,) = (each.url for each in cluster.nodes() if each.name == node)
    with requests.Session() as browser, suppress(requests.ConnectionError):
        browser.headers["Accept"] = "application/json"
        for path, body in (
            ("/login", {"user": "user-0001", "password": cluster.spec.password}),
            ("/cart", {"sku": "acorn", "quantity": 1}),
            ("/checkout", {}),
        ):
            browser.post(f"{url}{path}", json=body, timeout=20)


def strike_all(kinds: list[str], cluster: Cluster) -> None:
    """One after the other, on one cluster: each leaves it as it was, but for the last ones."""
    failed = {}
    for kind in kinds:
        try:
            strike_and_heal(FAULTS[kind], cluster)
        except (AssertionError, TwinshopError) as error:
            failed[kind] = str(error)
    assert not failed, "\n".join(f"{kind}: {why}" for kind, why in failed.items())


def test_on_a_shop_with_a_store(tmp_path: Path) -> None:
    spec = new_spec("redis", limits=limits_for(["store-full"]), wires=True)
    with running(ProcessesEngine(), spec, tmp_path) as cluster:
        strike_all([*OTHERS, *LAST], cluster)


@pytest.mark.parametrize("kinds", [REPLICA, FAILOVER], ids="-".join)
def test_on_a_shop_whose_store_has_a_replica(tmp_path: Path, kinds: list[str]) -> None:
    # Its health check asks the store: so the node has a connection, though nobody shops.
    spec = new_spec("redis-replica", nodes=1, wires=True, limits=Limits(deep_health=True))
    with running(ProcessesEngine(), spec, tmp_path) as cluster:
        strike_all(kinds, cluster)


def test_on_a_shop_with_sessions_in_its_nodes(tmp_path: Path) -> None:
    with running(ProcessesEngine(), new_spec(nodes=2, limits=limits_for([COOKIE])), tmp_path) as cluster:
        for number in range(4 * cluster.spec.accounts):  # each node then holds more than a cap lets it
            body = {"user": f"user-{number % cluster.spec.accounts + 1:04d}", "password": cluster.spec.password}
            answer = requests.post(
                f"{cluster.url}/login", json=body, headers={"Accept": "application/json"}, timeout=20
            )
            assert answer.status_code == 200
        strike_all([*MEMORY, COOKIE], cluster)


def test_on_a_shop_whose_balancer_remembers(tmp_path: Path) -> None:
    with running(ProcessesEngine(), new_spec(nodes=1, balancer=REMEMBERS), tmp_path) as cluster:
        strike_all(TABLE, cluster)


def test_on_a_cluster_that_was_started_under_conditions(tmp_path: Path) -> None:
    spec = new_spec("redis", nodes=1, limits=limits_for(CONDITIONS), wires=True)
    with running(ProcessesEngine(), spec, tmp_path) as cluster:
        strike_all(CONDITIONS, cluster)


def test_every_fault_is_tried() -> None:
    assert {*OTHERS, *LAST, *MEMORY, *REPLICA, *FAILOVER, *TABLE, *CONDITIONS, COOKIE, *ALIKE} == set(FAULTS)
