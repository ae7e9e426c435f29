"""Were the runs asked the same? What is not the same is named, key by key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from loadtests.campaigns.comparison.comparison import plan_differences, scenario_differences, work_sha256
from loadtests.campaigns.comparison.side import NONE
from loadtests.model.plan import Action, Plan, read_plan
from tests.loadtests.campaigns.comparison.made_up import ask, made, replan, sides
from tests.loadtests.model_run import write_run


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return read_plan(write_run(tmp_path_factory.mktemp("run") / "run").plan)


def one_action_later(plan: Plan) -> Plan:
    first, *others = plan.shoppers
    *actions, last = first.actions
    changed = replace(first, actions=(*actions, replace(last, at_ms=last.at_ms + 1)))
    return replace(plan, shoppers=(changed, *others))


CHANGES: dict[str, tuple[Callable[[Plan], Plan], set[str]]] = {
    "seed": (lambda it: replace(it, seed=7), {"seed"}),
    "window": (lambda it: replace(it, window_ms=99_000), {"window_ms"}),
    "nodes": (lambda it: replace(it, nodes=4), {"nodes"}),
    "client": (lambda it: replace(it, client=replace(it.client, late_ms=1)), {"client.late_ms"}),
    "fault's time": (
        lambda it: replace(it, faults=(replace(it.faults[0], at_ms=1, victim="n1"),)),
        {"fault[0].at_ms", "fault[0].victim"},
    ),
    "no fault": (
        lambda it: replace(it, faults=()),
        {"fault[0].kind", "fault[0].at_ms", "fault[0].heal_at_ms", "fault[0].victim"},
    ),
    "fewer shoppers": (
        lambda it: replace(it, shoppers=it.shoppers[:-1]),
        {"shoppers", "actions", "first action that differs: shopper 9, step 0"},
    ),
    "one action": (one_action_later, {"first action that differs: shopper 1, step 16"}),
    "control": (lambda it: replace(it, control="placebo"), {"control"}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_differs_is_named_and_nothing_else(plan: Plan, tmp_path: Path, change: str) -> None:
    changed, names = CHANGES[change]
    one, other = made(tmp_path / "a"), made(tmp_path / "b")
    replan(other, changed(plan))
    found = plan_differences(sides(one, other))
    assert {row.what for row in found} == names
    assert not any(row.same for row in found)
    assert work_sha256(plan) != work_sha256(changed(plan))


def test_every_field_of_a_plan_is_told_of(plan: Plan) -> None:
    """Whatever is added to plans one day: it is in the hash, or here."""
    told = {"seed", "window_ms", "nodes", "client", "faults", "shoppers", "control"}
    assert set(Plan.__struct_fields__) - told == {"schema", "scenario", "addresses", "gives_up"}
    assert work_sha256(replace(plan, addresses=2)) != work_sha256(plan)
    assert work_sha256(replace(plan, gives_up=True)) != work_sha256(plan)
    assert work_sha256(replace(plan, scenario="another")) == work_sha256(plan)


def test_the_same_plan_has_no_differences(tmp_path: Path) -> None:
    assert plan_differences(sides(made(tmp_path / "a"), made(tmp_path / "b"))) == ()


def test_an_action_is_told_in_words(plan: Plan, tmp_path: Path) -> None:
    one, other = made(tmp_path / "a"), made(tmp_path / "b")
    first, *others = plan.shoppers
    more = replace(first, actions=(*first.actions, Action(1234, "add", "tea", 2, jar="second")))
    replan(other, replace(plan, shoppers=(more, *others)))
    row = plan_differences(sides(one, other))[-1]
    assert row.values == (NONE, "add 2 tea (second) at 1234 ms")


def test_scenarios_differ_by_key_with_defaults_filled_in(tmp_path: Path) -> None:
    one, other, third = (made(tmp_path / name) for name in "abc")
    ask(one, "shoppers = 9", "shoppers = 9\nthink_ms = 500")
    ask(third, "shoppers = 9", "shoppers = 9\nthink_ms = 400")
    ask(third, 'wrong_user = "0"', 'wrong_user = "1"')
    assert scenario_differences(sides(one, other)) == (), "500 ms is the default"
    found = {row.what: row.values for row in scenario_differences(sides(one, other, third))}
    assert found == {
        "load.think_ms": ("500", "500", "400"),
        "expect.sticky-memory.wrong_user": ("0", "0", "1"),
    }
