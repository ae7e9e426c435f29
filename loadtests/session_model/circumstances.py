"""What surrounds every session of one architecture: its settings, and the effects of the faults that were observed.

Everything that can be named as a cause is a `Factor`, and everything that keeps an answer from knowing a shopper is a
`Harm` with the factor behind it. `Circumstances` hands out effects by what they are, leaving out the faults that are
thought away: that is all that a counterfactual changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeVar

import msgspec

from loadtests.faults import FAULTS
from loadtests.faults.effects import ClockOff, Effect, NodeEnds, OnNode
from loadtests.faults.words import victim_in_words
from loadtests.model.fault_timeline import FaultTimeline
from loadtests.model.history import Exchange
from loadtests.session_model.timeline import RunTimeline

E = TypeVar("E", bound=Effect)
N = TypeVar("N", bound=OnNode)


class Factor(NamedTuple):
    """Something that can be thought away."""

    kind: Literal["fault", "time", "seen", "setting"]
    name: str
    """Of a fault, its kind; otherwise the cause's word."""
    fault: int | None = None


Without = frozenset[Factor]
NOTHING: Without = frozenset()
TIME = Factor("time", "expired")


class Harm(NamedTuple):
    """Why an answer does not know a shopper: it would, if this factor and those of the other harms were not."""

    factor: Factor
    word: str
    at_us: int
    sure: bool = True
    """False: it may have happened, and nobody saw whether it did."""


def setting(word: str, *, sure: bool = True) -> Harm:
    """The harm of how it was built or set; it was there from the beginning."""
    return Harm(Factor("setting", word), word, -1, sure)


def seen(word: str, at_us: int, *, sure: bool = True) -> Harm:
    """The harm of something that the history shows."""
    return Harm(Factor("seen", word), word, at_us, sure)


class NodeClock(NamedTuple):
    """By how many seconds a node's clock was off during an exchange, at least and at most, and by which faults."""

    during: Exchange
    least: float = 0.0
    most: float = 0.0
    off: tuple[tuple[Factor, ClockOff], ...] = ()

    @property
    def earliest_us(self) -> float:
        """What it showed at least."""
        return self.during.sent_us + self.least * 1_000_000

    @property
    def latest_us(self) -> float:
        """What it showed at most."""
        return self.during.done_us + self.most * 1_000_000


class Circumstances(msgspec.Struct, frozen=True):
    """The settings and the effects of one architecture's part of a run."""

    run: RunTimeline
    effects: tuple[tuple[Factor, Effect], ...]
    faults: dict[Factor, FaultTimeline]
    without: Without = NOTHING
    """What is thought away."""

    def but_for(self, without: Without) -> Circumstances:
        """The same, with those factors thought away and no others."""
        return msgspec.structs.replace(self, without=without)

    @property
    def lifetime_us(self) -> int:
        """How long a session lives after it was last written."""
        return self.run.limits.session_lifetime_s * 1_000_000

    def left(self, *harms: Harm) -> list[Harm]:
        """Those of the harms that are not thought away."""
        return [harm for harm in harms if harm.factor not in self.without]

    def of(self, kind: type[E]) -> Iterator[tuple[Factor, E]]:
        """The effects of that kind, but for those of the faults that are thought away."""
        for factor, effect in self.effects:
            if isinstance(effect, kind) and factor not in self.without:
                yield factor, effect

    def during(
        self, kind: type[Effect], since_us: int, until_us: int, *, word: str = "", sure: bool = True
    ) -> list[Harm]:
        """The harms of those that were there at some moment of that time; `word` is said instead of their own."""
        return [
            Harm(factor, word or effect.word, effect.from_us, sure)
            for factor, effect in self.of(kind)
            if effect.overlaps(since_us, until_us)
        ]

    def at(self, kind: type[N], node: str) -> Iterator[tuple[Factor, N]]:
        """Those of them at that node."""
        for factor, effect in self.of(kind):
            # No name: it holds at every node.
            if effect.node in (node, ""):
                yield factor, effect

    def latest(self, kind: type[N], answered: Exchange) -> tuple[Factor, N] | None:
        """The last of them that had begun at the node which answered, by then; None: nobody had changed anything."""
        begun = [change for change in self.at(kind, answered.node) if change[1].from_us <= answered.done_us]
        return max(begun, key=lambda change: change[1].from_us, default=None)

    def ended(self, node: str, since_us: int, until_us: int) -> bool:
        """Whether the node's process surely ended within that time."""
        return any(since_us <= end.from_us and end.until_us <= until_us for _, end in self.at(NodeEnds, node))

    def clock(self, node: str, during: Exchange) -> NodeClock:
        """By how much that node's clock was off while it answered."""
        least = most = 0.0
        off = []
        for factor, effect in self.at(ClockOff, node):
            if not effect.overlaps(during.sent_us, during.done_us):
                continue
            # A new process has a clock of its own, which nobody has set.
            if self.ended(node, effect.from_us, during.sent_us):
                continue
            # Only if all of the exchange lies within it: at which moment of it the clock was read, nobody knows.
            surely = effect.surely_from_us <= during.sent_us and during.done_us <= effect.surely_until_us
            low, high = min(effect.seconds, 0.0), max(effect.seconds, 0.0)
            least += effect.seconds if surely else low
            most += effect.seconds if surely else high
            off.append((factor, effect))
        return NodeClock(during, least, most, tuple(off))

    def second_us(self, at_us: int) -> int:
        """The beginning of the second of the wall clock in which that moment is."""
        return at_us - ((self.run.epoch_us or 0) + at_us) % 1_000_000

    def done_to(self, factor: Factor) -> str:
        """A fault as that which was done: "killing n2", "swapping the signing key of n1"."""
        fault = self.faults[factor]
        about, victim = FAULTS.get(fault.kind), victim_in_words(fault.victim)
        if about is None:
            return f"the {fault.kind} of {victim}"
        return f"{about.doing[:1].lower()}{about.doing[1:]} {victim}"


def circumstances_of(run: RunTimeline) -> Circumstances:
    """What surrounded the sessions of that run. A fault that nobody observed did nothing."""
    limits = run.limits
    if run.retries and not limits.balancer_retries:
        # A fault told the balancer to retry: to the rules, that is as if it had been set.
        limits = msgspec.structs.replace(limits, balancer_retries=1)
    effects: list[tuple[Factor, Effect]] = []
    faults: dict[Factor, FaultTimeline] = {}
    for fault in run.faults:
        about = FAULTS.get(fault.kind)
        # No effect without evidence; and a kind that this version does not know has no file that says what it does.
        if fault.injected_us is None or fault.observed_us is None or about is None:
            continue
        factor = Factor("fault", fault.kind, fault.fault)
        faults[factor] = fault
        effects += [(factor, effect) for effect in about.effects(fault, limits)]
    return Circumstances(run, tuple(effects), faults)
