"""A session in a store that all share: each effect is accused, its near miss is not."""

from __future__ import annotations

import msgspec
import pytest

from loadtests.faults.effects import Effect, ReplicaBehind, StoreEvicts, StoreGone, StoreRolledBack, WritesHang
from loadtests.model.history import Exchange
from loadtests.session_model.circumstances import TIME, Circumstances, Factor, Harm
from loadtests.session_model.life import SessionLife
from loadtests.session_model.stores import RULES
from loadtests.session_model.stores.redis import came_late, lost, renewal_lost, rolled_back
from loadtests.session_model.timeline import RunTimeline
from tests.loadtests.session_model.accused import SHORT, cause, faults, only, out, strike, where
from tests.loadtests.session_model.stores.test_token import used_after
from tests.loadtests.stories import Story

STORE = "redis"
PAIR = "redis-replica"
LRU = {"store_eviction": "allkeys-lru"}

CASES: dict[str, tuple[list[Exchange], RunTimeline, str]] = {
    "no fault": (out(), where(STORE), "unexplained"),
    "written to a demoted primary": (
        out(login=5.5, known=[(5.6, "n2")]), where("redis-replica", strike("demoted-primary", "store", heal=5.9)),
        "demoted_primary",
    ),
    "written before it was demoted": (
        out(known=[(4, "n2")]), where("redis-replica", strike("demoted-primary", "store", heal=5.9)), "unexplained",
    ),
    "killed": (out(), where(STORE, strike("store-kill", "store", heal=5.5)), "store_lost"),
    "killed, with a file": (
        out(), where(STORE, strike("store-kill", "store", heal=5.5), store_append_only=True), "unexplained",
    ),
    "killed, with a file, and expired": (
        out(), where(STORE, strike("store-kill", "store", heal=5.5), limits=SHORT, store_append_only=True), "expired",
    ),
    "killed and expired: both were needed": (
        out(), where(STORE, strike("store-kill", "store", heal=5.5), limits=SHORT), "expired+store_lost",
    ),
    "killed after the answer": (out(), where(STORE, strike("store-kill", "store", at=7)), "unexplained"),
    "killed before the login": (out(login=5), where(STORE, strike("store-kill", "store", at=3, heal=4)), "unexplained"),
    "known since": (
        out(known=[(5.5, "n1")]), where(STORE, strike("store-kill", "store", at=4, heal=5)), "unexplained",
    ),
    "frozen": (out(), where(STORE, strike("store-freeze", "store")), "unexplained"),
    "full and evicting": (out(), where(STORE, strike("store-full", "store"), **LRU), "store_evicted"),
    "full and refusing": (out(), where(STORE, strike("store-full", "store")), "unexplained"),
    "evicting after the answer": (out(), where(STORE, strike("store-full", "store", at=7), **LRU), "unexplained"),
    "evicting, and killed: the kill suffices": (
        out(), where(STORE, strike("store-full", "store", at=1), strike("store-kill", "store", heal=5.5), **LRU),
        "store_lost",
    ),
    "evicting, and expired: time suffices": (
        out(), where(STORE, strike("store-full", "store", at=1), limits=SHORT, **LRU), "expired",
    ),
    "promoted just after the login": (
        out(login=4.5, at=8), where(PAIR, strike("promoted", "store", heal=7)), "not_replicated",
    ),
    "promoted long after the login": (out(at=8), where(PAIR, strike("promoted", "store", heal=7)), "unexplained"),
    "promoted, and expired": (out(at=8), where(PAIR, strike("promoted", "store", heal=7), limits=SHORT), "expired"),
    "cut off, and promoted": (
        out(login=2, at=8),
        where(PAIR, strike("replica-cut", "replica", at=1), strike("promoted", "store", heal=7)), "not_replicated",
    ),
    "cut off after the login": (
        out(login=0, at=8),
        where(PAIR, strike("replica-cut", "replica", at=1), strike("promoted", "store", heal=7)), "unexplained",
    ),
    "cut off, and joined again": (
        out(login=2, at=8),
        where(PAIR, strike("replica-cut", "replica", at=1, heal=3), strike("promoted", "store", heal=7)), "unexplained",
    ),
    "cut off, and not promoted": (
        out(login=2, at=8), where(PAIR, strike("replica-cut", "replica", at=1)), "unexplained",
    ),
    "promoted, and the replica had not heard that it was refreshed": (
        out(known=[(2, "n1"), (4.5, "n1")]),
        where(PAIR, strike("promoted", "store", heal=5.5), limits=SHORT, session_refresh_each_request=True),
        "not_replicated",
    ),
    "promoted, long after it was refreshed": (
        out(at=5.9, known=[(2, "n1"), (3.8, "n1")]),
        where(PAIR, strike("promoted", "store", heal=5.5), limits=SHORT, session_refresh_each_request=True),
        "unexplained",
    ),
    "nodes' clocks play no part": (out(at=2), where(STORE, strike("clock-ahead", at=1), limits=SHORT), "unexplained"),
    "nor do their memories": (out(), where(STORE, strike("kill", heal=5.5)), "unexplained"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(CASES))
def test_why_it_was_lost(name: str) -> None:
    records, at, named = CASES[name]
    assert cause(records, at) == named


def test_what_needed_two_faults_names_both_as_alternatives() -> None:
    records, at, _ = CASES["cut off, and promoted"]
    assert faults(records, at) == {0, 1}
    loss = only(records, at)
    assert [because.alternative for because in loss.because] == [0, 1]
    assert " or without " in loss.counterfactual


def test_a_store_that_became_an_older_one_has_an_ended_session_again() -> None:
    cut = (strike("replica-cut", "replica", at=1), strike("promoted", "store", at=3, heal=4))
    assert cause(used_after(), where(PAIR, *cut)) == "not_replicated"
    assert cause(used_after(), where(PAIR, strike("promoted", "store", at=4, heal=5))) == "unexplained"


def test_a_request_under_way_may_write_an_ended_session_again() -> None:
    told = Story().login().say("logout", took_ms=50)
    ended = msgspec.structs.replace(told.exchanges[-1], overlapped=True)
    records = [told.exchanges[0], ended, *told.at(5).probe("stolen").exchanges[2:]]
    assert cause(records, where(STORE)) == "written_back"


GONE = Factor("fault", "store-kill", 0)
CUTTER = Factor("fault", "replica-cut", 1)


def around(*effects: Effect, at: RunTimeline | None = None) -> Circumstances:
    """These effects, the first two of two faults."""
    return Circumstances(at or where(PAIR), tuple(zip((GONE, CUTTER), effects, strict=False)), {})


def exchange(sent_us: int, done_us: int) -> Exchange:
    return msgspec.structs.replace(Story().me({}).last, sent_us=sent_us, done_us=done_us)


WRITTEN, KNOWN, ANSWER = exchange(0, 1_000), exchange(5_000, 6_000), exchange(9_000, 9_500)


class TestByTheMicrosecond:
    @pytest.mark.parametrize(
        ("from_us", "until_us", "sure"),
        [
            (4_000, 4_999, None), (4_000, 5_000, True), (1_000, 9_000, True), (999, 9_000, False),
            (1_000, 9_001, False), (9_500, 9_600, False), (9_501, 9_600, None),
        ],
    )  # fmt: skip
    def test_it_lost_what_was_written_before_and_not_seen_since(
        self, from_us: int, until_us: int, sure: bool | None
    ) -> None:
        found = lost(WRITTEN, KNOWN, ANSWER, around(StoreGone(from_us, until_us, "store_lost")))
        assert found == ([] if sure is None else [Harm(GONE, "store_lost", from_us, sure)])

    @pytest.mark.parametrize(
        ("since_us", "until_us", "may"),
        [(0, 4_999, False), (0, 5_000, True), (9_500, 9_999, True), (9_501, 9_999, False)],
    )
    def test_it_may_have_thrown_it_out_since_it_was_known(self, since_us: int, until_us: int, may: bool) -> None:
        found = lost(WRITTEN, KNOWN, ANSWER, around(StoreEvicts(since_us, until_us, "store_evicted")))
        assert found == ([Harm(GONE, "store_evicted", since_us, sure=False)] if may else [])

    @pytest.mark.parametrize(
        ("from_us", "until_us", "lag_us", "may"),
        [
            (4_000, 4_999, 9_000, False), (4_000, 5_000, 9_000, True), (9_500, 9_999, 9_000, True),
            (9_501, 9_999, 9_000, False), (7_000, 7_100, 6_000, True), (7_000, 7_100, 5_999, False),
        ],
    )  # fmt: skip
    def test_a_replica_may_lack_the_last_of_it(self, from_us: int, until_us: int, lag_us: int, may: bool) -> None:
        back = StoreRolledBack(from_us, until_us, "not_replicated", lag_us)
        found = rolled_back(WRITTEN, KNOWN, ANSWER, around(back))
        assert found == ([Harm(GONE, "not_replicated", from_us, sure=False)] if may else [])

    @pytest.mark.parametrize(
        ("from_us", "until_us", "both"),
        [(0, 9_000, True), (1, 9_000, False), (0, 7_000, True), (0, 6_999, False)],
    )
    def test_one_that_was_cut_off_when_it_was_written_and_until_then_surely_lacks_it(
        self, from_us: int, until_us: int, both: bool
    ) -> None:
        at = around(
            StoreRolledBack(7_000, 7_100, "not_replicated", 0), ReplicaBehind(from_us, until_us, "not_replicated")
        )
        harms = [Harm(GONE, "not_replicated", 7_000), Harm(CUTTER, "not_replicated", from_us)]
        assert rolled_back(WRITTEN, KNOWN, ANSWER, at) == (harms if both else [])

    @pytest.mark.parametrize(("done_us", "may"), [(2_999_999, False), (3_000_000, True)])
    def test_what_a_replica_has_may_be_over_a_lifetime_after_the_login(self, done_us: int, may: bool) -> None:
        at = where(PAIR, limits=SHORT, session_refresh_each_request=True)
        life = SessionLife(at)
        for known in (WRITTEN, exchange(2_000_000, 2_001_000)):
            life.saw(known)
        promoted = around(StoreRolledBack(2_100_000, 2_200_000, "not_replicated"), at=at)
        answer = exchange(2_900_000, done_us)
        found = renewal_lost(life, answer, promoted)
        assert found == ([Harm(GONE, "not_replicated", 2_100_000, sure=False)] if may else [])
        assert renewal_lost(life, answer, promoted.but_for(frozenset({TIME}))) == []

    @pytest.mark.parametrize(
        ("from_us", "freed_us", "may"),
        [
            (3_000, 8_000, True), (4_000, 8_000, True), (4_001, 8_000, False), (3_000, 5_000, True),
            (3_000, 4_999, False), (3_000, 9_500, True), (3_000, 9_501, False), (3_000, 3_400, False),
        ],
    )  # fmt: skip
    def test_what_had_hung_got_through_between_the_last_cart_and_this_one(
        self, from_us: int, freed_us: int, may: bool
    ) -> None:
        life = SessionLife(where(PAIR))
        life.hung = exchange(3_500, 4_000)
        hangs = around(WritesHang(from_us, 20_000, "delayed_write", "", freed_us))
        harms = [Harm(GONE, "delayed_write", from_us, sure=False)]
        assert came_late(KNOWN, ANSWER, life, hangs) == (harms if may else [])
        early = came_late(WRITTEN, ANSWER, life, hangs)
        assert bool(early) is (from_us <= 4_000 and 3_500 <= freed_us <= 9_500)
        life.hung = None
        assert came_late(KNOWN, ANSWER, life, hangs) == []

    def test_what_was_never_opened_is_not_lost(self) -> None:
        gone = around(StoreGone(0, 1, "store_lost"))
        assert RULES["redis"].harms(SessionLife(where(PAIR)), ANSWER, gone) == []
