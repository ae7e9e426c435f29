"""The list of sessions that were ended, and clocks that are off: by the microsecond."""

from __future__ import annotations

import msgspec
import pytest

from loadtests.faults.effects import (
    ClockOff,
    Effect,
    StoreEvicts,
    StoreGone,
    StoreRefusesWrites,
    StoreRolledBack,
    WritesHang,
)
from loadtests.model.history import Do, Exchange
from loadtests.session_model.circumstances import Circumstances, Factor, Harm
from loadtests.session_model.life import SessionLife
from loadtests.session_model.stores import RULES, Outlived
from tests.loadtests.session_model.accused import where
from tests.loadtests.stories import Story

LIST = where("token-denylist")
FAULT, OTHER = (Factor("fault", "clock-ahead", number) for number in (0, 1))
EVER = 10**9


def exchange(do: Do, node: str, sent_us: int, done_us: int) -> Exchange:
    return msgspec.structs.replace(Story().say(do, node=node).last, sent_us=sent_us, done_us=done_us)


def around(*effects: Effect) -> Circumstances:
    return Circumstances(LIST, tuple(zip((FAULT, OTHER), effects, strict=False)), {})


def clocks(n1: float, n2: float, *, certain: bool = True) -> Circumstances:
    """Both ahead by so many seconds; or perhaps ahead: nobody saw whether they were."""
    surely = (-EVER, EVER) if certain else (EVER, -EVER)
    return around(*(ClockOff(-5, EVER, "clock_ahead", node, by, *surely) for node, by in (("n1", n1), ("n2", n2))))


END = exchange("logout_everywhere", "n2", 5_000_000, 5_010_000)
ANSWER = exchange("me", "n1", 9_000_000, 9_010_000)


class TestTheListWasLost:
    @pytest.mark.parametrize(
        ("from_us", "until_us", "met"),
        [(0, 4_999_999, False), (0, 5_000_000, True), (9_010_000, EVER, True), (9_010_001, EVER, False)],
    )
    @pytest.mark.parametrize("kind", [StoreGone, StoreEvicts, StoreRolledBack])
    def test_between_the_end_and_the_answer(self, kind: type[Effect], from_us: int, until_us: int, met: bool) -> None:
        used = Outlived(None, END, ANSWER)
        found = RULES["denylist"].outlived(used, around(kind(from_us, until_us, "word")))
        assert found == ([Harm(FAULT, "denylist_lost", from_us, kind is StoreGone)] if met else [])


class TestAnswersAreRemembered:
    """The list is away for a while, and a node goes by its last answer for 5 s."""

    @pytest.mark.parametrize(
        "effect", [StoreGone(8_000_000, EVER, "away"), WritesHang(8_000_000, EVER, "away", "", EVER)]
    )
    @pytest.mark.parametrize(("after_us", "met"), [(4_999_999, True), (5_000_000, False)])
    def test_for_so_long_after_the_end(self, effect: Effect, after_us: int, met: bool) -> None:
        run = where("token-denylist", store_cache_s=5.0)
        used = Outlived(None, END, exchange("me", "n1", END.done_us + after_us, END.done_us + after_us + 1))
        found = RULES["denylist"].outlived(used, Circumstances(run, ((FAULT, effect),), {}))
        named = [harm for harm in found if harm.word == "answer_remembered"]
        assert named == ([Harm(FAULT, "answer_remembered", 8_000_000)] if met else [])

    def test_not_while_the_list_is_there(self) -> None:
        run = where("token-denylist", store_cache_s=5.0)
        early = StoreRefusesWrites(0, EVER, "full")
        assert not RULES["denylist"].outlived(Outlived(None, END, ANSWER), Circumstances(run, ((FAULT, early),), {}))


class TestEndedTooLate:
    """A logout everywhere at n2, whose clock is ahead of that of n1 by a second, and a login at n1 afterwards."""

    def life(self, sent_us: int, done_us: int) -> SessionLife:
        life = SessionLife(LIST)
        life.saw(exchange("login", "n1", 0, 10_000))
        life.saw(END)
        life.saw(exchange("login", "n1", sent_us, done_us))
        return life

    @pytest.mark.parametrize(
        ("certain", "sent_us", "done_us", "sure"),
        [
            (True, 5_900_000, 6_000_000, True), (True, 5_900_000, 6_000_001, False),
            (True, 6_010_000, 6_100_000, False), (True, 6_010_001, 6_100_000, None),
            (False, 3_900_000, 4_000_000, True), (False, 3_900_000, 4_000_001, False),
            (False, 7_010_000, 7_100_000, False), (False, 7_010_001, 7_100_000, None),
        ],
    )  # fmt: skip
    def test_by_both_clocks_the_login_came_before(
        self, certain: bool, sent_us: int, done_us: int, sure: bool | None
    ) -> None:
        at = clocks(1.0, 2.0, certain=certain)
        found = RULES["denylist"].harms(self.life(sent_us, done_us), ANSWER, at)
        named = [harm for harm in found if harm.word == "clock_ahead" and harm.at_us == -5]
        wanted = [] if sure is None else [Harm(each, "clock_ahead", -5, sure) for each in (OTHER, FAULT)]
        assert named[: len(wanted)] == wanted
        assert bool(named) is bool(wanted)

    def test_not_if_the_list_surely_lost_it_since(self) -> None:
        life = self.life(5_900_000, 6_000_000)
        for kind, harmed in ((StoreGone, False), (StoreEvicts, True)):
            lost = (Factor("fault", "store-kill", 2), kind(6_000_000, 7_000_000, "word"))
            at = msgspec.structs.replace(clocks(1.0, 2.0), effects=(*clocks(1.0, 2.0).effects, lost))
            assert bool(RULES["denylist"].harms(life, ANSWER, at)) is harmed

    def test_not_without_a_clock_that_is_off_nor_without_that_logout(self) -> None:
        assert RULES["denylist"].harms(self.life(5_900_000, 6_000_000), ANSWER, around()) == []
        life = SessionLife(LIST)
        life.saw(exchange("login", "n1", 8_000_000, 8_010_000))
        assert RULES["denylist"].harms(life, ANSWER, clocks(1.0, 1.0)) == []


class TestIssuedLater:
    """The login at n1, whose clock is ahead of that of n2 by a second, and then the logout everywhere at n2."""

    def found(self, sent_us: int, done_us: int, at: Circumstances, end: Exchange = END) -> list[Harm]:
        login = exchange("login", "n1", sent_us, done_us)
        return RULES["denylist"].outlived(Outlived(login, end, ANSWER), at)

    @pytest.mark.parametrize(
        ("certain", "sent_us", "done_us", "sure"),
        [
            (True, 4_010_001, 4_020_000, True), (True, 4_010_000, 4_020_000, False),
            (True, 3_990_000, 4_000_001, False), (True, 3_990_000, 4_000_000, None),
            (False, 6_010_001, 6_020_000, True), (False, 6_010_000, 6_020_000, False),
            (False, 2_990_000, 3_000_001, False), (False, 2_990_000, 3_000_000, None),
        ],
    )  # fmt: skip
    def test_by_both_clocks_it_came_after(self, certain: bool, sent_us: int, done_us: int, sure: bool | None) -> None:
        found = self.found(sent_us, done_us, clocks(2.0, 1.0, certain=certain))
        assert found == ([] if sure is None else [Harm(each, "clock_ahead", -5, sure) for each in (FAULT, OTHER)])

    def test_one_clock_that_is_off_suffices(self) -> None:
        for effect in clocks(1.0, -1.0).effects:
            at = Circumstances(LIST, (effect,), {})
            assert [harm.factor for harm in self.found(4_500_000, 4_510_000, at)] == [effect[0]]
        assert self.found(4_500_000, 4_510_000, around()) == []

    def test_a_logout_of_one_device_ends_it_by_itself(self) -> None:
        logout = msgspec.structs.replace(END, do="logout")
        assert self.found(4_500_000, 4_510_000, clocks(2.0, 1.0), logout) == []
        assert RULES["denylist"].outlived(Outlived(None, END, ANSWER), clocks(2.0, 1.0)) == []
