"""What a made-up world is made of: a setup, faults as they went, what shoppers did, and what came back.

All times are whole microseconds of the load window. Nothing here knows the product.
"""

from __future__ import annotations

from dataclasses import dataclass

US = 1_000_000
NEVER = 1 << 62
TOOK = 10_000
"""How long an answer takes."""


def at(seconds: float) -> int:
    """A time of the window."""
    return round(seconds * US)


@dataclass(frozen=True)
class Setup:
    """One architecture and how it is set."""

    store: str
    """memory, replicated, token, denylist or redis."""
    affinity: str
    """cookie, hash or round-robin."""
    lifetime: int = at(3600)
    refresh: bool = False
    leeway_s: int = 0
    retries: bool = False
    append_only: bool = False
    evicts: bool = True
    """What a full store does: throws out who was not seen for longest (or refuses writes)."""
    lag: int = 0
    """So long a write is under way to the store's replica."""
    epoch: int = 0
    """Wall clock at the zero: cookies and tokens count its whole seconds."""
    nodes: tuple[str, ...] = ("n1", "n2", "n3")
    held: tuple[tuple[str, int, int], ...] = ()
    """Nodes that the balancer takes for dead although they live, and from when until when. No event tells of it."""
    crowd: tuple[tuple[str, int, int], ...] = ()
    """Sessions of others: at which node, when, how many."""


@dataclass(frozen=True)
class Fault:
    """One fault: the four marks that are written down, and by them when it truly took hold and ended."""

    kind: str
    victim: str
    injected: int
    observed: int
    healed: int = NEVER
    over: int = NEVER
    """When it was seen to be healed."""

    @property
    def bites(self) -> int:
        """When it took hold."""
        return (self.injected + self.observed) // 2

    @property
    def ends(self) -> int:
        """When it let go."""
        return NEVER if self.healed == NEVER else (self.healed + self.over) // 2


@dataclass(frozen=True)
class Step:
    """One request of a shopper, or the loss of the balancer's cookie (`forget_node`)."""

    at: int
    do: str
    to: str = "n1"
    """Whose turn it is at the balancer, where nothing else decides."""
    shopper: int = 1
    jar: str = "main"


@dataclass(frozen=True)
class Answer:
    """What came back. A status of 0: nothing did."""

    number: int
    step: Step
    done: int
    status: int
    node: str = ""
    by: tuple[str, ...] = ()
    """Who carried it out, also if nobody heard of it."""
    retried: bool = False
    """The balancer asked somebody else first."""
    time_over: bool = False
    """In true time the session's lifetime was over, or its cookie's."""
    on_edge: bool = False
    """Whether it was is decided within an answer's time, which nobody sees."""

    @property
    def knew(self) -> bool:
        """It knew the shopper."""
        return 200 <= self.status < 300
