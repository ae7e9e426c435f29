"""A scenario: a question, its load, its faults, and what it predicts for each architecture, as data.

`loadtests.planning.scenario_file` reads it from TOML, strictly. The smallest one:

    question = "Does anybody lose anything when nothing goes wrong?"
    family = "control"

    [load]
    shoppers = 60
    seconds = 10

    [expect.sticky-memory]
    logged_out = "0"
"""

import json
from typing import Annotated, Any

import msgspec

from compose.cluster import Limits, Range

MAX_SHOPPERS = 20_000


class Load(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many shoppers, for how long, doing what."""

    shoppers: Annotated[int, Range(1, MAX_SHOPPERS, "shoppers", "what one load process is made for")] = 60
    """How many people shop."""
    seconds: Annotated[float, Range(1, 3600, "s", "somebody has to come, and somebody waits for the end")] = 10.0
    """The load window; the audit follows it."""
    think_ms: Annotated[int, Range(1, 3_600_000, "ms", "nobody acts without a pause, or once in hours")] = 500
    """Mean pause between two actions of one shopper."""
    login_within_ms: Annotated[int, Range(0, 3_600_000, "ms", "it is a part of the window")] = 1500
    """Shoppers log in evenly spread over this first part of the window."""
    leavers: Annotated[float, Range(0, 1, "", "it is a share")] = 0.0
    """The share of shoppers whose last planned action is a logout."""
    mix: dict[str, float] = msgspec.field(default_factory=dict)
    """Weights of browse, add, remove, cart, checkout, me, orders; missing ones take the default's weight."""
    behaviour: str = "shop"
    """What shoppers do beside that, or instead of it: a file in loadtests/behaviours."""
    addresses: Annotated[int, Range(0, MAX_SHOPPERS, "addresses", "there are no more shoppers")] = 0
    """From how many addresses the shoppers come, as the balancer sees it; 0: each from one of its own."""


class FaultSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One fault: its kind (a file in loadtests/faults), its times, and its victim."""

    kind: str
    at_s: Annotated[float, Range(0, 3600, "s", "it is a time of the window")] = 0.0
    """When it strikes, into the load window."""
    heal_after_s: Annotated[float, Range(0.001, 3600, "s", "what is broken for no time is not seen")] | None = None
    """Without: at the end of the window."""
    victim: str = "any"
    """"any": the seed picks one of the nodes; or a node's name, "n2". What strikes a part has it for its victim."""


def as_set(name: str, value: object) -> str:
    """A setting as a scenario's file has it; TOML writes truth and text as JSON does."""
    return f"{name} = {json.dumps(value)}"


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question that a run answers."""

    question: str
    family: str
    load: Load = Load()
    story: str = ""
    """Two or three sentences for a person: what happens, and why one would ask."""
    nodes: Annotated[int, Range(1, 32, "nodes", "they share one machine")] = 3
    """How many each cluster begins with."""
    architectures: tuple[str, ...] = ("sticky-memory", "roundrobin-memory", "signed-token", "redis")
    balancer: str = ""
    """Which one is in front of the nodes, by its file in compose/balancers; empty: the default. No plan depends on
    it."""
    without: dict[str, str] = msgspec.field(default_factory=dict)
    """Architectures that the question is not asked of, and why: the matrix says it in their cells."""
    alone: bool = False
    """It measures times or costs: the matrix runs nothing beside it."""
    headline: str = "logged_out"
    """The measure that stands for the whole in the matrix."""
    settings: dict[str, Any] = msgspec.field(default_factory=dict)
    """Changes to `compose.cluster.Limits`, by field: cures as switches, and what the question needs."""
    fault: tuple[FaultSpec, ...] = ()
    expect: dict[str, dict[str, str]] = msgspec.field(default_factory=dict)
    """By architecture: a measure (see `loadtests.judging.verdict.MEASURES`) and its prediction: a number or formula
    ("0", "at_risk", "U / N"), or a relation (">= 0.95 * U") over U (shoppers), N (nodes) and at_risk. TOML's own
    numbers will do as well: they are read as if they stood in quotes."""
    fail_if: dict[str, str | dict[str, str]] = msgspec.field(default_factory=dict)
    """When the run is to fail: by measure, for every architecture, or by architecture and measure; each a relation
    ("> 0") or a range (see `loadtests.judging.verdict`)."""
    name: str = ""
    """Set from the file's name."""

    def limits(self) -> Limits:
        """The limits of a cluster with this scenario's settings; what its faults prepare is not in them."""
        return msgspec.convert(self.settings, type=Limits, strict=True)  # TOML has types: "3" is not meant for 3
