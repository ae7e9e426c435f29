"""A session in the memory of one node: each effect is accused, and its near miss is not."""

from __future__ import annotations

import pytest

from loadtests.model.history import Exchange
from loadtests.session_model.timeline import RunTimeline
from tests.loadtests.session_model.accused import SHORT, cause, faults, only, out, strike, where
from tests.loadtests.stories import Story

STICKY = "sticky-memory"
ROBIN = "roundrobin-memory"

CASES: dict[str, tuple[list[Exchange], RunTimeline, str]] = {
    "killed, answered by another": (out(now="n1"), where(STICKY, strike("kill")), "node_killed"),
    "killed, answered by itself": (out(), where(STICKY, strike("kill", heal=5.5)), "node_killed"),
    "killed and not observed": (out(), where(STICKY, strike("kill", seen=False)), "unexplained"),
    "killed after the answer": (out(), where(STICKY, strike("kill", at=7)), "unexplained"),
    "killed before the login": (out(login=5.5), where(STICKY, strike("kill", at=3, heal=4)), "unexplained"),
    "killed, and known since": (
        out(known=[(5.5, "n2")]), where(STICKY, strike("kill", at=4, heal=5)), "unexplained",
    ),
    "another node killed": (out(), where(STICKY, strike("kill", "n3")), "unexplained"),
    "stopped": (out(now="n1"), where(STICKY, strike("stop")), "node_stopped"),
    "restarted": (out(), where(STICKY, strike("restart", heal=5.1)), "node_stopped"),
    "removed": (out(now="n1"), where(STICKY, strike("scale-in")), "node_stopped"),
    "removed, long after": (out(now="n1", at=60), where(STICKY, strike("scale-in", heal=6)), "node_stopped"),
    "rekeyed": (out(), where(STICKY, strike("key-swap", heal=5.1)), "node_stopped"),
    "told of a key": (out(), where(STICKY, strike("key-announce", heal=5.1)), "node_stopped"),
    "deployed: gone when healed": (out(), where(STICKY, strike("deploy", at=1, heal=5.1)), "node_stopped"),
    "drained for a deploy, and not yet stopped": (out(), where(STICKY, strike("deploy", at=5, heal=7)), "unexplained"),
    "drained": (out(), where(STICKY, strike("drain")), "unexplained"),
    "frozen, answered by another": (out(now="n1"), where(STICKY, strike("freeze")), "node_frozen"),
    "frozen, moved and answered after it": (
        Story().login("n2").at(6).browse("n1").at(9).stranger(node="n1").exchanges,
        where(STICKY, strike("freeze", heal=7)), "node_frozen",
    ),
    "frozen, and nothing was asked meanwhile": (
        out(now="n1", at=9, known=[(4.9, "n2")]), where(STICKY, strike("freeze", heal=7)), "held_for_dead",
    ),
    "frozen, and answered by itself": (out(), where(STICKY, strike("freeze", heal=5.5)), "unexplained"),
    "frozen, and at home again before it strayed": (
        out(now="n1", at=9, known=[(8, "n2")]), where(STICKY, strike("freeze", heal=7)), "held_for_dead",
    ),
    "another one frozen": (out(now="n1"), where(STICKY, strike("freeze", "n3")), "held_for_dead"),
    "slow": (out(now="n1"), where(STICKY, strike("slow")), "held_for_dead"),
    "sick, without retries": (out(now="n1"), where(STICKY, strike("sick")), "held_for_dead"),
    "sick, with retries": (
        out(now="n1"), where(STICKY, strike("sick"), balancer_retries=1), "retried_elsewhere",
    ),
    "sick, with retries switched on": (
        out(now="n1"), where(STICKY, strike("sick"), strike("balancer-retries", "cluster", at=1)), "retried_elsewhere",
    ),
    "no fault, another node": (out(now="n1"), where(STICKY), "held_for_dead"),
    "no fault, the same node": (out(), where(STICKY), "unexplained"),
    "no affinity any more": (out(now="n1"), where(STICKY, strike("no-affinity", "cluster")), "affinity_lost"),
    "no affinity long ago": (
        out(now="n1", at=60, known=[(50, "n2")]), where(STICKY, strike("no-affinity", "cluster", heal=6)),
        "held_for_dead",
    ),
    "no affinity at the login and when it was last known": (
        out(now="n1", known=[(1, "n2")]), where(STICKY, strike("no-affinity", "cluster", at=-1, heal=2)),
        "affinity_lost",
    ),
    "no affinity at the login, and one when it was last known": (
        out(now="n1", known=[(3, "n2")]), where(STICKY, strike("no-affinity", "cluster", at=-1, heal=2)),
        "held_for_dead",
    ),
    "no affinity from the middle of its straying on, and frozen since": (
        Story().login("n2").at(4).browse("n1").at(9).stranger(node="n1").exchanges,
        where(STICKY, strike("no-affinity", "cluster", at=4.005, heal=4.5), strike("freeze", at=7, heal=8)),
        "node_frozen",
    ),
    "a logout of a killed session, where others are asked again": (
        Story().login("n2").at(6).logout(401, node="n2").exchanges,
        where(STICKY, strike("kill", heal=5.5), strike("sick-afterwards", "n1"), balancer_retries=1), "node_killed",
    ),
    "its balancer forgot": (
        out(now="n1"), where(STICKY, strike("balancer-reload", "balancer")), "affinity_forgotten",
    ),
    "its balancer forgot, and has learnt it since": (
        out(now="n1", at=9, known=[(7, "n2")]), where(STICKY, strike("balancer-reload", "balancer")), "held_for_dead",
    ),
    "its cookie was over": (
        out(now="n1", at=4), where(STICKY, strike("affinity-cookie-expires", "cluster", at=-1), affinity_cookie_s=3),
        "affinity_cookie_over",
    ),
    "its cookie was not over": (
        out(now="n1", at=1.5), where(STICKY, strike("affinity-cookie-expires", "cluster", at=-1), affinity_cookie_s=3),
        "held_for_dead",
    ),
    "no affinity, by design": (out(now="n1"), where(ROBIN), "other_node"),
    "no affinity by design, and another one killed": (out(now="n1"), where(ROBIN, strike("kill", "n3")), "other_node"),
    "no affinity by design, and killed": (out(now="n1"), where(ROBIN, strike("kill")), "node_killed+other_node"),
    "no affinity by design, and at home": (out(), where(ROBIN, strike("kill", heal=5.5)), "node_killed"),
    "capped": (out(), where(STICKY, strike("memory-cap")), "memory_cap"),
    "another one capped": (out(), where(STICKY, strike("memory-cap", "n1")), "unexplained"),
    "capped, and started anew before the login": (
        out(login=4), where(STICKY, strike("memory-cap", at=1), strike("restart", at=2, heal=3)), "unexplained",
    ),
    "full by its settings": (out(), where(STICKY, session_cap=5, fullest={"n2": 5}), "memory_cap"),
    "not full": (out(), where(STICKY, session_cap=5, fullest={"n1": 5, "n2": 4}), "unexplained"),
    "full, and killed": (
        out(), where(STICKY, strike("kill", heal=5.5), session_cap=5, fullest={"n2": 5}), "node_killed",
    ),
    "two processes": (out(), where(STICKY, strike("workers", "cluster", at=-1), node_workers=2), "worker"),
    "two processes by its settings": (out(), where(STICKY, node_workers=2), "worker"),
    "two processes, another node": (out(now="n1"), where(ROBIN, node_workers=2), "other_node"),
    "the ring turned": (out(now="n1"), where("sticky-hash", strike("kill", "n3")), "moved_by_ring"),
    "the ring grew": (out(now="n4"), where("sticky-hash", strike("scale-out", "cluster")), "moved_by_ring"),
    "the ring grew long ago": (
        out(now="n4", at=9, known=[(8, "n2")]), where("sticky-hash", strike("scale-out", "cluster")), "held_for_dead",
    ),
    "the ring turned, and its own node died": (
        out(now="n1"), where("sticky-hash", strike("kill", "n3"), strike("kill")), "node_killed",
    ),
    "the ring stood still": (out(now="n1"), where("sticky-hash", strike("slow", "n3")), "held_for_dead"),
    "no ring to turn": (out(now="n1"), where(STICKY, strike("kill", "n3")), "held_for_dead"),
    "expired": (out(), where(STICKY, limits=SHORT), "expired"),
    "not expired": (out(at=2), where(STICKY, limits=SHORT), "unexplained"),
    "expired before a later kill": (out(), where(STICKY, strike("kill", at=6.5), limits=SHORT), "expired"),
    "expired, and killed elsewhere": (out(), where(STICKY, strike("kill", "n3"), limits=SHORT), "expired"),
    "expired and killed: both were needed": (
        out(), where(STICKY, strike("kill", heal=5.5), limits=SHORT), "expired+node_killed",
    ),
    "killed, and expired afterwards": (
        out(), where(STICKY, strike("kill", at=1, heal=2), limits=SHORT), "node_killed+expired",
    ),
    "expired without affinity": (out(now="n1"), where(ROBIN, limits=SHORT), "expired+other_node"),
    "refreshed by being known": (
        out(known=[(2, "n2"), (4, "n2")]), where(STICKY, limits=SHORT, session_refresh_each_request=True),
        "unexplained",
    ),
    "known, and not refreshed": (out(at=4, known=[(2, "n2")]), where(STICKY, limits=SHORT), "expired"),
    "ahead since: over before its time": (
        out(at=2), where(STICKY, strike("clock-ahead", at=1), limits=SHORT), "clock_ahead",
    ),
    "ahead at both": (out(at=2), where(STICKY, strike("clock-ahead", at=-1), limits=SHORT), "unexplained"),
    "another one ahead": (out(at=2), where(STICKY, strike("clock-ahead", "n1", at=1), limits=SHORT), "unexplained"),
    "ahead, with a long life": (out(at=2), where(STICKY, strike("clock-ahead", at=1)), "unexplained"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(CASES))
def test_why_it_was_lost(name: str) -> None:
    records, at, named = CASES[name]
    assert cause(records, at) == named


def test_a_page_at_home_narrows_when_it_strayed() -> None:
    told = Story().login("n2").at(6).browse("n2").at(7.5).browse("n1").at(9).stranger(node="n1").exchanges
    assert cause(told, where(STICKY, strike("freeze", heal=5.5))) == "held_for_dead"
    assert cause(told, where(STICKY, strike("freeze", at=7, heal=8))) == "node_frozen"


def test_a_page_elsewhere_narrows_it_too() -> None:
    told = Story().login("n2").at(4).browse("n1").at(9).stranger(node="n1").exchanges
    assert cause(told, where(STICKY, strike("freeze", at=7, heal=8))) == "held_for_dead"
    assert cause(told, where(STICKY, strike("freeze", at=3, heal=8))) == "node_frozen"


def test_a_page_refreshes_a_session() -> None:
    told = Story().login("n2").at(2).browse("n2").at(4).stranger(node="n2").exchanges
    assert cause(told, where(STICKY, limits=SHORT)) == "expired"
    assert cause(told, where(STICKY, limits=SHORT, session_refresh_each_request=True)) == "unexplained"


def test_a_write_prolongs_it() -> None:
    told = Story().login("n2").at(2).add("tea", shows={"tea": 1}, node="n2").at(4).stranger(node="n2").exchanges
    assert cause(told, where(STICKY, limits=SHORT)) == "unexplained"


def test_a_write_that_nobody_answered_may_have_prolonged_it() -> None:
    told = Story().login("n2").at(2).add("tea", status=0, node="n2").at(4).stranger(node="n2").exchanges
    assert cause(told, where(STICKY, limits=SHORT)) == "expired"
    assert cause(told, where(STICKY, strike("kill", at=3, heal=3.5), limits=SHORT)) == "node_killed"


def test_two_faults_that_may_both_have_moved_it_are_both_named() -> None:
    at = where(STICKY, strike("freeze"), strike("no-affinity", "cluster"))
    assert cause(out(now="n1"), at) == "affinity_lost+node_frozen"
    assert faults(out(now="n1"), at) == {0, 1}


def test_a_browser_that_lost_the_balancers_cookie() -> None:
    told = Story().login("n2")
    forgot = Exchange(STICKY, 1, "", "plan", "forget_node", "ok", 3_000_000, 3_000_000, 3_000_000)
    records = [*told.exchanges, forgot, *Story().at(6).stranger(node="n1").exchanges]
    loss = only(records, where(STICKY))
    assert loss.cause == "affinity_lost"
    assert loss.counterfactual.startswith("without the browser's loss of the balancer's cookie at 3.0 s, ")


def test_the_counterfactual_says_until_when_it_was_good() -> None:
    loss = only(out(now="n1"), where(STICKY, strike("kill")))
    assert loss.counterfactual == "without killing n2 at 5.0 s, this session was good until 3,600.0 s"
    assert [(because.word, because.fault, because.at_ms) for because in loss.because] == [("node_killed", 0, 5000.0)]


def test_what_nothing_explains_says_what_was_considered() -> None:
    loss = only(out(), where(STICKY, strike("kill", "n3"), strike("kill", at=7), strike("slow")))
    assert loss.counterfactual == ""
    assert loss.considered == (
        "its lifetime: it was good until 3,600.0 s",
        "killing n3: it was at n3, the session at n2, and n2 answered",
        "killing n2: it began at 7.0 s, after the answer",
        "slowing down n2: it does nothing to sessions here",
    )
