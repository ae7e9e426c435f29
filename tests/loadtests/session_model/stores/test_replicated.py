"""A session of which every node has a copy: each effect is accused, its near miss is not."""

from __future__ import annotations

import msgspec
import pytest

from loadtests.faults.effects import FOREVER_US, CopyBehind, Effect, MemoryGone, NodeEnds
from loadtests.model.fault_timeline import FaultTimeline
from loadtests.model.history import Exchange
from loadtests.session_model.circumstances import Circumstances, Factor, Harm, setting
from loadtests.session_model.life import SessionLife
from loadtests.session_model.stores import RULES, Outlived
from loadtests.session_model.stores.replicated import behind, copies_lost
from loadtests.session_model.timeline import RunTimeline
from tests.loadtests.session_model.accused import SHORT, cause, faults, out, strike, where
from tests.loadtests.stories import Story

ALL = "replicated-memory"
THREE = (strike("kill", "n1", at=3), strike("kill", "n2", at=3.5), strike("kill", "n3", at=4, heal=5))
IN_TURN = tuple(strike("kill", node, at=at, heal=at + 0.5) for node, at in (("n1", 2), ("n2", 3), ("n3", 4)))

SEEN_LATE = msgspec.structs.replace(strike("kill", "n2", at=3.2), observed_us=5_000_000)

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
    "the last one seen to be gone long after it was struck, and known there in between": (
        out(login=4, known=[(4.5, "n2")]), where(ALL, *THREE[::2], SEEN_LATE), "copies_lost",
    ),
    "the same, and one still had it": (
        out(login=4, known=[(4.5, "n2")]), where(ALL, THREE[0], SEEN_LATE), "unexplained",
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


def at(node: str, sent_us: int, *, stranger: bool = False) -> Exchange:
    """Answered ten milliseconds later."""
    told = Story().stranger(node=node) if stranger else Story().me({}, node=node)
    return msgspec.structs.replace(told.last, sent_us=sent_us, done_us=sent_us + 10_000)


OPENED, KNOWN, ANSWER = at("n1", 100_000), at("n1", 1_000_000), at("n3", 5_000_000, stranger=True)


def fault(number: int) -> Factor:
    return Factor("fault", "kill", number)


def around(*effects: Effect) -> Circumstances:
    return Circumstances(where(ALL), tuple((fault(number), effect) for number, effect in enumerate(effects)), {})


def gone(node: str, from_us: int, until_us: int | None = None, back_us: int = FOREVER_US) -> MemoryGone:
    return MemoryGone(from_us, from_us if until_us is None else until_us, "node_killed", node, back_us)


def lost(*effects: Effect) -> list[tuple[int, int, bool]]:
    """Which copies went: the fault, when, and whether that is sure."""
    harms = copies_lost(OPENED, KNOWN, ANSWER, around(*effects))
    assert all(harm.word == "copies_lost" for harm in harms)
    return [(harm.factor.fault or 0, harm.at_us, harm.sure) for harm in harms]


LAST = (gone("n2", 3_000_000), gone("n3", 4_000_000))
ALL_THREE = [(0, 2_000_000, True), (1, 3_000_000, True), (2, 4_000_000, True)]


class TestCopies:
    def test_all_that_took_one_until_nobody_had(self) -> None:
        assert lost(gone("n1", 2_000_000), *LAST) == ALL_THREE
        assert lost(*reversed(LAST), gone("n1", 2_000_000)) == [(2, 2_000_000, True), (1, 3_000_000, True),
                                                               (0, 4_000_000, True)]  # fmt: skip
        assert lost(*LAST) == []
        assert lost(gone("n9", 2_000_000), *LAST) == [], "no node of this cluster"

    @pytest.mark.parametrize(
        ("back_us", "saved"),
        [(2_500_000, True), (3_999_999, True), (4_000_000, False), (6_000_000, False)],
    )
    def test_whoever_was_back_before_the_last_one_went_has_it(self, back_us: int, saved: bool) -> None:
        assert lost(gone("n1", 2_000_000, back_us=back_us), *LAST) == ([] if saved else ALL_THREE)

    @pytest.mark.parametrize(("back_us", "counts"), [(109_999, False), (110_000, True)])
    def test_whoever_was_back_before_it_was_opened_has_one(self, back_us: int, counts: bool) -> None:
        before = gone("n1", 0, back_us=back_us)
        found = lost(gone("n1", 2_000_000), *LAST, before)
        assert found == ([(3, 110_000, True), *ALL_THREE] if counts else ALL_THREE)

    @pytest.mark.parametrize(
        ("from_us", "until_us", "sure"),
        [
            (4_000_000, 5_000_000, True), (4_000_000, 5_000_001, False), (5_010_000, 5_020_000, False),
            (5_010_001, 5_020_000, None),
        ],
    )  # fmt: skip
    def test_it_is_sure_if_the_last_one_surely_went_before_the_answer(
        self, from_us: int, until_us: int, sure: bool | None
    ) -> None:
        found = lost(gone("n1", 2_000_000), gone("n2", 3_000_000), gone("n3", from_us, until_us))
        times = (2_000_000, 3_000_000, from_us)
        assert found == ([] if sure is None else [(number, at_us, sure) for number, at_us in enumerate(times)])

    @pytest.mark.parametrize(
        ("node", "until_us", "went_us"),
        [("n1", 999_999, 500_000), ("n1", 1_000_000, 1_010_000), ("n2", 1_000_000, 500_000)],
    )
    def test_a_node_that_knew_it_before_it_was_seen_to_be_gone_had_it_still(
        self, node: str, until_us: int, went_us: int
    ) -> None:
        others = [gone(other, 3_000_000) for other in ("n1", "n2", "n3") if other != node]
        assert lost(gone(node, 500_000, until_us), *others)[0] == (0, went_us, True)

    @pytest.mark.parametrize(("at_us", "known_since"), [(999_999, True), (1_000_000, False)])
    def test_somebody_had_one_if_it_was_known_afterwards(self, at_us: int, known_since: bool) -> None:
        three = gone("n1", 200_000), gone("n2", 300_000), gone("n3", at_us)
        wanted = [(0, 200_000, True), (1, 300_000, True), (2, at_us, True)]
        assert lost(*three) == ([] if known_since else wanted)
        again = lost(*three, gone("n1", 2_000_000))
        assert again == ([*wanted, (3, 2_000_000, True)] if known_since else wanted)

    @pytest.mark.parametrize(
        ("from_us", "deaf_until_us", "deaf"),
        [(100_000, 9_000_000, True), (100_001, 9_000_000, False), (0, 99_999, False), (0, 4_000_000, True),
         (0, 3_999_999, False)],
    )  # fmt: skip
    def test_whoever_was_deaf_then_has_none_before_it_hears(self, from_us: int, deaf_until_us: int, deaf: bool) -> None:
        copy = CopyBehind(from_us, deaf_until_us, "node_frozen", "n1", deaf_until_us)
        assert lost(copy, *LAST) == ([(0, 110_000, True), *ALL_THREE[1:]] if deaf else [])

    @pytest.mark.parametrize(
        ("from_us", "until_us", "ended"),
        [(0, 2_000_000, True), (0, 2_000_001, False), (50_000, 1_000_000, True), (-1, 1_000_000, False)],
    )
    def test_or_never_if_its_process_ends_meanwhile(self, from_us: int, until_us: int, ended: bool) -> None:
        copy = CopyBehind(0, 2_000_000, "node_frozen", "n1", 2_000_000)
        end = NodeEnds(from_us, until_us, "node_killed", "n1")
        assert lost(copy, *LAST, end) == ([(0, 110_000, True), *ALL_THREE[1:]] if ended else [])


class TestBehind:
    @pytest.mark.parametrize(
        ("from_us", "deaf_until_us", "until_us", "late"),
        [
            (100_000, 200_000, 9_000_000, True), (100_001, 200_000, 9_000_000, False), (0, 100_000, 9_000_000, True),
            (0, 99_999, 9_000_000, False), (0, 200_000, 5_000_000, True), (0, 200_000, 4_999_999, False),
        ],
    )  # fmt: skip
    def test_what_was_written_while_it_was_deaf(
        self, from_us: int, deaf_until_us: int, until_us: int, late: bool
    ) -> None:
        copy = CopyBehind(from_us, until_us, "node_frozen", "n3", deaf_until_us)
        harms = [Harm(fault(0), "node_frozen", from_us)] if late else []
        assert behind(OPENED, ANSWER, around(copy)) == harms
        assert behind(OPENED, ANSWER, around(msgspec.structs.replace(copy, node="n2"))) == []

    @pytest.mark.parametrize(("until_us", "late"), [(5_000_000, False), (5_000_001, True)])
    def test_a_process_that_began_anew_has_caught_up(self, until_us: int, late: bool) -> None:
        copy, end = CopyBehind(0, 9_000_000, "node_frozen", "n3", 9_000_000), NodeEnds(0, until_us, "", "n3")
        assert bool(behind(OPENED, ANSWER, around(copy, end))) is late


def test_a_cart_that_was_written_elsewhere_may_be_an_older_one() -> None:
    rules, life = RULES["replicated"], SessionLife(where(ALL))
    other = setting("other_node", sure=False)
    assert rules.cart_harms(OPENED, ANSWER, life, around()) == [other]
    assert rules.cart_harms(OPENED, at("n1", 5_000_000), life, around()) == []
    assert rules.cart_harms(OPENED, at("", 5_000_000), life, around()) == []
    assert rules.cart_harms(OPENED, ANSWER, life, around().but_for(frozenset({other.factor}))) == []
    assert rules.harms(life, ANSWER, around()) == [], "it was never opened"
    deaf = around(CopyBehind(0, 9_000_000, "node_frozen", "n3", 200_000))
    late = Harm(fault(0), "node_frozen", 0)
    assert rules.cart_harms(OPENED, ANSWER, life, deaf) == [late, other]
    assert rules.outlived(Outlived(None, OPENED, ANSWER), deaf) == [late._replace(sure=False), other]
    life.saw(msgspec.structs.replace(OPENED, do="login"))
    assert rules.harms(life, ANSWER, deaf) == [late, other]
    nobody = at("", 5_000_000, stranger=True)
    assert rules.harms(life, nobody, around()) == []
    assert rules.outlived(Outlived(None, OPENED, nobody), around()) == []
