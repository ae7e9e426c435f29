"""Makes the plan from a scenario and one seed: nothing in it depends on architectures, engines or load workers."""

from collections.abc import Iterator
from itertools import combinations, takewhile
from random import Random

from loadtests.behaviours import BEHAVIOURS, Behaviour
from loadtests.behaviours.workload import Habits, ShopperDraw, Step, generator_of
from loadtests.faults import FAULTS
from loadtests.model.plan import PLAN_SCHEMA, Action, ClientLimits, Control, Plan, PlannedFault, ShopperPlan
from loadtests.model.scenario import Scenario
from loadtests.planning.rules import BadValue, check_actions, check_shoppers, is_condition
from shared.errors import ScenarioError


def make_plan(
    scenario: Scenario, *, seed: int, shoppers: int | None = None, control: Control = "",
    behaviour: Behaviour | None = None,
) -> Plan:  # fmt: skip
    """The plan of a scenario: the same scenario, seed, number of shoppers and control give the same bytes.

    `behaviour` stands in the place of the scenario's own, where the application is none of the twins.

    Raises:
        ScenarioError: `shoppers`, where given, is not a number of people that can shop, or they would do too much; or
            a fault would strike a part that another one still holds.
    """
    wanted = scenario.load.shoppers if shoppers is None else shoppers
    try:
        check_shoppers("--shoppers", wanted)
        check_actions("--shoppers", wanted, scenario.load)
    except BadValue as bad:
        raise ScenarioError(str(bad), why=f"expected {bad.expected}", next_step="ask for another number") from bad
    window_ms = round(scenario.load.seconds * 1000)
    # A placebo keeps its faults: they are aimed, looked for and waited for, and only the break is left out.
    strikes = 0 if control == "no-fault" else len(scenario.fault)
    faults = tuple(_planned_fault(scenario, seed, number) for number in range(strikes))
    _check_apart(faults)
    return Plan(
        schema=PLAN_SCHEMA,
        scenario=scenario.name,
        seed=seed,
        nodes=scenario.nodes,
        window_ms=window_ms,
        client=ClientLimits(),
        faults=faults,
        shoppers=tuple(
            _shopper_plan(scenario, behaviour or BEHAVIOURS[scenario.load.behaviour], seed, number, window_ms)
            for number in range(1, wanted + 1)
        ),
        addresses=scenario.load.addresses,
        gives_up=BEHAVIOURS[scenario.load.behaviour].gives_up,
        control=control,
    )


def checkout_key(seed: int, shopper: int, step: int) -> str:
    """The idempotency key of a checkout: unique in a plan."""
    return f"{seed}-{shopper:04d}-{step:03d}"


def _shopper_plan(scenario: Scenario, behaviour: Behaviour, seed: int, shopper: int, window_ms: int) -> ShopperPlan:
    load = scenario.load
    chance = generator_of(seed, shopper)
    leaves = chance.random() < load.leavers  # drawn always, so that a share changes nothing but who leaves
    habits = Habits(load.think_ms, load.login_within_ms, load.mix)
    steps = behaviour.steps(ShopperDraw(chance, shopper, habits, window_ms))
    drawn = list(takewhile(lambda step: step.at_ms < window_ms, steps))  # a behaviour may go on without an end
    if leaves:
        # In the place of the last step and not after it: nobody does anything once they have left.
        last = drawn.pop() if len(drawn) > 1 else Step(window_ms - 1, "logout")
        drawn.append(Step(last.at_ms, "logout"))
    return ShopperPlan(shopper, tuple(_actions(drawn, seed, shopper)))


def _actions(steps: list[Step], seed: int, shopper: int) -> Iterator[Action]:
    key = ""
    for number, step in enumerate(steps):
        if step.do == "checkout" and not step.beside:  # one beside another is the same click again
            key = checkout_key(seed, shopper, number)
        shown = key if step.do == "checkout" else ""
        yield Action(step.at_ms, step.do, step.sku, step.quantity, shown, step.jar, step.beside)


def _planned_fault(scenario: Scenario, seed: int, number: int) -> PlannedFault:
    fault, load_s = scenario.fault[number], scenario.load.seconds
    strikes = FAULTS[fault.kind].strikes
    # A generator of its own: another fault, or another number of shoppers, leaves this one's victim as it is.
    drawn = f"n{Random(f'{seed}/fault/{number}').randrange(scenario.nodes) + 1}" if strikes == "node" else strikes
    return PlannedFault(
        kind=fault.kind,
        at_ms=round(fault.at_s * 1000),
        heal_at_ms=round(1000 * (load_s if fault.heal_after_s is None else fault.at_s + fault.heal_after_s)),
        victim=drawn if fault.victim == "any" else fault.victim,
    )


def _check_apart(faults: tuple[PlannedFault, ...]) -> None:
    """Of two faults that hold one part at once, nobody could say which was seen."""
    for (first, one), (second, other) in combinations(enumerate(faults), 2):
        if told_apart(one, other):
            continue
        if one.at_ms <= other.heal_at_ms and other.at_ms <= one.heal_at_ms:
            raise ScenarioError(
                f"fault[{first}] and fault[{second}] hold {one.victim} at the same time",
                why="what is seen of the one could come from the other",
                next_step="give them other times or other victims; where the seed chooses the victim, another seed",
            )


def told_apart(one: PlannedFault, other: PlannedFault) -> bool:
    """Whatever their times, one can be seen without the other being taken for it."""
    if one.victim != other.victim:
        return True
    if one.kind == other.kind:  # what stays, as a new node does, is seen by what there was not before
        return one.victim == "cluster" and FAULTS[one.kind].stays and one.at_ms != other.at_ms
    # What strikes no single part is seen by what it does, which differs by its kind; and a condition changes how the
    # cluster is started, not what happens to it.
    return one.victim == "cluster" or is_condition(one.kind) or is_condition(other.kind)
