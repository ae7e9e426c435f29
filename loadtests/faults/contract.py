"""The contract of a fault: something that is broken and healed on purpose.

A fault is one file with one class: how to inject it, how to *see* that it happened, how to heal it, and how to see that
it healed. Seeing is done through `Cluster.observe` and its like, which look from outside of whatever did it; a fault
that was not seen makes the run inconclusive, so an injection that quietly does nothing can never count as a pass.

A *condition* is a fault that is there from the start to the end (more than one worker in a node, say): it changes the
limits in `prepare`, and is observed like any other. Not every cluster has what a fault strikes (a store, say): such a
fault says so in `nothing_there`, and nothing is done.
"""

from abc import ABC, abstractmethod
from typing import Literal

import msgspec

from compose.cluster import Balancing, Limits, Observation
from compose.engines.contract import Cluster
from loadtests.faults.effects import Effect, FaultMarks
from loadtests.model.results import Cause

Evidence = tuple[str, ...]
Strikes = Literal["node", "store", "replica", "balancer", "cluster"]
"""What a fault strikes: one node, a part of that name, or (`cluster`) no single part."""

Looks = Literal["broken", "frozen", "dead"]


class Cure(msgspec.Struct, frozen=True):
    """A switch that prevents a loss. What it is, is read from two scenarios, which show the loss and its absence."""

    loss: str
    """What it is good for."""
    price: str
    """What it costs, or leaves."""
    before: str
    after: str
    """Scenarios; the same one where the architecture is the switch."""
    measure: str = ""
    """What shows it; empty: the number that stands for the first scenario."""
    on: tuple[str, ...] = ()
    """Architectures that show it; empty: all that both scenarios have."""
    instead: str = ""
    """The architecture that is the cure, where it is one."""


class Target(msgspec.Struct, frozen=True):
    """What a fault strikes, and how it looked just before."""

    cluster: Cluster
    victim: str
    """The part's name: "n2", "store", …; "cluster" if the fault strikes no single part."""
    before: Observation | None
    """None where the fault strikes no single part."""
    nodes: tuple[str, ...] = ()
    """The names of all nodes just before."""


class FaultSteps(ABC):
    """Inject, observe, heal, observe healed. No method waits; the run polls the two observations within a bound.

    One object serves all clusters of a run, one after another or side by side: what it must remember about one of them
    belongs into the cluster, not into the fault.
    """

    @abstractmethod
    def inject(self, target: Target) -> None:
        """Break it."""

    @abstractmethod
    def observe(self, target: Target) -> Evidence | None:
        """What proves, from outside, that it is broken; None as long as nothing does."""

    @abstractmethod
    def heal(self, target: Target) -> None:
        """Mend it. Safe to repeat, and safe if it never broke: the run repeats it until it is seen to be mended."""

    @abstractmethod
    def observe_healed(self, target: Target) -> Evidence | None:
        """What proves, from outside, that it is mended; None as long as nothing does."""


class Fault(FaultSteps):
    """A kind of fault: how it is carried out, and what is to be known of it."""

    kind: str
    """What a scenario calls it: `kind = "kill"`."""
    colour: str
    """Of its band on the workshop's timeline, and of its button, as #rrggbb."""
    doing: str
    """How a sentence about it begins: "Killing" (n2 …)."""
    formerly: str = ""
    """How one began that an earlier version wrote, if otherwise: it says the same."""
    done: str
    """What it did to its victim: (n2) "killed"."""
    sentence: str
    """One sentence for a person: what is broken and how it is healed."""
    strikes: Strikes = "node"
    takes_memory: bool = False
    """What its victim held in memory is gone with it: then whoever's session was there is *at risk*."""
    forgets: Literal["injected", "healed"] = "injected"
    """Where it takes memory: which of its two steps does."""
    stays: bool = False
    """Healing undoes nothing; then `observe_healed` sees that it is still as `observe` saw it."""
    needs_wires: bool = False
    """It changes how the store is reached: the cluster is started with wires."""
    asks_of_application: str = ""
    """What the application must be able to do, by the field of its `can`; "": nothing that some cannot."""
    causes: tuple[Cause, ...] = ()
    """The words for losses that would not be without it, and what they mean; its effects name them."""
    brings: tuple[type[Effect], ...] = ()
    """What it does to sessions as long as it lasts, or at once; each by the cause that has the same place."""
    balancing: Balancing | None = None
    """What it tells the balancer about routing while it lasts; None: nothing."""
    asks_of_balancer: str = ""
    """What the balancer must be able to do, by the field of its `can`; "": nothing that some cannot."""
    grows: bool = False
    """It adds a node."""
    rations: bool = False
    """Its victim is sent another share of newcomers than the other nodes are, and lives."""
    victim_is_down: Literal["", "until healed", "for good"] = ""
    """So long its victim serves nobody, from the moment it is injected; "": it goes on, or goes in its own time."""
    cures: tuple[Cure, ...] = ()
    """What prevents the losses that it causes."""
    button: str = ""
    """What stands on the button that makes it in a live round: "Kill the store"; its kind, if nothing else is said."""
    free_play: int = 0
    """Its place among the buttons of a round without a lesson; 0: none, as for whatever needs a cluster of its own."""
    looks: Looks = "broken"
    """How its victim looks from its being observed until it is seen to be healed."""

    @property
    def label(self) -> str:
        """What stands on its button."""
        return self.button or self.kind.replace("-", " ").capitalize()

    def prepare(self, limits: Limits) -> Limits:
        """The limits that the cluster is started with; only conditions change them."""
        return limits

    def nothing_there(self, cluster: Cluster) -> str:
        """Why there is nothing to strike in this cluster; "" if there is something."""
        return ""

    def effects(self, marks: FaultMarks, limits: Limits) -> tuple[Effect, ...]:
        """What it did to sessions, as it went; only asked of a fault that was observed. `limits`: as in force then."""
        return tuple(effect.of(marks, cause.name) for effect, cause in zip(self.brings, self.causes, strict=False))
