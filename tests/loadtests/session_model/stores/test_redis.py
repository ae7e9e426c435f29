"""A session in a store that all share: each effect is accused, its near miss is not."""

from __future__ import annotations

import msgspec
import pytest

from loadtests.model.history import Exchange
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
