"""The plan: who shops, what, when, and which fault hits when; made from one seed before anything starts.

The plan knows nothing of architectures, engines or load workers: the same plan is carried out on each. `plan.json` is
its canonical form; the SHA-256 of that file's bytes is the plan's name. Times are whole milliseconds since the zero of
the load window.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import combinations, takewhile
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Literal

import msgspec

from loadtests.behaviours import BEHAVIOURS
from loadtests.faults import FAULTS
from loadtests.history import Do, Jar
from loadtests.planning.drawing import Habits, Step, generator_of
from loadtests.planning.page import plan_lines
from loadtests.planning.rules import BadValue, check_actions, check_shoppers, is_condition
from loadtests.run_folder import read_document
from shared.errors import RunFolderError, ScenarioError

if TYPE_CHECKING:
    from loadtests.scenario import Scenario

PLAN_SCHEMA = 1

Control = Literal["", "no-fault", "placebo"]
"""What a run leaves out, to show what the rest does by itself: its faults, or only the break in each of them."""


class Action(msgspec.Struct, frozen=True, omit_defaults=True):
    """One planned step of a shopper."""

    at_ms: int
    do: Do
    sku: str = ""
    quantity: int = 0
    key: str = ""
    """The idempotency key of a checkout: unique in the plan, but for a double click, which has one twice."""
    jar: Jar = "main"
    beside: bool = False
    """Sent at its time though the action before may still be waiting for its answer."""


class ShopperPlan(msgspec.Struct, frozen=True):
    """One simulated person."""

    shopper: int
    """1 … U."""
    actions: tuple[Action, ...]


class PlannedFault(msgspec.Struct, frozen=True):
    """One thing that is broken and healed on purpose."""

    kind: str
    at_ms: int
    heal_at_ms: int
    victim: str
    """The part that it strikes: "n2", "store", "balancer", …; `cluster` for what strikes no single part."""


class ClientLimits(msgspec.Struct, frozen=True):
    """How long the shoppers' client waits; the same for every architecture."""

    connect_timeout_ms: int = 1000
    """How long a shopper tries to connect to the balancer."""
    answer_timeout_ms: int = 3000
    """How long a shopper waits for an answer."""
    audit_spread_ms: int = 8
    """The audit visits everybody within this many ms for each shopper of the plan: nobody queues for it."""
    audit_tries: int = 5
    """How often the audit asks somebody again who got no answer."""
    audit_pause_ms: int = 300
    """How long it waits in between."""
    late_ms: int = 2000
    """A shopper who is later than this with an action (its answer before took so long) does not send it: `not_sent`."""


class Plan(msgspec.Struct, frozen=True, omit_defaults=True):
    """Everything that will happen, before anything starts."""

    schema: int
    scenario: str
    seed: int
    nodes: int
    window_ms: int
    """The load window: planned actions lie in [0, window_ms). The audit follows."""
    client: ClientLimits
    faults: tuple[PlannedFault, ...]
    shoppers: tuple[ShopperPlan, ...]
    addresses: int = 0
    """From how many addresses they come (see `loadtests.planning.addresses`); 0: each from one of its own."""
    control: Control = ""
    """What the run leaves out; "" if nothing."""


def encode_plan(plan: Plan) -> bytes:
    """The canonical bytes of a plan."""
    return msgspec.json.encode(plan) + b"\n"


def plan_sha256(plan: Plan) -> str:
    """The plan's name: the SHA-256 of its canonical bytes, in hex."""
    return hashlib.sha256(encode_plan(plan)).hexdigest()


def make_plan(scenario: Scenario, *, seed: int, shoppers: int | None = None, control: Control = "") -> Plan:
    """The plan of a scenario: the same scenario, seed, number of shoppers and control give the same bytes.

    A control has the same shoppers doing the same; without faults it has none, as a placebo it has all of them.

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
        shoppers=tuple(_shopper_plan(scenario, seed, number, window_ms) for number in range(1, wanted + 1)),
        addresses=scenario.load.addresses,
        control=control,
    )


def as_carried_out(plan: Plan, window_ms: int, faults: tuple[PlannedFault, ...]) -> Plan:
    """The plan of a live window that ended then: what lies beyond was never planned, its faults are as they went."""
    shoppers = tuple(
        ShopperPlan(who.shopper, tuple(action for action in who.actions if action.at_ms < window_ms))
        for who in plan.shoppers
    )
    return msgspec.structs.replace(plan, window_ms=window_ms, faults=faults, shoppers=shoppers)


def plan_page(plan: Plan, scenario: Scenario) -> str:
    """The plan in words: what would happen, under which limits, and what it would cost in seconds."""
    return "\n".join(plan_lines(plan, scenario, plan_sha256(plan)))


def read_plan(path: Path) -> Plan:
    """The plan of a run folder.

    Raises:
        RunFolderError: it is missing, damaged, or of another schema.
    """
    plan = read_document(path, Plan)
    _check_schema(path, plan.schema)
    return plan


class _Unread(Plan, frozen=True):
    """A plan whose shoppers are still to be read."""

    shoppers: tuple[msgspec.Raw, ...]  # type: ignore[assignment]


def read_plan_by_person(path: Path) -> tuple[Plan, Iterator[ShopperPlan]]:
    """The plan without its shoppers, and they one by one: for whoever needs not all at once, of a plan of millions.

    Raises:
        RunFolderError: as `read_plan`, but for a damaged shopper only when it is that one's turn.
    """
    unread = read_document(path, _Unread)
    _check_schema(path, unread.schema)
    rest = {name: getattr(unread, name) for name in Plan.__struct_fields__ if name != "shoppers"}
    return Plan(**rest, shoppers=()), _read_each(path, unread.shoppers)


def _read_each(path: Path, shoppers: tuple[msgspec.Raw, ...]) -> Iterator[ShopperPlan]:
    decode = msgspec.json.Decoder(ShopperPlan).decode
    try:
        yield from map(decode, shoppers)
    except msgspec.DecodeError:
        read_document(path, Plan)  # which says where in the plan it is
        raise


def _check_schema(path: Path, schema: int) -> None:
    if schema != PLAN_SCHEMA:
        raise RunFolderError(
            f"{path} was written with schema {schema}",
            why=f"this version of Twinshop reads schema {PLAN_SCHEMA}",
            next_step="run the scenario again",
        )


def checkout_key(seed: int, shopper: int, step: int) -> str:
    """The idempotency key of a checkout: unique in a plan."""
    return f"{seed}-{shopper:04d}-{step:03d}"


def _shopper_plan(scenario: Scenario, seed: int, shopper: int, window_ms: int) -> ShopperPlan:
    load = scenario.load
    chance = generator_of(seed, shopper)
    leaves = chance.random() < load.leavers  # drawn always, so that a share changes nothing but who leaves
    habits = Habits(load.think_ms, load.login_within_ms, load.mix)
    steps = BEHAVIOURS[load.behaviour].steps(chance, shopper, habits, window_ms)
    drawn = list(takewhile(lambda step: step.at_ms < window_ms, steps))
    if leaves:
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
    """Whatever their times, one can be seen without the other being taken for it.

    Conditions change how the cluster is started, not what happens to it. What strikes no single part is seen by what
    it does, which differs by its kind; and what stays when it is done is seen by what there was not before.
    """
    if one.victim != other.victim:
        return True
    if one.kind == other.kind:
        return one.victim == "cluster" and FAULTS[one.kind].stays and one.at_ms != other.at_ms
    return one.victim == "cluster" or is_condition(one.kind) or is_condition(other.kind)
