"""Refresh tokens, versions and deaths on real clusters: what is certain is so in every run, and closed forms hold.

Each test is one seed of one thing, and ends within three minutes: `-k race`, `-k apart`, `-k versions`, `-k steps` and
`-k death` are what stands in docs/explanation/tokens-of-real-life.md.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from compose.engines.registry import engine_named
from loadtests.behaviours.tabs_apart import WITHIN_MS
from loadtests.model.history import Exchange, read_history
from loadtests.model.plan import read_plan
from loadtests.model.results import ArchitectureResult
from loadtests.model.run_folder import RunFolder
from loadtests.planning.scenario_file import load_scenario
from loadtests.running.progress import Silent
from loadtests.running.run import Finished, RunRequest, run
from tests.bench.versions import Kicked, of_run, span

pytestmark = [pytest.mark.long, pytest.mark.cluster, pytest.mark.timeout(1200)]

SEEDS = (1, 2, 3)
EVERY = (1, 2, 3, 4, 5)
UNREFUTED = (2, 3, 4)
"""Seeds that had not refuted a first prediction: a second one is tried on them."""
ON_EDGE_MS = 40
"""Whose second tab asks so near to the edge that an answer's own time decides."""
ANY_NODE = ("signed-token", "redis", "token-denylist", "refresh-token")
"""Nothing keeps anybody at a node of these, and no session is lost with one."""
KEPT = ("replicated-memory", *ANY_NODE)
"""All whose sessions outlive a node."""


def finished(tmp_path: Path, scenario: str, seed: int, *architectures: str) -> Finished:
    return run(RunRequest(scenario, architectures, seed=seed, runs=tmp_path), engine_named("processes"), Silent())


def results(tmp_path: Path, scenario: str, seed: int, *architectures: str) -> dict[str, ArchitectureResult]:
    return dict(finished(tmp_path, scenario, seed, *architectures).results.architectures)


@pytest.mark.parametrize("seed", EVERY)
def test_the_race_is_certain_and_a_grace_window_ends_it(tmp_path: Path, seed: int) -> None:
    (without,) = results(tmp_path, "refresh-race", seed, "refresh-token").values()
    assert (without.verdict, without.logged_out.shoppers) == ("as predicted", without.shoppers)
    assert {loss.cause for loss in without.losses if loss.kind == "logged_out"} == {"refresh_race"}
    (grace,) = results(tmp_path, "refresh-race-grace", seed, "refresh-token").values()
    assert (grace.verdict, grace.logged_out.shoppers) == ("as predicted", 0)


@pytest.mark.parametrize("scenario", ["refresh-tabs-apart", "refresh-tabs-apart-grace"])
@pytest.mark.parametrize("seed", SEEDS)
def test_two_tabs_apart_cost_what_the_closed_form_says(tmp_path: Path, scenario: str, seed: int) -> None:
    done = finished(tmp_path, scenario, seed, "refresh-token")
    limits = load_scenario(scenario).limits()
    first, last = limits.refresh_grace_s * 1000, limits.slow_page_ms
    apart = []
    for shopper in read_plan(done.folder.plan).shoppers:
        at = {(action.do, action.beside): action.at_ms for action in shopper.actions}
        apart.append(at["me", True] - at["linger", False])
    surely = sum(first + ON_EDGE_MS < each < last - ON_EDGE_MS for each in apart)
    perhaps = sum(first - ON_EDGE_MS < each < last + ON_EDGE_MS for each in apart)
    (result,) = done.results.architectures.values()
    assert surely <= result.logged_out.shoppers <= perhaps
    share, count = (last - first) / WITHIN_MS, len(apart)
    assert abs(result.logged_out.shoppers - share * count) <= 4 * (count * share * (1 - share)) ** 0.5


@pytest.mark.parametrize("scenario", ["deploy-renamed-field", "canary"])
@pytest.mark.parametrize("seed", SEEDS)
def test_two_versions_kick_people_as_often_as_a_simulation_says(tmp_path: Path, scenario: str, seed: int) -> None:
    asked = load_scenario(scenario).architectures
    done = finished(tmp_path, scenario, seed, *(name for name in ANY_NODE if name in asked))
    outside = {}
    for name, result in done.results.architectures.items():
        measured, worlds = of_run(done.folder.root, name)
        assert measured.events == result.logged_out.events, "two ways of counting"
        assert measured.more == result.logged_out.more_than_once
        for what in Kicked._fields:
            low, _, high = span(getattr(world, what) for world in worlds)
            if not low <= getattr(measured, what) <= high:
                outside[name, what] = (low, getattr(measured, what), high)
    assert not outside


@pytest.mark.parametrize("seed", UNREFUTED)
def test_three_steps_log_nobody_out(tmp_path: Path, seed: int) -> None:
    found = results(tmp_path, "deploy-in-three-steps", seed, *KEPT)
    assert {name: result.logged_out.shoppers for name, result in found.items()} == dict.fromkeys(KEPT, 0)


def orders_without_session(folder: RunFolder, architecture: str) -> int:
    """Checkouts whose order was made and whose session could not be saved: 503, and repeated by the balancer."""
    exchanges = (record for record in read_history(folder.history) if isinstance(record, Exchange))
    checkouts = {exchange.request for exchange in exchanges if exchange.do == "checkout"}
    logs = "".join(log.read_text() for log in folder.logs(architecture).glob("n?.log"))
    return len(checkouts.intersection(re.findall(r"(\S+): the session store cannot be reached", logs)))


@pytest.mark.parametrize("seed", EVERY)
def test_a_death_between_order_and_session_orders_twice_without_keys_and_once_with(tmp_path: Path, seed: int) -> None:
    """In the memory of the node that dies the session is gone, too: who is a stranger cannot order again.

    Where that node led the replication, and nobody leads again within `store_timeout_s`, others may order twice, too.
    """
    for scenario, twice in (("order-then-death-without-keys", 1), ("order-then-death", 0)):
        done = finished(tmp_path, scenario, seed, "sticky-memory", *KEPT)
        duplicated = {name: result.orders_duplicated for name, result in done.results.architectures.items()}
        others = twice * orders_without_session(done.folder, "replicated-memory")
        assert twice <= duplicated.pop("replicated-memory") <= twice + others
        assert duplicated == {"sticky-memory": 0, **dict.fromkeys(ANY_NODE, twice)}
