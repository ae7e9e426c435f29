"""The plan: who shops, what, when, and which fault hits when; made from one seed before anything starts.

The plan knows nothing of architectures, engines or load workers: the same plan is carried out on each. `plan.json` is
its canonical form; the SHA-256 of that file's bytes is the plan's name. Times are whole milliseconds since the zero of
the load window.
"""

import hashlib
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path
from typing import Literal

import msgspec

from loadtests.model.history import Do, Jar
from loadtests.model.run_folder import read_document, read_versioned
from shared.ndjson import UNDECODABLE

PLAN_SCHEMA = 1
RUN_AGAIN = "run the scenario again"

Control = Literal["", "no-fault", "placebo"]
"""What a run leaves out, to show what the rest does by itself: its faults, or only the break in each of them."""


class Action(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
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


class ShopperPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One simulated person."""

    shopper: int
    """1 … U."""
    actions: tuple[Action, ...]


class PlannedFault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that is broken and healed on purpose."""

    kind: str
    at_ms: int
    heal_at_ms: int
    victim: str
    """The part that it strikes: "n2", "store", "balancer", …; `cluster` for what strikes no single part."""


class ClientLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
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


class Plan(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
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
    """From how many addresses they come (see `address_of`); 0: each from one of its own."""
    gives_up: bool = False
    """Their client takes any error of the shop for a logout, and throws its cookies away."""
    control: Control = ""
    """What the run leaves out; "" if nothing."""


def encode_plan(plan: Plan) -> bytes:
    """The canonical bytes of a plan."""
    return msgspec.json.encode(plan) + b"\n"  # in the order of the fields, without blanks: one plan, one sum


def plan_sha256(plan: Plan) -> str:
    """The plan's name: the SHA-256 of its canonical bytes, in hex."""
    return hashlib.sha256(encode_plan(plan)).hexdigest()


# Ranges that belong to nobody: those for documentation, 198.51.100.1 to .254 (RFC 5737); and where everybody is to have
# an address of its own and these do not suffice, those for benchmarks, 198.18.0.0/15 (RFC 2544).
DOCUMENTED = 254
_DOCUMENTATION = IPv4Address("198.51.100.0")
_BENCHMARKS = IPv4Address("198.18.0.0")


def address_of(shopper: int, addresses: int) -> str:
    """From which address a shopper (1 … U) comes, as it tells the balancer (`X-Forwarded-For`).

    `addresses`: how many there are in all, 0 for one each.
    """
    number = (shopper - 1) % addresses + 1 if addresses else shopper
    return str(_DOCUMENTATION + number if number <= DOCUMENTED else _BENCHMARKS + number)


def as_carried_out(plan: Plan, window_ms: int, faults: tuple[PlannedFault, ...]) -> Plan:
    """The plan of a live window that ended then: what lies beyond was never planned, its faults are as they went."""
    shoppers = tuple(
        ShopperPlan(who.shopper, tuple(action for action in who.actions if action.at_ms < window_ms))
        for who in plan.shoppers
    )
    return msgspec.structs.replace(plan, window_ms=window_ms, faults=faults, shoppers=shoppers)


_decode_plan = msgspec.json.Decoder(Plan).decode


def read_plan(path: Path) -> Plan:
    """The plan of a run folder.

    Raises:
        RunFolderError: it is missing, damaged, or of another schema.
    """
    return read_versioned(path, _decode_plan, PLAN_SCHEMA, RUN_AGAIN)


_decode_shopper = msgspec.json.Decoder(ShopperPlan).decode


class _Unread(Plan, frozen=True):
    """A plan whose shoppers are still to be read."""

    shoppers: tuple[msgspec.Raw, ...]  # type: ignore[assignment]


_decode_unread = msgspec.json.Decoder(_Unread).decode


def read_plan_by_person(path: Path) -> tuple[Plan, Iterator[ShopperPlan]]:
    """The plan without its shoppers, and they one by one: for whoever needs not all at once, of a plan of millions.

    Raises:
        RunFolderError: as `read_plan`, but for a damaged shopper only when it is that one's turn.
    """
    unread = read_versioned(path, _decode_unread, PLAN_SCHEMA, RUN_AGAIN)
    # Not `replace`, which keeps the type: this would still be a plan whose shoppers are to be read.
    rest = {name: getattr(unread, name) for name in Plan.__struct_fields__ if name != "shoppers"}
    return Plan(**rest, shoppers=()), _read_each(path, unread.shoppers)


def _read_each(path: Path, shoppers: tuple[msgspec.Raw, ...]) -> Iterator[ShopperPlan]:
    try:
        yield from map(_decode_shopper, shoppers)
    except UNDECODABLE:
        read_document(path, Plan)  # which says where in the plan it is
        raise
