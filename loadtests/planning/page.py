"""A plan in words, on a page: for `twinshop plan`, so that nobody has to start anything to know what would happen."""

import textwrap
from collections import Counter
from collections.abc import Sequence

from compose.balancers import balancer_named
from loadtests.behaviours import BEHAVIOURS, Behaviour
from loadtests.model.plan import Plan, plan_sha256
from loadtests.model.scenario import Scenario, as_set
from shared.plurals import counted

WIDTH = 88
START_AND_STOP_S = 2.5  # one cluster and its shoppers, on two cores, about


def plan_page(plan: Plan, scenario: Scenario, behaviour: Behaviour | None = None) -> str:
    """The plan in words: what would happen, under which limits, and what it would cost in seconds.

    `behaviour` stands in the place of the scenario's own, as for `make_plan`.
    """
    window_s, who = plan.window_ms / 1000, behaviour or BEHAVIOURS[scenario.load.behaviour]
    return "\n".join([
        f"{plan.scenario}: {scenario.question}",
        *textwrap.wrap(scenario.story, WIDTH),
        "",
        f"plan     {plan_sha256(plan)}",
        f"seed     {plan.seed}",
        f"who      {counted(len(plan.shoppers), 'shopper')} on {counted(plan.nodes, 'node')}",
        f"         {_addresses(plan)}",
        *_under("how", textwrap.wrap(f"{who.name}: {who.sentence}", WIDTH)),
        f"when     {window_s:g} s of shopping, then an audit that visits everybody",
        *_actions(plan),
        *([f"balancer {balancer_named(scenario.balancer).title}"] if scenario.balancer else ()),
        *_faults(plan),
        *_under("settings", [as_set(name, value) for name, value in scenario.settings.items()]),
        *_fail_if(scenario),
        *_limits(plan),
        *_costs(scenario, window_s + _audit_s(plan)),
    ])  # fmt: skip


def _under(head: str, lines: Sequence[str]) -> list[str]:
    """The first line beside its head, the others below it."""
    return [f"{head if not number else '':<9}{line}" for number, line in enumerate(lines)]


def _addresses(plan: Plan) -> str:
    if not plan.addresses:
        return "each from an address of its own"
    return "all from one address" if plan.addresses == 1 else f"from {plan.addresses} addresses"


def _actions(plan: Plan) -> list[str]:
    counts = Counter(action.do for shopper in plan.shoppers for action in shopper.actions)
    words = ", ".join(f"{count} {do}" for do, count in counts.most_common())
    logins = [next(it.at_ms for it in shopper.actions if it.do == "login") for shopper in plan.shoppers]
    return [
        f"what     {counted(counts.total(), 'action')}: {words}",
        f"         logins from {min(logins) / 1000:.1f} s to {max(logins) / 1000:.1f} s",
    ]


def _faults(plan: Plan) -> list[str]:
    told = [
        f"{fault.kind} {fault.victim} at {fault.at_ms / 1000:.1f} s, healed at {fault.heal_at_ms / 1000:.1f} s"
        for fault in plan.faults
    ]
    return _under("faults", told or ["none"])


def _fail_if(scenario: Scenario) -> list[str]:
    """The thresholds, architecture by architecture where they are not those of all."""
    general = [f"{measure} {text}" for measure, text in scenario.fail_if.items() if isinstance(text, str)]
    own = [
        f"{measure} {text} ({name})"
        for name, of_one in scenario.fail_if.items()
        if not isinstance(of_one, str)
        for measure, text in of_one.items()
    ]
    return _under("fails if", [*general, *own])


def _limits(plan: Plan) -> list[str]:
    client = plan.client
    return [
        f"limits   connect {client.connect_timeout_ms} ms, answer {client.answer_timeout_ms} ms, no retries;",
        f"         an action more than {client.late_ms} ms late is not sent;",
        f"         audit: everybody within {_audit_s(plan):.1f} s, up to {client.audit_tries} tries, "
        f"{client.audit_pause_ms} ms apart",
    ]


def _audit_s(plan: Plan) -> float:
    # More if answers fail: they are asked again.
    return plan.client.audit_spread_ms * len(plan.shoppers) / 1000


def _costs(scenario: Scenario, load_s: float) -> list[str]:
    each = load_s + START_AND_STOP_S
    lines = [f"cost     about {each * len(scenario.architectures):.0f} s:"]
    lines += [f"           {name:<18} {each:5.0f} s" for name in scenario.architectures]
    return lines
