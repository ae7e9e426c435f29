"""Refresh tokens, versions and deaths on real clusters: what is certain is so in every run, and a closed form holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from compose.engines.registry import engine_named
from loadtests.behaviours.tabs_apart import WITHIN_MS
from loadtests.model.plan import read_plan
from loadtests.model.results import ArchitectureResult
from loadtests.planning.scenario_file import load_scenario
from loadtests.running.progress import Silent
from loadtests.running.run import Finished, RunRequest, run

pytestmark = [pytest.mark.long, pytest.mark.cluster, pytest.mark.timeout(1200)]

SEEDS = (1, 2, 3)
EVERY = (1, 2, 3, 4, 5)
ON_EDGE_MS = 40
"""Whose second tab asks so near to the edge that an answer's own time decides."""


def finished(tmp_path: Path, scenario: str, seed: int, *architectures: str) -> Finished:
    return run(RunRequest(scenario, architectures, seed=seed, runs=tmp_path), engine_named("processes"), Silent())


def results(tmp_path: Path, scenario: str, seed: int, *architectures: str) -> dict[str, ArchitectureResult]:
    return dict(finished(tmp_path, scenario, seed, *architectures).results.architectures)


@pytest.mark.parametrize("seed", EVERY)
def test_the_race_is_certain_and_a_grace_window_ends_it(tmp_path: Path, seed: int) -> None:
    (without,) = results(tmp_path, "refresh-race", seed, "refresh-token").values()
    assert without.logged_out.shoppers == without.shoppers
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


@pytest.mark.parametrize("seed", EVERY)
def test_a_death_between_order_and_session_orders_twice_without_keys_and_once_with(tmp_path: Path, seed: int) -> None:
    names = ("replicated-memory", "signed-token", "redis", "token-denylist", "refresh-token")
    for scenario, twice in (("order-then-death-without-keys", 1), ("order-then-death", 0)):
        found = results(tmp_path, scenario, seed, *names)
        assert {name: result.orders_duplicated for name, result in found.items()} == dict.fromkeys(names, twice)
