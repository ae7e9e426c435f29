"""A session of which every node has a copy: each effect is accused, its near miss is not."""

from __future__ import annotations

import msgspec
import pytest

from loadtests.model.fault_timeline import FaultTimeline
from loadtests.model.history import Exchange
from loadtests.session_model.timeline import RunTimeline
from tests.loadtests.session_model.accused import SHORT, cause, faults, out, strike, where
from tests.loadtests.stories import Story

ALL = "replicated-memory"
THREE = (strike("kill", "n1", at=3), strike("kill", "n2", at=3.5), strike("kill", "n3", at=4, heal=5))
IN_TURN = tuple(strike("kill", node, at=at, heal=at + 0.5) for node, at in (("n1", 2), ("n2", 3), ("n3", 4)))

CASES: dict[str, tuple[list[Exchange], RunTimeline, str]] = {
    "no fault, the same node": (out(), where(ALL), "unexplained"),
    "a copy that is behind": (out(now="n1"), where(ALL), "other_node"),
    "one killed": (out(), where(ALL, strike("kill", heal=5.5)), "unexplained"),
    "all gone at once": (out(now="n3"), where(ALL, *THREE), "copies_lost"),
    "the last one gone at the moment of the answer": (
        out(now="n3"), where(ALL, *THREE[:2], strike("kill", "n3", at=6.01)), "copies_lost+other_node",
    ),
    "the last one gone after it": (
        out(now="n3"), where(ALL, *THREE[:2], strike("kill", "n3", at=6.010_001)), "other_node",
    ),
    "one after the other, each back in between": (out(now="n3"), where(ALL, *IN_TURN), "other_node"),
    "all but one": (out(now="n3"), where(ALL, *THREE[:2]), "other_node"),
    "frozen while it was opened": (
        out("n1", "n2", at=4, login=2), where(ALL, strike("freeze", at=1, heal=3.5)), "node_frozen",
    ),
    "frozen, and caught up": (
        out("n1", "n2", at=9, login=2), where(ALL, strike("freeze", at=1, heal=3.5)), "other_node",
    ),
    "frozen after it was opened": (
        out("n1", "n2", at=4, login=0), where(ALL, strike("freeze", at=1, heal=3.5)), "other_node",
    ),
    "capped where it was asked": (out(), where(ALL, strike("memory-cap")), "memory_cap"),
    "capped elsewhere": (out(), where(ALL, strike("memory-cap", "n1")), "unexplained"),
    "expired": (out(), where(ALL, limits=SHORT), "expired"),
    "expired, answered by another": (out(now="n1"), where(ALL, limits=SHORT), "expired"),
    "written ahead, and read there": (
        out(at=2), where(ALL, strike("clock-ahead", at=-1), limits=SHORT), "unexplained",
    ),
    "read ahead": (out("n1", "n2", at=2), where(ALL, strike("clock-ahead", at=1), limits=SHORT), "clock_ahead"),
    "read ahead, elsewhere": (
        out("n1", "n1", at=2), where(ALL, strike("clock-ahead", at=1), limits=SHORT), "unexplained",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", list(CASES))
def test_why_it_was_lost(name: str) -> None:
    records, at, named = CASES[name]
    assert cause(records, at) == named


DEAF = strike("freeze", at=1, heal=4.9)


@pytest.mark.parametrize(
    ("node", "struck", "named"),
    [
        ("n1", (), "unexplained"),
        ("n2", (), "other_node"),
        ("n2", (DEAF,), "node_frozen+other_node"),
        ("n1", (DEAF,), "unexplained"),
        ("n2", (strike("freeze", at=1, heal=3.9),), "other_node"),
        ("n2", (strike("freeze", at=2.1, heal=4.9),), "other_node"),
    ],
)
def test_why_it_outlived_its_end(node: str, struck: tuple[FaultTimeline, ...], named: str) -> None:
    """The logout went to n1, at 2 s; at 5 s somebody with a copy of the cookies asks."""
    told = Story().login("n1").at(2).logout().at(5).probe("stolen", node=node).exchanges
    assert cause(told, where(ALL, *struck)) == named
    (login, end, used) = told
    beside = [login, msgspec.structs.replace(end, overlapped=True), used]
    assert "written_back" in cause(beside, where(ALL, *struck))


def test_each_kill_without_which_somebody_had_a_copy_is_named() -> None:
    assert faults(out(now="n3"), where(ALL, *THREE)) == {0, 1, 2}
