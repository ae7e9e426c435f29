"""Two things that end sessions, on every store where they can meet: is the cause that is named the true one?

The truth comes from a world that was played (`truth/`), and again without each set of what was in it. Exactness is
demanded of every pair whose two things both show in the history. Where one of them does not (a cap, several processes,
a full store and a promotion too early throw out whom nobody sees), it is demanded that what is named is no more than
the truth, or, where nothing sure explains the loss, no less. The same of a ring that turned while something else kept
the shopper from their node: which ring it would have been, nobody knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import pytest

from compose.architectures import ARCHITECTURES
from loadtests.faults import FAULTS
from tests.loadtests.session_model.asked_about import ClockBehind, asked, fault, named
from tests.loadtests.session_model.truth.causes import Case
from tests.loadtests.session_model.truth.happenings import NEVER, Fault, Setup, Step, at


@dataclass(frozen=True)
class Thing:
    """By itself it ends the session of a shopper who logged in at 6.0 s, before they ask who they are at 9.1 s."""

    name: str
    word: str = ""
    """The cause's; "" of a thing that changes nothing there, and so is never named."""
    faults: tuple[Fault, ...] = ()
    lifetime: int = NEVER
    may: bool = False
    """Nobody sees whether it happened to this session."""
    moves: str = ""
    """How it keeps the shopper from their node: "surely", or by a "ring"."""
    to: str = ""
    """Who answers the question, where that decides."""
    retries: bool = False
    held: bool = False
    crowd: str = ""
    lag: int = 0
    steps: tuple[Step, ...] = ()
    known: bool = True
    """It is known at 6.5 s."""


EXPIRY = Thing("expiry", "expired", lifetime=at(2))
FORGOT = (Step(at(8.6), "forget_node"),)


def in_memory(home: str) -> tuple[Thing, ...]:
    return (
        EXPIRY,
        Thing("kill", "node_killed", (fault("kill", home, 7, 7.5),)),
        *(
            Thing(kind, "node_stopped", (fault(kind, home, 7, 7.5),))
            for kind in ("stop", "restart", "deploy", "key-swap")
        ),
        Thing("clock ahead", "clock_ahead", (fault("clock-ahead", home, 7),), at(5)),
        Thing("clock behind", "clock_behind", (fault("clock-behind", home, 5, 7),), at(5)),
        Thing("cap", "memory_cap", (fault("memory-cap", home, 7),), may=True, crowd=home),
        Thing("workers", "worker", (fault("workers", "cluster", -1),), may=True),
        Thing("slow", faults=(fault("slow", home, 7, 9.5),)),
    )


def moved(home: str, other: str) -> tuple[Thing, ...]:
    lost = fault("no-affinity", "cluster", 8.5, 9.5)
    return (
        Thing("freeze", "node_frozen", (fault("freeze", home, 8.2, 9.5),), moves="surely"),
        Thing("no affinity", "affinity_lost", (lost,), moves="surely", to=other),
    )


def by_ring(name: str, *faults: Fault) -> Thing:
    return Thing(name, "moved_by_ring", faults, moves="ring")


TOKEN = (
    EXPIRY,
    Thing("reader's key swapped", "key_changed", (fault("key-swap", "n2", 7, 7.5),), to="n2"),
    Thing("signer's key changed", "key_changed", (fault("key-one-phase", "n1", 4, 4.5),), to="n2"),
    Thing("signed ahead", "clock_ahead", (fault("clock-ahead", "n1", 5, 7),), to="n2"),
    Thing("read ahead", "clock_ahead", (fault("clock-ahead", "n2", 8),), at(5), to="n2"),
    Thing("signed behind", "clock_behind", (fault("clock-behind", "n1", 5, 7),), at(5), to="n2"),
    Thing("read behind", "clock_behind", (fault("clock-behind", "n2", 8),), to="n2"),
    Thing("key announced", faults=(fault("key-announce", "n3", 7, 7.5),)),
    Thing("another node killed", faults=(fault("kill", "n3", 7, 7.5),)),
)
STORE = (
    EXPIRY,
    Thing("store killed", "store_lost", (fault("store-kill", "store", 7, 7.3),)),
    Thing("store full", "store_evicted", (fault("store-full", "store", 8.6, 9.5),), may=True),
    Thing("node killed", faults=(fault("kill", "n3", 7, 7.5),)),
    Thing("clock ahead", faults=(fault("clock-ahead", "n1", 5),), lifetime=at(5)),
    Thing("store frozen", faults=(fault("store-freeze", "store", 7, 7.5),)),
)
CUT, PROMOTED = fault("replica-cut", "replica", 5.5), fault("promoted", "store", 8, 8.4)
ENDED_EVERYWHERE = (Step(at(5), "login", "n3"), Step(at(5.3), "logout_everywhere", "n3"))
THINGS: dict[str, tuple[Thing, ...]] = {
    "sticky-memory": (
        *in_memory("n1"),
        *moved("n1", "n2"),
        Thing("sick", "retried_elsewhere", (fault("sick", "n1", 8.5, 9.5),), moves="surely", retries=True),
        Thing("forgotten", "affinity_lost", moves="surely", to="n2", steps=FORGOT),
        Thing("held for dead", "held_for_dead", moves="unseen", held=True),
        Thing("another killed", faults=(fault("kill", "n3", 8.4, 9.5),)),
        Thing("drained", faults=(fault("drain", "n1", 7, 9.5),)),
    ),
    "sticky-hash": (
        *in_memory("n2"),
        *moved("n2", "n3"),
        by_ring("another killed", fault("kill", "n3", 8.4, 9.5)),
        by_ring("another drained", fault("drain", "n3", 8.4, 9.5)),
        by_ring("grown", fault("scale-out", "cluster", 7)),
    ),
    "roundrobin-memory": (*in_memory("n1"), Thing("in turn", "other_node", to="n2")),
    "replicated-memory": (
        EXPIRY,
        Thing("all killed", "copies_lost", tuple(fault("kill", f"n{n}", 7 + n / 10, 7.6) for n in (1, 2, 3))),
        Thing("behind", "node_frozen", (fault("freeze", "n2", 5.5, 8.4),), to="n2", steps=FORGOT),
        Thing("clock ahead", "clock_ahead", (fault("clock-ahead", "n1", 8),), at(5)),
        Thing("clock behind", "clock_behind", (fault("clock-behind", "n1", 5, 6.9),), at(5)),
        Thing("cap", "memory_cap", (fault("memory-cap", "n1", 8),), may=True, crowd="n1"),
        Thing("workers", "worker", (fault("workers", "cluster", -1),), may=True),
        Thing("one killed", faults=(fault("kill", "n3", 8.2, 8.5),)),
    ),
    "signed-token": TOKEN,
    "token-denylist": (
        *TOKEN,
        Thing("ended too late", "clock_ahead", (fault("clock-ahead", "n3", 4, 5.6),), to="n2",
              steps=ENDED_EVERYWHERE, known=False),
        Thing("store killed", faults=(fault("store-kill", "store", 5.6, 5.8),)),
    ),
    "redis": STORE,
    "redis-replica": (
        *STORE,
        Thing("cut and promoted", "not_replicated", (CUT, PROMOTED)),
        Thing("promoted too early", "not_replicated", (fault("promoted", "store", 6.8, 7.3),), may=True, lag=at(1)),
    ),
}  # fmt: skip
UNSEEN = "the history does not tell whether the balancer was mistaken as well"
CURED = "the one undoes the other, and nothing is lost"
CANNOT_MEET = {
    ("freeze", "held for dead"): UNSEEN,
    ("no affinity", "held for dead"): UNSEEN,
    ("sick", "held for dead"): UNSEEN,
    ("forgotten", "held for dead"): UNSEEN,
    ("another killed", "grown"): CURED,
    ("another drained", "grown"): CURED,
    ("reader's key swapped", "signer's key changed"): CURED,
    ("signed ahead", "read ahead"): CURED,
    ("signed ahead", "signed behind"): CURED,
    ("read ahead", "read behind"): CURED,
    ("signed behind", "read behind"): CURED,
    ("signed ahead", "ended too late"): CURED,
    ("ended too late", "store killed"): CURED,
    ("cut and promoted", "promoted too early"): "a store is promoted once",
}
PAIRS = [
    (architecture, one, other)
    for architecture, things in THINGS.items()
    for one, other in combinations(things, 2)
    if (one.word or other.word) and (one.name, other.name) not in CANNOT_MEET
]


def mixed(architecture: str, *things: Thing) -> Case:
    """A world with all of them in it."""
    about = ARCHITECTURES[architecture]
    to = next((each.to for each in things if each.to), "n1")
    steps = {Step(at(6), "login"), Step(at(9.1), "me", to), *(step for each in things for step in each.steps)}
    steps |= {Step(at(6.5), "me")} if all(each.known for each in things) else set()
    setup = Setup(
        about.store, about.affinity,
        lifetime=min(at(3600), *(each.lifetime for each in things)),
        retries=any(each.retries for each in things),
        lag=max(each.lag for each in things),
        held=(("n1", at(8.5), at(9.5)),) if any(each.held for each in things) else (),
        crowd=tuple((each.crowd, at(6.8), 12) for each in things if each.crowd),
    )  # fmt: skip
    faults = tuple(fault for each in things for fault in each.faults)
    return Case(architecture, setup, faults, tuple(sorted(steps, key=lambda step: step.at)))


@pytest.fixture(autouse=True)
def clocks_of_either_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FAULTS, "clock-behind", ClockBehind())


@pytest.mark.parametrize(
    ("architecture", "one", "other"), PAIRS, ids=[f"{where}: {one.name}, {other.name}" for where, one, other in PAIRS]
)
def test_a_pair(architecture: str, one: Thing, other: Thing) -> None:
    case = mixed(architecture, one, other)
    (answer,) = case.lost()
    (loss,) = asked(case)[0].losses
    true, found = case.cause(answer), named(loss)
    assert answer.number == len(case.steps) - 1, "each of the two by itself, or both, end it before the last question"
    rings = {one.moves, other.moves} == {"surely", "ring"}
    if not rings and not ((one.may or other.may) and one.word and other.word):
        assert found == true
        assert {because.word for because in loss.because} == words_of_members(true, case, one, other)
    else:
        assert found
        assert all(any(some <= each for each in true) for some in found), "named, and not needed"


def words_of_members(true: frozenset[frozenset[int | str]], case: Case, *things: Thing) -> set[str]:
    """The causes' words of what is in these sets."""
    words: dict[int | str, str] = {"expired": "expired", "affinity_lost": "affinity_lost", "other_node": "other_node"}
    words |= {"held_for_dead": "held_for_dead"}
    words |= dict(enumerate(each.word for each in things for _ in each.faults))
    return {words[member] for members in true for member in members}
