"""A session in the memory of one node: each effect is accused, and its near miss is not."""

from __future__ import annotations

import msgspec
import pytest

from compose.architectures import ARCHITECTURES
from loadtests.faults.effects import (
    AffinityLost,
    Effect,
    MemoryGone,
    MemoryKeepsAtMost,
    NodeEnds,
    RingTurns,
    SeveralMemories,
    Unreachable,
)
from loadtests.model.history import Exchange
from loadtests.session_model.circumstances import Circumstances, Factor, Harm, seen
from loadtests.session_model.life import SessionLife
from loadtests.session_model.stores import RULES
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
        out(now="n1"), where(STICKY, strike("table-forgotten", "balancer")), "affinity_forgotten",
    ),
    "its balancer forgot, and has learnt it since": (
        out(now="n1", at=9, known=[(7, "n2")]), where(STICKY, strike("table-forgotten", "balancer")), "held_for_dead",
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


FAULT, OTHER = (Factor("fault", "freeze", number) for number in (0, 1))


def asked(node: str, sent_us: int, *, stranger: bool = False) -> Exchange:
    """Answered ten milliseconds later."""
    told = Story().stranger(node=node) if stranger else Story().me({}, node=node)
    return msgspec.structs.replace(told.last, sent_us=sent_us, done_us=sent_us + 10_000)


KNOWN, AWAY = asked("n2", 1_000_000), asked("n1", 5_000_000, stranger=True)
HOME = asked("n2", 5_000_000, stranger=True)


def words(
    *effects: Effect, answer: Exchange = AWAY, forgot_us: int | None = None, at: RunTimeline | None = None,
    between: tuple[Exchange, ...] = (),
) -> list[str]:  # fmt: skip
    """Why that answer did not know a session that was opened at n2 at 0 s, and known there at 1 s."""
    run = at or where(STICKY)
    life = SessionLife(run)
    for exchange in (Story().login("n2").last, KNOWN, *between):
        life.saw(exchange)
    if forgot_us is not None:
        life.forgot = asked("", forgot_us - 10_000)
    around = Circumstances(run, tuple(zip((FAULT, OTHER), effects, strict=False)), {})
    return [harm.word for harm in RULES["memory"].harms(life, answer, around)]


SPANS = [(0, 4_999_999, False), (0, 5_000_000, True), (5_010_000, 9_000_000, True), (5_010_001, 9_000_000, False)]
"""Whether they meet the answer, which was on its way from 5.00 to 5.01 s."""


class TestWhyItWasElsewhere:
    @pytest.mark.parametrize(("from_us", "until_us", "met"), SPANS)
    def test_its_home_could_not_be_reached_at_that_moment(self, from_us: int, until_us: int, met: bool) -> None:
        gone = Unreachable(from_us, until_us, "node_frozen", "n2")
        assert words(gone) == (["node_frozen"] if met else ["held_for_dead"])
        assert words(msgspec.structs.replace(gone, node="n3")) == ["held_for_dead"]
        assert words(gone, answer=HOME) == []

    @pytest.mark.parametrize(("until_us", "met"), [(2_499_999, False), (2_500_000, True)])
    def test_since_the_first_error_that_may_have_been_elsewheres(self, until_us: int, met: bool) -> None:
        error = msgspec.structs.replace(Story().say("cart", 503).last, sent_us=2_500_000, done_us=2_600_000)
        strayed = msgspec.structs.replace(Story().browse("n1").last, sent_us=3_000_000, done_us=3_010_000)
        gone = Unreachable(0, until_us, "node_frozen", "n2")
        assert words(gone, between=(error, strayed)) == (["node_frozen"] if met else ["held_for_dead"])
        late = Unreachable(3_010_001, 9_000_000, "node_frozen", "n2")
        assert words(late, between=(error, strayed)) == ["held_for_dead"]
        assert words(late, AffinityLost(3_005_000, 3_006_000, "affinity_lost"), between=(strayed,)) == ["node_frozen"]

    @pytest.mark.parametrize(("from_us", "until_us", "met"), SPANS)
    def test_no_cookie_was_heeded_then(self, from_us: int, until_us: int, met: bool) -> None:
        lost = AffinityLost(max(from_us, 1_010_001), until_us, "affinity_lost")
        assert words(lost) == (["affinity_lost"] if met else ["held_for_dead"])

    @pytest.mark.parametrize(
        ("from_us", "until_us", "met"),
        [(0, 999_999, False), (0, 1_000_000, True), (10_000, 1_005_000, True), (10_001, 1_005_000, False)],
    )
    def test_or_ever_since_the_login(self, from_us: int, until_us: int, met: bool) -> None:
        assert words(AffinityLost(from_us, until_us, "affinity_lost")) == (
            ["affinity_lost"] if met else ["held_for_dead"]
        )

    @pytest.mark.parametrize(
        ("forgot_us", "met"), [(999_999, False), (1_000_000, True), (5_010_000, True), (5_010_001, False)]
    )
    def test_the_browser_lost_the_balancers_cookie_since_it_was_home(self, forgot_us: int, met: bool) -> None:
        assert words(forgot_us=forgot_us) == (["affinity_lost"] if met else ["held_for_dead"])
        by_address = msgspec.structs.replace(ARCHITECTURES["sticky-hash"], affinity="address")
        at = msgspec.structs.replace(where(STICKY), description=by_address)
        assert words(forgot_us=forgot_us, at=at) == ["held_for_dead"], "a cookie plays no part"

    @pytest.mark.parametrize(
        ("from_us", "until_us", "settled_us", "met"),
        [
            *((from_us, until_us, 9_000_000, met) for from_us, until_us, met in SPANS[2:]),
            (1_010_001, 4_999_999, 9_000_000, False), (1_010_001, 5_000_000, 9_000_000, True),
            (5_000_000, 9_000_000, 999_999, False), (5_000_000, 9_000_000, 1_000_000, True),
            (1_010_000, 2_000_000, 9_000_000, True), (1_010_001, 2_000_000, 9_000_000, False),
            (500_000, 999_999, 9_000_000, False), (500_000, 1_000_000, 9_000_000, True),
        ],
    )  # fmt: skip
    def test_a_ring_turned_then_or_when_it_was_last_at_home(
        self, from_us: int, until_us: int, settled_us: int, met: bool
    ) -> None:
        turns = RingTurns(from_us, until_us, "moved_by_ring", settled_us)
        assert words(turns, at=where("sticky-hash")) == (["moved_by_ring"] if met else ["held_for_dead"])
        assert words(turns) == ["held_for_dead"], "where there is no ring"

    @pytest.mark.parametrize(
        ("from_us", "until_us", "met"),
        [(0, 999_999, False), (0, 1_000_000, True), (1_010_000, 2_000_000, True), (1_010_001, 2_000_000, False)],
    )
    def test_on_a_ring_its_home_may_have_stood_in_for_another_node(
        self, from_us: int, until_us: int, met: bool
    ) -> None:
        gone = Unreachable(from_us, until_us, "node_killed", "n3")
        assert words(gone, at=where("sticky-hash")) == (["node_killed"] if met else ["held_for_dead"])
        turns = RingTurns(0, 9_000_000, "moved_by_ring")
        both = words(gone, turns, at=where("sticky-hash"))
        assert both == (["moved_by_ring", "node_killed"] if met else ["moved_by_ring"])
        other = Unreachable(0, 9_000_000, "node_frozen", "n2")
        assert words(other, turns, at=where("sticky-hash")) == ["node_frozen"], "no ring is needed for it"

    def test_a_fault_is_named_once(self) -> None:
        run, life = where("sticky-hash"), SessionLife(where("sticky-hash"))
        for exchange in (Story().login("n2").last, KNOWN):
            life.saw(exchange)
        its = (RingTurns(0, 9_000_000, "moved_by_ring"), Unreachable(0, 9_000_000, "node_killed", "n3"))
        around = Circumstances(run, tuple((FAULT, effect) for effect in its), {})
        assert RULES["memory"].harms(life, AWAY, around) == [Harm(FAULT, "moved_by_ring", 0)]

    def test_nobody_who_was_never_known_was_moved(self) -> None:
        gone = ((FAULT, Unreachable(0, 9_000_000, "node_frozen", "n2")),)
        around = Circumstances(where(STICKY), gone, {})
        assert RULES["memory"].cart_harms(KNOWN, AWAY, SessionLife(around.run), around) == [
            seen("held_for_dead", AWAY.sent_us)
        ]


class TestWhyItWasNotThereAnyMore:
    @pytest.mark.parametrize(
        ("from_us", "until_us", "sure"),
        [
            (500_000, 999_999, None), (500_000, 1_000_000, True), (10_000, 5_000_000, True), (9_999, 5_000_000, False),
            (10_000, 5_000_001, False), (5_010_000, 6_000_000, False), (5_010_001, 6_000_000, None),
        ],
    )  # fmt: skip
    def test_its_memory_went_after_the_login_and_before_the_answer(
        self, from_us: int, until_us: int, sure: bool | None
    ) -> None:
        run, life = where(STICKY), SessionLife(where(STICKY))
        for exchange in (Story().login("n2").last, KNOWN):
            life.saw(exchange)
        gone = MemoryGone(from_us, until_us, "node_killed", "n2")
        around = Circumstances(run, ((FAULT, gone),), {})
        wanted = [] if sure is None else [Harm(FAULT, "node_killed", from_us, sure)]
        assert RULES["memory"].harms(life, HOME, around) == wanted
        assert words(msgspec.structs.replace(gone, node="n1"), answer=HOME) == []

    @pytest.mark.parametrize(
        ("from_us", "until_us", "met"),
        [(0, 999_999, False), (0, 1_000_000, True), (5_010_000, 9_000_000, True), (5_010_001, 9_000_000, False)],
    )
    def test_it_may_have_been_thrown_out_since_it_was_known(self, from_us: int, until_us: int, met: bool) -> None:
        cap = MemoryKeepsAtMost(from_us, until_us, "memory_cap", "n2", 5)
        assert words(cap, answer=HOME) == (["memory_cap"] if met else [])
        several = SeveralMemories(from_us, until_us, "worker")
        assert words(several, answer=HOME) == (["worker"] if met else [])
        two = where(STICKY, node_workers=2)
        assert words(several, answer=HOME, at=two) == ["worker"]
        assert words(answer=HOME, at=where(STICKY, node_workers=1)) == []

    @pytest.mark.parametrize(
        ("from_us", "until_us", "ended"),
        [(500_000, 1_000_000, True), (500_000, 1_000_001, False), (499_999, 1_000_000, False)],
    )
    def test_not_by_a_cap_that_ended_with_its_process(self, from_us: int, until_us: int, ended: bool) -> None:
        cap, end = MemoryKeepsAtMost(500_000, 9_000_000, "memory_cap", "n2", 5), NodeEnds(from_us, until_us, "", "n2")
        assert words(cap, end, answer=HOME) == ([] if ended else ["memory_cap"])

    @pytest.mark.parametrize(("held", "full"), [(4, False), (5, True)])
    def test_nor_by_one_that_was_not_reached(self, held: int, full: bool) -> None:
        at = where(STICKY, session_cap=5, fullest={"n2": held})
        assert words(answer=HOME, at=at) == (["memory_cap"] if full else [])


def test_of_a_logout_everywhere_no_other_node_hears() -> None:
    told_n1 = ("logout_everywhere", "n1", "node_not_told")
    for do, node, named in (told_n1, ("logout_everywhere", "n2", "unexplained"), ("logout", "n1", "unexplained")):
        told = Story().login("n2").say("login", node="n2", jar="second").at(2).say(do, node=node).at(5)  # type: ignore[arg-type]
        copied = told.probe("second" if do == "logout_everywhere" else "stolen", node="n2").exchanges
        assert cause(copied, where(STICKY)) == named
