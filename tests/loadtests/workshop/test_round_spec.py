"""What a round is about: every episode, and free play, make a scenario and a plan that hold water; and its buttons."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from loadtests.faults import FAULTS
from loadtests.model.scenario import Scenario
from loadtests.planning.rules import is_condition
from loadtests.planning.scenario_file import encode_scenario, read_scenario
from loadtests.running.fault_run import nothing_there
from loadtests.workshop.episode_file import load_episodes
from loadtests.workshop.round_spec import (
    FREE_PLAY,
    OPEN,
    SPARE_S,
    WorkshopRequest,
    buttons_for,
    check_sides,
    round_spec,
)
from shared.errors import ScenarioError, UsageError
from tests.loadtests.scripted_cluster import ScriptedCluster

SHOPS = ("sticky-memory", "redis")
EPISODES = [episode.name for episode in load_episodes()]


def read_again(scenario: Scenario) -> Scenario:
    return read_scenario(encode_scenario(scenario), file="scenario.toml", name=scenario.name)


def test_free_play_predicts_nothing() -> None:
    spec = round_spec("", WorkshopRequest(SHOPS))
    scenario = read_again(spec.scenario)
    assert (scenario.expect, scenario.fault, scenario.architectures) == ({}, (), SHOPS)
    assert (scenario.name, spec.buttons, scenario.load.shoppers, scenario.nodes) == ("open", FREE_PLAY, 24, 3)


@pytest.mark.parametrize("name", EPISODES)
def test_an_episode_has_a_scenario_that_survives_its_file(name: str) -> None:
    scenario = round_spec(name, WorkshopRequest(SHOPS)).scenario
    assert scenario.expect
    assert read_again(scenario) == scenario


def test_the_faults_of_an_episodes_scenario_are_those_that_it_is_about() -> None:
    scenario = round_spec("kill-one-of-three", WorkshopRequest(SHOPS)).scenario
    assert [fault.kind for fault in scenario.fault] == ["kill"]
    assert scenario.question == "Who is logged out when one of three nodes dies?"
    assert (scenario.load.shoppers, scenario.load.seconds) == (30, 600.0)


def test_the_plan_goes_on_a_little_beyond_the_window_and_has_no_faults() -> None:
    spec = round_spec("kill-one-of-three", WorkshopRequest(SHOPS))
    plan = spec.plan()
    assert plan.window_ms == spec.window_ms + SPARE_S * 1000
    assert plan.faults == ()
    assert plan == spec.plan(), "the same each time: a class can compare its rounds"


def test_shoppers_and_nodes_can_be_changed() -> None:
    spec = round_spec("2", WorkshopRequest(SHOPS, shoppers=6, nodes=2))
    assert (len(spec.plan().shoppers), spec.plan().nodes) == (6, 2)
    assert spec.scenario.name == "kill-one-of-three"


def test_there_is_no_such_episode() -> None:
    with pytest.raises(UsageError, match="no episode 'ninety-nine'"):
        round_spec("ninety-nine", WorkshopRequest(SHOPS))


def test_a_round_of_too_many_nodes_is_refused() -> None:
    with pytest.raises(ScenarioError, match="99 nodes"):
        round_spec("", WorkshopRequest(SHOPS, nodes=99))


def test_words_of_all_kinds_survive_the_scenarios_file() -> None:
    odd = replace(OPEN, question='What is "this"\\?', story="Line\nbreak, tab\t, \x01\x7f, ünïcode ☃", name="odd")
    assert read_again(odd) == odd


def test_where_nothing_can_be_broken_the_plan_ends_with_the_window() -> None:
    """Replayed cookies come in the last part of the plan: with time to spare they would come after the round."""
    spec = round_spec("the-price-of-stateless", WorkshopRequest(SHOPS))
    plan = spec.plan()
    assert plan.window_ms == spec.window_ms
    probes = [action.at_ms for shopper in plan.shoppers for action in shopper.actions if action.jar == "stolen"]
    assert probes
    assert max(probes) < spec.window_ms


def test_what_neither_shop_has_is_not_offered(tmp_path: Path) -> None:
    memory, token, redis = (
        ScriptedCluster(tmp_path, architecture=name) for name in ("sticky-memory", "signed-token", "redis")
    )
    kinds = [button.kind for button in buttons_for(FREE_PLAY, (memory, token))]
    assert "kill" in kinds
    assert "no-affinity" in kinds
    assert "store-kill" not in kinds
    with_store = [button.kind for button in buttons_for(FREE_PLAY, (memory, redis))]
    assert set(with_store) - set(kinds) == {"store-kill", "store-freeze"}


def test_one_architecture_behind_two_balancers_has_two_names() -> None:
    spec = round_spec("", WorkshopRequest(("sticky-memory", "sticky-memory"), ("envoy", "haproxy")))
    assert read_again(spec.scenario).architectures == ("sticky-memory",)
    assert spec.names == ("sticky-memory-envoy", "sticky-memory-haproxy")
    assert spec.balancer == "envoy, haproxy"
    left, right = (side.architecture for side in spec.sides)
    assert right.summary.endswith("Behind HAProxy.")
    assert replace(left, name="", summary="") == replace(right, name="", summary="")
    assert round_spec("", WorkshopRequest(SHOPS, balancers=("caddy", "caddy"))).names == SHOPS
    episode = round_spec("2", WorkshopRequest(SHOPS, balancers=("caddy", "envoy")))
    assert episode.balancer == "caddy", "it compares architectures"


@pytest.mark.parametrize(
    ("architectures", "balancers", "why"),
    [
        (("redis", "redis"), ("envoy", "envoy"), "two different shops"),
        (SHOPS, ("envoy", "haproxy"), "cannot be compared at once"),
        (("sticky-hash", "sticky-hash"), ("envoy", "traefik"), "Traefik cannot do what is asked"),
        (SHOPS, ("nobody", "nobody"), "no balancer named 'nobody'"),
    ],
)
def test_what_cannot_stand_side_by_side(architectures: tuple[str, str], balancers: tuple[str, str], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        check_sides(architectures, balancers, "processes")


def test_what_a_balancer_cannot_do_is_nothing_that_could_be_broken_there(tmp_path: Path) -> None:
    clusters = {name: ScriptedCluster(tmp_path) for name in ("envoy", "traefik")}
    for name, cluster in clusters.items():
        cluster.spec = replace(cluster.spec, balancer=name)
    assert "Traefik lacks: drain" in nothing_there(FAULTS["drain"], clusters["traefik"], "n1")
    offered = {name: {button.kind for button in buttons_for(FREE_PLAY, (it,))} for name, it in clusters.items()}
    assert offered["envoy"] - offered["traefik"] == {"deploy", "drain"}
    assert "drain" in {button.kind for button in buttons_for(FREE_PLAY, clusters.values())}


def test_free_play_needs_no_other_cluster_than_a_run() -> None:
    assert not [kind for kind in FREE_PLAY if is_condition(kind) or FAULTS[kind].needs_wires]


@pytest.mark.parametrize(
    ("kind", "label"),
    [("kill", "Kill"), ("scale-out", "Scale out"), ("store-kill", "Kill the store"), ("key-swap", "Key swap")],
)
def test_labels(kind: str, label: str) -> None:
    assert FAULTS[kind].label == label


def test_no_two_are_called_alike() -> None:
    assert len({fault.label for fault in FAULTS.values()}) == len(FAULTS)
