from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compose.cluster import Limits
from loadtests.faults import FAULTS
from loadtests.faults.kill import Kill
from loadtests.model.plan import (
    PLAN_SCHEMA,
    Plan,
    PlannedFault,
    ShopperPlan,
    as_carried_out,
    encode_plan,
    plan_sha256,
    read_plan,
    read_plan_by_person,
)
from loadtests.model.scenario import FaultSpec, Load, Scenario
from loadtests.planning.make_plan import make_plan
from loadtests.planning.page import plan_page
from loadtests.planning.scenario_file import load_scenario
from shared.errors import RunFolderError, ScenarioError
from shared.shop.catalogue import BY_SKU
from tests.shared.schema_contract import SchemaContract

CALM = "d7f30651154779d53b95aaf3a85b0b181acef23002d0a87b372cd86a3b28a63b"
NODE_KILL = "b140e1f9dba63831c1fb6569fda93cbb4847db4eed7635c33c7639b89934d785"
"""Their names for seed 1: a new behaviour or a new field must not change what is already measured."""

scenarios = st.builds(
    Scenario,
    question=st.just("Why?"),
    family=st.just("test"),
    name=st.just("made-up"),
    nodes=st.integers(1, 5),
    load=st.builds(
        Load,
        shoppers=st.integers(1, 12),
        seconds=st.integers(1, 6),
        think_ms=st.integers(50, 2000),
        login_within_ms=st.integers(0, 1000),
        leavers=st.floats(0, 1),
        mix=st.dictionaries(st.sampled_from(["browse", "remove", "checkout", "orders"]), st.floats(0, 5)),
    ),
    fault=st.sampled_from(
        [(), (FaultSpec("kill", 0.25, 0.5),), (FaultSpec("kill", 0.1, 0.2), FaultSpec("kill", 0.5, 0.25))]
    ),
)
seeds = st.integers(0, 2**31 - 1)
few = settings(max_examples=60, deadline=None)


@few
@given(scenarios, seeds)
def test_everybody_logs_in_first_and_all_times_lie_in_the_window_in_order(scenario: Scenario, seed: int) -> None:
    plan = make_plan(scenario, seed=seed)
    assert [each.shopper for each in plan.shoppers] == list(range(1, scenario.load.shoppers + 1))
    for each in plan.shoppers:
        times = [action.at_ms for action in each.actions]
        assert times == sorted(times)
        assert times[0] >= 0
        assert times[-1] < plan.window_ms
        assert each.actions[0].do == "login"
        assert times[0] <= scenario.load.login_within_ms
        assert [action.do for action in each.actions[1:]].count("login") == 0


@few
@given(scenarios, seeds)
def test_the_planned_cart_allows_what_is_planned(scenario: Scenario, seed: int) -> None:
    keys = []
    for each in make_plan(scenario, seed=seed).shoppers:
        cart: set[str] = set()
        for action in each.actions:
            if action.do == "add":
                assert action.sku in BY_SKU
                assert 1 <= action.quantity <= 3
                cart.add(action.sku)
            elif action.do == "remove":
                cart.remove(action.sku)
            elif action.do == "checkout":
                assert cart
                cart.clear()
                keys.append(action.key)
    assert len(keys) == len(set(keys))
    assert all(keys)


@few
@given(scenarios, seeds)
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(scenario: Scenario, seed: int) -> None:
    plan = make_plan(scenario, seed=seed)
    assert encode_plan(plan) == encode_plan(make_plan(scenario, seed=seed))
    assert encode_plan(plan) != encode_plan(make_plan(scenario, seed=seed + 1))
    assert msgspec.json.decode(encode_plan(plan), type=Plan) == plan


@few
@given(scenarios, seeds)
def test_one_shopper_more_changes_nobody_elses_plan(scenario: Scenario, seed: int) -> None:
    fewer = make_plan(scenario, seed=seed, shoppers=5)
    more = make_plan(scenario, seed=seed, shoppers=6)
    assert more.shoppers[:5] == fewer.shoppers


def test_more_people_than_can_be_planned_are_refused_before_anything_is_drawn() -> None:
    long = Scenario("Why?", "test", Load(shoppers=60, seconds=3600, think_ms=50))
    with pytest.raises(ScenarioError, match="--shoppers: about 144,000,000 planned actions"):
        make_plan(long, seed=1, shoppers=2000)


@few
@given(scenarios, seeds)
def test_the_victims_exist(scenario: Scenario, seed: int) -> None:
    plan = make_plan(scenario, seed=seed)
    assert len(plan.faults) == len(scenario.fault)
    assert {fault.victim for fault in plan.faults} <= {f"n{number + 1}" for number in range(plan.nodes)}


def test_any_node_can_be_the_victim_and_a_named_one_is() -> None:
    scenario = load_scenario("node-kill")
    assert {make_plan(scenario, seed=seed).faults[0].victim for seed in range(40)} == {"n1", "n2", "n3"}
    named = msgspec.structs.replace(scenario, fault=(FaultSpec("kill", 1, 1, "n3"),))
    assert {make_plan(named, seed=seed).faults[0].victim for seed in range(40)} == {"n3"}


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        (FaultSpec("kill", 1, 1, "n2"), FaultSpec("kill", 1.5, 1, "n2"), False),
        (FaultSpec("kill", 1, 1, "n2"), FaultSpec("kill", 2, 1, "n2"), False),
        (FaultSpec("kill", 3, 1, "n2"), FaultSpec("kill", 1, 5, "n2"), False),
        (FaultSpec("kill", 1, 1, "n2"), FaultSpec("kill", 2.1, 1, "n2"), True),
        (FaultSpec("kill", 1, 1, "n2"), FaultSpec("kill", 1.5, 1, "n3"), True),
    ],
)
def test_one_node_is_held_by_one_fault_at_a_time(one: FaultSpec, other: FaultSpec, apart: bool) -> None:
    scenario = msgspec.structs.replace(load_scenario("node-kill"), fault=(one, other))
    if apart:
        assert len(make_plan(scenario, seed=1).faults) == 2
    else:
        with pytest.raises(ScenarioError, match=r"fault\[0\] and fault\[1\] hold n2 at the same time"):
            make_plan(scenario, seed=1)


def condition(limits: Limits) -> Limits:
    return msgspec.structs.replace(limits, node_workers=4)


@pytest.fixture
def made_up_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    strikes = {
        "store-a": "store",
        "store-b": "store",
        "wide-a": "cluster",
        "wide-b": "cluster",
        "balancer-a": "balancer",
    }
    for kind, struck in strikes.items():
        monkeypatch.setitem(FAULTS, kind, type("MadeUp", (Kill,), {"kind": kind, "strikes": struck})())
    more = {"kind": "more", "strikes": "cluster", "stays": True}
    monkeypatch.setitem(FAULTS, "more", type("More", (Kill,), more)())
    prepared = {"kind": "always", "strikes": "store", "prepare": lambda self, limits: condition(limits)}
    monkeypatch.setitem(FAULTS, "always", type("Always", (Kill,), prepared)())


@pytest.mark.usefixtures("made_up_faults")
@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        (FaultSpec("store-a", 1), FaultSpec("store-b", 2), False),
        (FaultSpec("store-a", 1), FaultSpec("store-b", 2, victim="store"), False),
        (FaultSpec("store-a", 1), FaultSpec("balancer-a", 2), True),
        (FaultSpec("store-a", 1), FaultSpec("kill", 2, 1, "n1"), True),
        (FaultSpec("wide-a", 1), FaultSpec("wide-b", 2), True),
        (FaultSpec("wide-a", 1), FaultSpec("wide-a", 2), False),
        (FaultSpec("more", 1), FaultSpec("more", 2), True),
        (FaultSpec("more", 1), FaultSpec("more", 1), False),
        (FaultSpec("always"), FaultSpec("store-a", 2), True),
        (FaultSpec("always"), FaultSpec("always"), False),
    ],
)
def test_faults_hold_different_parts_or_can_be_told_apart(one: FaultSpec, other: FaultSpec, apart: bool) -> None:
    scenario = msgspec.structs.replace(load_scenario("node-kill"), fault=(one, other))
    if apart:
        assert len(make_plan(scenario, seed=1).faults) == 2
    else:
        with pytest.raises(ScenarioError, match="at the same time"):
            make_plan(scenario, seed=1)


@pytest.mark.usefixtures("made_up_faults")
def test_what_strikes_a_part_has_it_for_its_victim_and_heals_when_the_window_ends() -> None:
    scenario = msgspec.structs.replace(load_scenario("node-kill"), fault=(FaultSpec("store-a", 1), FaultSpec("wide-a")))
    assert make_plan(scenario, seed=1).faults == (
        PlannedFault("store-a", 1000, 10_000, "store"),
        PlannedFault("wide-a", 0, 10_000, "cluster"),
    )


def test_the_plan_says_how_many_addresses_there_are_only_if_there_are_not_enough() -> None:
    shared = Scenario("Why?", "test", Load(shoppers=3, seconds=1, login_within_ms=0, addresses=2))
    assert b'"addresses":2' in encode_plan(make_plan(shared, seed=1))
    alone = Scenario("Why?", "test", Load(shoppers=3, seconds=1, login_within_ms=0))
    assert b"addresses" not in encode_plan(make_plan(alone, seed=1))


@pytest.mark.parametrize(("name", "sha256"), [("calm", CALM), ("node-kill", NODE_KILL)])
def test_the_plans_of_the_first_scenarios_are_what_they_were(name: str, sha256: str) -> None:
    assert plan_sha256(make_plan(load_scenario(name), seed=1)) == sha256


@pytest.mark.parametrize("leavers", [0.0, 0.1, 1.0])
def test_leavers_log_out_last(leavers: float) -> None:
    scenario = Scenario("Why?", "test", Load(shoppers=400, seconds=3, leavers=leavers))
    plan = make_plan(scenario, seed=1)
    logouts = [[action.do for action in each.actions].index("logout") - len(each.actions) for each in plan.shoppers
               if "logout" in [action.do for action in each.actions]]  # fmt: skip
    assert set(logouts) <= {-1}
    assert abs(len(logouts) - 400 * leavers) < 30


def test_who_leaves_changes_nothing_but_its_last_action() -> None:
    def people(leavers: float) -> tuple[ShopperPlan, ...]:
        return make_plan(Scenario("Why?", "test", Load(shoppers=40, seconds=5, leavers=leavers)), seed=1).shoppers

    for stays, leaves in zip(people(0.0), people(1.0), strict=True):
        assert leaves.actions[-1].do == "logout"
        assert leaves.actions[:-1] == stays.actions[:-1]


@pytest.mark.parametrize("shoppers", [10, 61, 1000])
def test_logins_are_spread_evenly_whatever_the_number(shoppers: int) -> None:
    plan = make_plan(Scenario("Why?", "test", Load(login_within_ms=1000)), seed=7, shoppers=shoppers)
    tenths = [each.actions[0].at_ms // 100 for each in plan.shoppers]
    counts = [tenths.count(tenth) for tenth in range(10)]
    assert max(counts) <= shoppers / 10 * 1.4 + 2


def test_pauses_are_as_long_as_asked_on_average_and_bounded() -> None:
    plan = make_plan(Scenario("Why?", "test", Load(shoppers=100, seconds=60, think_ms=500)), seed=3)
    pauses = [
        after.at_ms - before.at_ms
        for each in plan.shoppers
        for before, after in zip(each.actions, each.actions[1:], strict=False)
    ]
    assert 470 < sum(pauses) / len(pauses) < 540
    assert min(pauses) >= 99
    assert max(pauses) <= 2001


def test_the_bytes_do_not_depend_on_the_process() -> None:
    code = (
        "from loadtests.model.plan import plan_sha256; from loadtests.planning.make_plan import make_plan;"
        "from loadtests.planning.scenario_file import load_scenario;"
        "print(plan_sha256(make_plan(load_scenario('node-kill'), seed=5)))"
    )
    hashes = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("0", "1", "4711")
    }
    assert hashes == {f"{plan_sha256(make_plan(load_scenario('node-kill'), seed=5))}\n".encode()}


@pytest.mark.parametrize("shoppers", [0, -1, 20_001])
def test_nobody_or_too_many_cannot_shop(shoppers: int) -> None:
    with pytest.raises(ScenarioError, match="shoppers"):
        make_plan(load_scenario("calm"), seed=1, shoppers=shoppers)


def test_a_plan_is_read_back(tmp_path: Path) -> None:
    plan = make_plan(load_scenario("node-kill"), seed=1)
    path = tmp_path / "plan.json"
    path.write_bytes(encode_plan(plan))
    assert read_plan(path) == plan
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(RunFolderError, match="damaged"):
        read_plan(path)


def test_the_page_says_who_what_when_which_fault_and_what_it_costs() -> None:
    scenario = load_scenario("node-kill")
    plan = make_plan(scenario, seed=1)
    page = plan_page(plan, scenario)
    assert scenario.question in page
    assert plan_sha256(plan) in page
    fault = plan.faults[0]
    assert f"kill {fault.victim} at {fault.at_ms / 1000:.1f} s, healed at {fault.heal_at_ms / 1000:.1f} s" in page
    assert "60 shoppers on 3 nodes" in page
    assert "60 login" in page
    assert all(name in page for name in scenario.architectures)
    assert max(map(len, page.splitlines())) <= 120
    assert "each from an address of its own" in page
    assert "how      shop: They log in and shop" in page
    assert "settings" not in page
    assert "faults   none" in plan_page(make_plan(load_scenario("calm"), seed=1), load_scenario("calm"))


def test_the_page_shows_settings_behaviour_and_addresses() -> None:
    load = Load(shoppers=3, seconds=2, login_within_ms=0, behaviour="planted", addresses=1)
    scenario = Scenario("Why?", "test", load, settings={"regenerate_at_login": False, "store_eviction": "noeviction"})
    lines = plan_page(make_plan(scenario, seed=1), scenario).splitlines()
    assert "settings regenerate_at_login = false" in lines
    assert '         store_eviction = "noeviction"' in lines
    assert "         all from one address" in lines
    assert any(line.startswith("how      planted: They log in with a session") for line in lines)
    assert max(map(len, lines)) <= 120


def test_a_live_window_that_ended_early_leaves_what_was_carried_out() -> None:
    plan = make_plan(load_scenario("calm"), seed=1)
    faults = (PlannedFault("kill", 300, 900, "n2"),)
    done = as_carried_out(plan, 1234, faults)
    assert (done.window_ms, done.faults) == (1234, faults)
    pairs = list(zip(plan.shoppers, done.shoppers, strict=True))
    assert all(kept.actions == whole.actions[: len(kept.actions)] for whole, kept in pairs)
    assert all(whole.actions[len(kept.actions)].at_ms >= 1234 for whole, kept in pairs)
    assert max(action.at_ms for _, kept in pairs for action in kept.actions) < 1234
    assert as_carried_out(plan, plan.window_ms, plan.faults) == plan


class TestPlan(SchemaContract):
    schema = PLAN_SCHEMA

    def write(self, folder: Path) -> Path:
        path = folder / "plan.json"
        path.write_bytes(encode_plan(make_plan(load_scenario("calm"), seed=1)))
        return path

    def read(self, path: Path) -> object:
        return read_plan(path)


class TestPlanByPerson(TestPlan):
    def read(self, path: Path) -> object:
        return read_plan_by_person(path)
