"""What faults can do to sessions: a closed vocabulary, with the time in which each holds.

A fault's own file declares its effects (`Fault.brings`; where their times are others than its own, `Fault.effects`);
`loadtests.session_model` reads them and nothing else of a fault. docs/explanation/causes.md has the whole table. One
fault, walked through: n2 is killed at 4.0 s, seen to be gone at 4.02 s, started at 5 s and seen to be back at 6 s. Then

    MemoryGone(4.0 .. 4.02, "node_killed", "n2")    what it held went in between
    NodeEnds(4.0 .. 4.02, "node_killed", "n2")      and with it whatever it had been told to suffer from
    Unreachable(4.0 .. 6.0, "node_killed", "n2")    whoever belongs there may be answered by others
    RingTurns(4.0 .. 6.0, "moved_by_ring")          on a ring, others may be moved as well

All times are microseconds of the load window.
"""

from typing import ClassVar, Self

import msgspec

from compose.cluster import Key
from loadtests.model.fault_timeline import NEVER_US, FaultTimeline

FOREVER_US = NEVER_US
"""Later than everything."""
FIRST = ("user",)
"""The fields in which the first version of the shop's code looks for the user's name; it writes the only one."""
BEHIND_US = 1_000_000
"""So long after a replica was seen to be well again it may still lack what it missed; and so long may a write be under
way to a replica that is well."""


FaultMarks = FaultTimeline
"""When the steps of a fault that was observed were taken; those that were not are None."""


class Effect(msgspec.Struct, frozen=True):
    """One thing that a fault did to sessions, somewhere between two times or all the time between them."""

    from_us: int
    until_us: int
    word: str
    """The cause of a loss that would not be without it: one of `loadtests.session_model.causes.CAUSES`."""

    at_once: ClassVar[bool] = False
    """It happens at some moment of that time, and has happened when the fault was seen; others last as long as that."""

    @classmethod
    def of(cls, marks: FaultMarks, word: str) -> Self:
        """The effect of a fault that went so."""
        return cls(marks.since_us, marks.seen_us if cls.at_once else marks.over_us, word)

    def overlaps(self, since_us: int, until_us: int) -> bool:
        """Whether it was there at any moment of that time."""
        return self.from_us <= until_us and since_us <= self.until_us


class OnNode(Effect, frozen=True):
    """An effect on one node; "" is any."""

    node: str

    @classmethod
    def of(cls, marks: FaultMarks, word: str) -> Self:
        """The same, on its victim."""
        return cls(marks.since_us, marks.over_us, word, marks.victim)


class MemoryGone(OnNode, frozen=True):
    """What the node held in its memory went, at some moment of that time."""

    back_us: int = FOREVER_US
    """When it was seen to be back, and had from its peers what they had, if it has any."""


class NodeEnds(OnNode, frozen=True):
    """The node's process ends: what it was told to suffer from is over."""


class Unreachable(OnNode, frozen=True):
    """Whoever belongs to that node may be answered by others."""


class RingTurns(Effect, frozen=True):
    """On a ring, anybody may be sent elsewhere, until it has turned back, if it does."""

    settled_us: int = FOREVER_US
    """When it surely had turned for good: who was at home after it was not moved by it."""


class AffinityLost(Effect, frozen=True):
    """Where there is an affinity, anybody may be sent anywhere."""


class AffinityForgotten(Effect, frozen=True):
    """What the balancer itself knew of who belongs where went, at some moment of that time."""

    at_once = True


class AffinityCookieEnds(Effect, frozen=True):
    """The browser forgets the balancer's cookie so long after it was set."""

    lifetime_us: int


class MemoryKeepsAtMost(OnNode, frozen=True):
    """Sessions beyond so many may go from that node's memory."""

    sessions: int


class SeveralMemories(Effect, frozen=True):
    """Each node has several memories, and any of them may answer."""


class CopyBehind(OnNode, frozen=True):
    """What other nodes wrote until `deaf_until_us`, that node has not heard of before the end of that time."""

    deaf_until_us: int


class StoreGone(Effect, frozen=True):
    """The store's content went, at some moment of that time."""

    at_once = True


class StoreRolledBack(Effect, frozen=True):
    """At some moment of that time the store became what its replica had: perhaps not what came in the last `lag_us`."""

    at_once = True
    lag_us: int = BEHIND_US


class ReplicaBehind(Effect, frozen=True):
    """What is written meanwhile does not reach the replica before the end."""


class StoreEvicts(Effect, frozen=True):
    """Anything in the store may be thrown out."""


class StoreRefusesWrites(Effect, frozen=True):
    """Writes are refused, and so are not acknowledged."""


class WritesHang(OnNode, frozen=True):
    """A write to the store may hang, and get through once it is freed."""

    freed_us: int

    @classmethod
    def of(cls, marks: FaultMarks, word: str) -> Self:
        """The same; of every node, if the victim is none."""
        return cls(marks.since_us, marks.over_us, word, marks.victim if marks.on_node else "", marks.freed_us)


class PagesKept(Effect, frozen=True):
    """A page that was made for one shopper may be given to another, with the cookies that came with it."""


class RepeatsRequests(OnNode, frozen=True):
    """The node does what it is asked and says that it failed: a balancer that retries has another one do it again."""


class NodeSigns(OnNode, frozen=True):
    """From then on, until its next change, the node signs with that key and accepts those."""

    key: Key
    accepts: tuple[Key, ...]


class KeyOfItsOwn(Effect, frozen=True):
    """Each process signs with a key of its own, that no other accepts."""


class NodeFormat(OnNode, frozen=True):
    """From then on, until its next change, the node writes sessions in that format and understands those."""

    writes: str
    """The field in which it keeps the user's name."""
    reads: tuple[str, ...]
    """Those in which it looks for it."""
    cart: str = ""
    """What it takes a cart for; "": what the first version does."""


class ClockOff(OnNode, frozen=True):
    """The node's clock is off by that much, as far as sessions read it: ahead if positive."""

    seconds: float
    surely_from_us: int
    surely_until_us: int


def node_down(marks: FaultMarks, word: str, *, for_good: bool = False) -> tuple[Effect, ...]:
    """A node's process ended, and was (unless it went for good) started again when it was healed."""
    began, ended = marks.since_us, marks.seen_us
    back = FOREVER_US if for_good else marks.over_us
    return (
        MemoryGone(began, ended, word, marks.victim, back),
        NodeEnds(began, ended, word, marks.victim),
        Unreachable(began, back, word, marks.victim),
        # A ring turns twice, away and back, and is settled only then; where the node stays away, it turns once.
        RingTurns(began, back, "moved_by_ring", ended if for_good else back),
    )
