"""A plan in words, on a page: for `twinshop plan`, so that nobody has to start anything to know what would happen."""

from __future__ import annotations

import textwrap
from collections import Counter
from typing import TYPE_CHECKING

from compose.balancers import balancer_named
from loadtests.behaviours import Behaviour
from loadtests.model.scenario import Scenario, as_set

if TYPE_CHECKING:
    from loadtests.model.plan import Plan, ShopperPlan

WIDTH = 88
START_AND_STOP_S = 2.5
"""What starting and stopping one cluster and its shoppers takes on two cores, about."""


def plan_lines(plan: Plan, scenario: Scenario, behaviour: Behaviour, sha256: str) -> list[str]:
    """The page, line by line."""
    window_s = plan.window_ms / 1000
    return [
        f"{plan.scenario}: {scenario.question}",
        *textwrap.wrap(scenario.story, WIDTH),
        "",
        f"plan     {sha256}",
        f"seed     {plan.seed}",
        f"who      {len(plan.shoppers)} shoppers on {plan.nodes} node{'s' if plan.nodes > 1 else ''}",
        f"         {_addresses(plan)}",
        *_behaviour(behaviour),
        f"when     {window_s:g} s of shopping, then an audit that visits everybody",
        *_actions(plan),
        *([f"balancer {balancer_named(scenario.balancer).title}"] if scenario.balancer else ()),
        *_faults(plan),
        *_settings(scenario),
        *_fail_if(scenario),
        *_limits(plan),
        *_costs(scenario, window_s + _audit_s(plan)),
    ]


def _addresses(plan: Plan) -> str:
    if not plan.addresses:
        return "each from an address of its own"
    return "all from one address" if plan.addresses == 1 else f"from {plan.addresses} addresses"


def _behaviour(behaviour: Behaviour) -> list[str]:
    lines = textwrap.wrap(f"{behaviour.name}: {behaviour.sentence}", WIDTH)
    return [f"{'how' if not number else '':<9}{line}" for number, line in enumerate(lines)]


def _settings(scenario: Scenario) -> list[str]:
    """What is not as it is by itself."""
    told = [as_set(name, value) for name, value in scenario.settings.items()]
    return [f"{'settings' if not number else '':<9}{line}" for number, line in enumerate(told)]


def _actions(plan: Plan) -> list[str]:
    counts = Counter(action.do for shopper in plan.shoppers for action in shopper.actions)
    words = ", ".join(f"{count} {do}" for do, count in counts.most_common())
    logins = [_first_login(shopper) for shopper in plan.shoppers]
    return [
        f"what     {counts.total()} actions: {words}",
        f"         logins from {min(logins) / 1000:.1f} s to {max(logins) / 1000:.1f} s",
    ]


def _first_login(shopper: ShopperPlan) -> int:
    return next(action.at_ms for action in shopper.actions if action.do == "login")


def _faults(plan: Plan) -> list[str]:
    if not plan.faults:
        return ["faults   none"]
    lines = [
        f"{fault.kind} {fault.victim} at {fault.at_ms / 1000:.1f} s, healed at {fault.heal_at_ms / 1000:.1f} s"
        for fault in plan.faults
    ]
    return [f"{'faults' if not number else '':<9}{line}" for number, line in enumerate(lines)]


def _fail_if(scenario: Scenario) -> list[str]:
    """The thresholds, architecture by architecture where they are not those of all."""
    general = [f"{measure} {text}" for measure, text in scenario.fail_if.items() if isinstance(text, str)]
    own = [
        f"{measure} {text} ({name})"
        for name, of_one in scenario.fail_if.items()
        if not isinstance(of_one, str)
        for measure, text in of_one.items()
    ]
    return [f"{'fails if' if not number else '':<9}{line}" for number, line in enumerate([*general, *own])]


def _limits(plan: Plan) -> list[str]:
    client = plan.client
    return [
        f"limits   connect {client.connect_timeout_ms} ms, answer {client.answer_timeout_ms} ms, no retries;",
        f"         an action more than {client.late_ms} ms late is not sent;",
        f"         audit: everybody within {_audit_s(plan):.1f} s, up to {client.audit_tries} tries, "
        f"{client.audit_pause_ms} ms apart",
    ]


def _audit_s(plan: Plan) -> float:
    """More if answers fail."""
    return plan.client.audit_spread_ms * len(plan.shoppers) / 1000


def _costs(scenario: Scenario, load_s: float) -> list[str]:
    each = load_s + START_AND_STOP_S
    lines = [f"cost     about {each * len(scenario.architectures):.0f} s:"]
    lines += [f"           {name:<18} {each:5.0f} s" for name in scenario.architectures]
    return lines
