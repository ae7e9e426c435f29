"""A session in a signed cookie, and the list of those that were ended: each effect is accused, its near miss is not."""

from __future__ import annotations

import msgspec
import pytest

from loadtests.faults import FAULTS
from loadtests.faults.clock_ahead import ClockAhead
from loadtests.faults.effects import ClockOff, Effect, KeyOfItsOwn, NodeSigns
from loadtests.model.history import Exchange, Jar
from loadtests.session_model.circumstances import Circumstances, Factor, Harm
from loadtests.session_model.life import SessionLife
from loadtests.session_model.stores import RULES
from loadtests.session_model.stores.token import from_the_future, refused_key, signing_key
from loadtests.session_model.timeline import RunTimeline
from shared.sessions import Injection
from tests.loadtests.session_model.accused import SHORT, cause, faults, only, out, strike, where
from tests.loadtests.stories import Story, losses

TOKEN = "signed-token"
LIST = "token-denylist"
AHEAD = strike("clock-ahead", at=-1)

CASES: dict[str, tuple[list[Exchange], RunTimeline, str]] = {
    "no fault": (out(now="n1"), where(TOKEN), "unexplained"),
    "a killed node holds no token": (out(now="n1"), where(TOKEN, strike("kill")), "unexplained"),
    "swapped at the reader": (out("n1", "n2"), where(TOKEN, strike("key-swap", at=3, heal=4)), "key_changed"),
    "swapped at the signer before": (
        out("n2", "n1"), where(TOKEN, strike("key-swap", at=-3, heal=-2)), "key_changed",
    ),
    "swapped at the signer afterwards": (
        out("n2", "n1"), where(TOKEN, strike("key-swap", at=3, heal=4)), "unexplained",
    ),
    "swapped at both": (
        out("n2", "n1"), where(TOKEN, strike("key-swap", at=-5, heal=-4), strike("key-swap", "n1", at=-3, heal=-2)),
        "unexplained",
    ),
    "swapped elsewhere": (out("n1", "n3"), where(TOKEN, strike("key-swap", at=3, heal=4)), "unexplained"),
    "not swapped yet": (out("n1", "n2"), where(TOKEN, strike("key-swap", at=5.5, heal=7)), "unexplained"),
    "one phase, at the signer": (out("n2", "n1"), where(TOKEN, strike("key-one-phase", at=-3, heal=-2)), "key_changed"),
    "one phase, at the reader": (out("n1", "n2"), where(TOKEN, strike("key-one-phase", at=3, heal=4)), "unexplained"),
    "announced at the reader": (out("n1", "n2"), where(TOKEN, strike("key-announce", at=3, heal=4)), "unexplained"),
    "announced at the signer": (out("n2", "n1"), where(TOKEN, strike("key-announce", at=-3, heal=-2)), "unexplained"),
    "announced to all, then switched": (
        out("n2", "n1"),
        where(TOKEN, strike("key-announce", "n1", at=-9, heal=-8), strike("key-switch", at=-3, heal=-2)), "unexplained",
    ),
    "announced and lost, at once": (
        out("n1", "n2"), where(TOKEN, strike("key-announce", at=1, heal=1.4), limits=SHORT), "expired",
    ),
    "expired and swapped": (
        out("n1", "n2"), where(TOKEN, strike("key-swap", at=4, heal=5), limits=SHORT), "expired+key_changed",
    ),
    "signed ahead": (out("n2", "n1", at=2), where(TOKEN, AHEAD), "clock_ahead"),
    "signed ahead, and read there": (out("n2", "n2", at=2), where(TOKEN, AHEAD), "unexplained"),
    "signed ahead, and long past": (out("n2", "n1", at=6), where(TOKEN, AHEAD), "unexplained"),
    "signed ahead, with leeway": (out("n2", "n1", at=2), where(TOKEN, AHEAD, clock_leeway_s=5), "unexplained"),
    "signed elsewhere": (out("n1", "n3", at=2), where(TOKEN, AHEAD), "unexplained"),
    "put right since": (
        out("n2", "n2", at=2), where(TOKEN, strike("clock-ahead", at=-1, heal=1)), "clock_ahead",
    ),
    "put right by a restart": (
        out("n2", "n2", at=2), where(TOKEN, AHEAD, strike("restart", at=0.5, heal=0.8)), "clock_ahead",
    ),
    "read ahead: over before its time": (out("n1", "n2", at=2), where(TOKEN, AHEAD, limits=SHORT), "clock_ahead"),
    "read ahead, when its time is over anyway": (out("n1", "n2"), where(TOKEN, AHEAD, limits=SHORT), "expired"),
    "ended twice by time": (out("n1", "n1"), where(TOKEN, limits=SHORT), "expired"),
    "the list plays no part": (out("n1", "n2"), where(LIST, strike("store-kill", "store")), "unexplained"),
    "swapped, with a list": (out("n1", "n2"), where(LIST, strike("key-swap", at=3, heal=4)), "key_changed"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(CASES))
def test_why_it_was_lost(name: str) -> None:
    records, at, named = CASES[name]
    assert cause(records, at) == named


class Off(ClockAhead):
    """A clock that is off by as much as the victim's name says after its node: "n2" by five seconds back."""

    def __init__(self, seconds: int) -> None:
        self.trouble = Injection(clock_ahead_s=seconds)


def test_a_clock_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FAULTS, "clock-ahead", Off(-5))
    assert cause(out("n1", "n2", at=2), where(TOKEN, AHEAD)) == "clock_behind"  # from the future, for that one
    assert cause(out("n1", "n2", at=6), where(TOKEN, AHEAD)) == "unexplained"
    assert cause(out("n2", "n1", at=2), where(TOKEN, AHEAD, limits=SHORT)) == "clock_behind"  # older than it is
    assert cause(out("n2", "n1", at=2), where(TOKEN, AHEAD)) == "unexplained"


def test_two_clocks_that_are_both_needed() -> None:
    at = where(TOKEN, AHEAD, strike("clock-ahead", "n1", at=-1), clock_leeway_s=5)
    assert cause(out("n2", "n1", at=1), at) == "unexplained"
    only_one = where(TOKEN, AHEAD, strike("clock-ahead", "n1", at=-1))
    assert cause(out("n2", "n3", at=1), only_one) == "clock_ahead"
    assert faults(out("n2", "n3", at=1), only_one) == {0}


def test_a_cookie_that_was_refused_wrote_nothing() -> None:
    told = Story().login("n1").at(2).add("tea", shows={"tea": 1}).at(4).stranger().exchanges
    assert cause(told, where(TOKEN, limits=SHORT)) == "unexplained"
    told[1] = msgspec.structs.replace(told[1], cookie_refused=True)
    assert cause(told, where(TOKEN, limits=SHORT)) == "expired"


def used_after(do: str = "logout", *, login: str = "n1", end: str = "n1", at: float = 5.0) -> list[Exchange]:
    """A copy of the cookies that is good after a logout, or a second device after a logout everywhere."""
    jar = "stolen" if do == "logout" else "second"
    told = Story().login(login)
    if jar == "second":
        told.say("login", node=login, jar="second")
    told.at(2).say(do, node=end)  # type: ignore[arg-type]
    return told.at(at).probe(jar).exchanges  # type: ignore[arg-type]


LEFT = 2.0
"""When `used_after` sends its logout."""
OUTLIVED = {
    "a token": (used_after(), where(TOKEN), "not_revoked"),
    "a token, and a fault": (used_after(), where(TOKEN, strike("kill", "n1", at=3)), "not_revoked"),
    "the list was lost": (used_after(), where(LIST, strike("store-kill", "store", at=3, heal=4)), "denylist_lost"),
    "the list was lost at the moment of the logout": (
        used_after(), where(LIST, strike("store-kill", "store", at=LEFT - 0.02)), "denylist_lost",
    ),
    "the list was lost just before": (
        used_after(), where(LIST, strike("store-kill", "store", at=LEFT - 0.020_001)), "unexplained",
    ),
    "the list keeps a file": (
        used_after(), where(LIST, strike("store-kill", "store", at=3, heal=4), store_append_only=True), "unexplained",
    ),
    "lost before the logout": (used_after(), where(LIST, strike("store-kill", "store", at=1, heal=1.5)), "unexplained"),
    "lost after it was used": (used_after(), where(LIST, strike("store-kill", "store", at=6, heal=7)), "unexplained"),
    "thrown out of the list": (
        used_after(), where(LIST, strike("store-full", "store", at=3), store_eviction="allkeys-lru"), "denylist_lost",
    ),
    "the list is full": (used_after(), where(LIST, strike("store-full", "store", at=3)), "unexplained"),
    "ended by a clock that is behind the login's": (
        used_after("logout_everywhere", login="n2"), where(LIST, strike("clock-ahead", at=-1)), "clock_ahead",
    ),
    "ended by the clock that it was opened by": (
        used_after("logout_everywhere", login="n2", end="n2"), where(LIST, strike("clock-ahead", at=-1)), "unexplained",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", list(OUTLIVED))
def test_why_it_outlived_its_end(name: str) -> None:
    records, at, named = OUTLIVED[name]
    assert cause(records, at) == named


def test_the_lost_list_is_credited_to_its_fault() -> None:
    loss = only(*OUTLIVED["the list was lost"][:2])
    assert [because.fault for because in loss.because] == [0]
    assert any("store-kill" in event.what for event in loss.witness)


def refused(
    node: str = "n1", *, jar: Jar = "stolen", status: int = 401, lost: bool = False, left: bool = True
) -> list[Exchange]:
    """Another shopper, known at n1 and n3, logs out at n2; a copy of the cookies is refused there at second 8."""
    told = Story(2).login("n1").at(2).me({}, node="n3")
    if lost:
        told.stranger(node="n3")
    if left:
        told.at(5).logout(node="n2")
    return told.at(8).probe(jar, status=status, node=node).exchanges


ASKED: dict[str, tuple[list[Exchange], RunTimeline, str]] = {
    "by the node that opened it": (refused(), where(TOKEN), "unexplained"),
    "by the node that knew it last": (refused("n3"), where(TOKEN), "unexplained"),
    "by one that nobody saw know it": (refused("n2"), where(TOKEN), "not_revoked"),
    "by nobody": ([], where(TOKEN), "not_revoked"),
    "let in, too": (refused(status=200), where(TOKEN), "not_revoked"),
    "an error": (refused(status=503), where(TOKEN), "not_revoked"),
    "a thief": (refused(jar="thief"), where(TOKEN), "not_revoked"),
    "not logged out": (refused(left=False), where(TOKEN), "not_revoked"),
    "lost before its logout": (refused("n3", lost=True), where(TOKEN), "not_revoked"),
    "for its age": (refused(), where(TOKEN, limits=SHORT), "not_revoked"),
    "for its key": (refused("n3"), where(TOKEN, strike("key-swap", "n3", at=6)), "not_revoked"),
    "after another's key": (refused(), where(TOKEN, strike("key-swap", "n3", at=6)), "unexplained"),
    "by a new process": (refused(), where(TOKEN, strike("kill", "n1", at=6, heal=7)), "not_revoked"),
    "while another one was killed": (refused(), where(TOKEN, strike("kill", "n3", at=6, heal=7)), "unexplained"),
    "and the list was lost": (refused(), where(LIST, strike("store-kill", "store", at=5, heal=6)), "denylist_lost"),
}
"""Whether a session that another shopper's refused copy stands beside outlived its end because no node asks."""


@pytest.mark.parametrize("name", list(ASKED))
@pytest.mark.parametrize("before", [True, False])
def test_that_no_node_asks_is_refuted_by_one_that_did(name: str, before: bool) -> None:
    beside, at, named = ASKED[name]
    outlived = used_after(at=9)
    (loss,) = (it for it in losses([*beside, *outlived] if before else [*outlived, *beside], at) if it.shopper == 1)
    assert (loss.kind, loss.cause) == ("still_logged_in", named)
    node = beside[-1].node if beside else ""
    refuted = (f"that no node asks: {node} refused shopper 2's ended session at 8.0 s",)
    assert loss.considered == (refuted if named == "unexplained" else ())
    assert bool(loss.because) == bool(loss.counterfactual) == (named != "unexplained")


def test_a_login_that_a_fast_clock_had_ended_before() -> None:
    told = Story().login("n1").at(1).say("logout_everywhere", node="n2").at(2).login("n1").at(3).stranger(node="n1")
    assert cause(told.exchanges, where(LIST, strike("clock-ahead", at=-1))) == "clock_ahead"
    assert cause(told.exchanges, where(LIST)) == "unexplained"
    assert cause(told.exchanges, where(TOKEN, strike("clock-ahead", at=-1))) == "unexplained"


FIRST, SECOND = (Factor("fault", "it", number) for number in (0, 1))


def around(*effects: Effect, **settings: int) -> Circumstances:
    return Circumstances(where(TOKEN, **settings), tuple(zip((FIRST, SECOND), effects, strict=False)), {})


def exchange(node: str, sent_us: int, done_us: int) -> Exchange:
    return msgspec.structs.replace(Story().me({}, node=node).last, sent_us=sent_us, done_us=done_us)


WRITTEN = exchange("n1", 1_000_000, 1_010_000)


class TestKeys:
    def test_a_node_signs_as_its_last_change_until_then_says(self) -> None:
        first = NodeSigns(100, 10**9, "key_changed", "n1", "next", ("next", "own"))
        second = NodeSigns(200, 10**9, "key_changed", "n1", "own", ("own",))
        for order in ((first, second), (second, first)):
            at = around(*order)
            for node, at_us, change in (("n1", 99, None), ("n1", 100, first), ("n1", 199, first), ("n1", 200, second),
                                        ("n2", 200, None)):  # fmt: skip
                answered = exchange(node, at_us - 1, at_us)
                assert at.latest(NodeSigns, answered) == (change and (at.effects[order.index(change)][0], change))
                assert signing_key(answered, at) == (change.key if change else "own")

    def test_both_changes_are_the_harm_in_order(self) -> None:
        signs = NodeSigns(900_000, 10**9, "key_changed", "n1", "next", ("next",))
        other = NodeSigns(5_000_000, 10**9, "key_changed", "n2", "own", ("own",))
        answer = exchange("n2", 5_000_000, 5_010_000)
        assert refused_key(WRITTEN, answer, around(other, signs)) == [
            Harm(FIRST, "key_changed", 5_000_000), Harm(SECOND, "key_changed", 900_000),
        ]  # fmt: skip

    @pytest.mark.parametrize(("from_us", "there"), [(5_010_000, True), (5_010_001, False)])
    def test_a_key_of_each_process(self, from_us: int, there: bool) -> None:
        own = KeyOfItsOwn(from_us, 10**9, "key_of_its_own")
        for node, workers, sure in (("n2", 1, True), ("n2", 2, True), ("n1", 2, False), ("n1", 1, None)):
            answer = exchange(node, 5_000_000, 5_010_000)
            found = refused_key(WRITTEN, answer, around(own, node_workers=workers))
            wanted = [] if sure is None or not there else [Harm(FIRST, "key_of_its_own", from_us, sure)]
            assert found == wanted, (node, workers)


def clock(node: str, seconds: float, *, certain: bool = True) -> ClockOff:
    surely = (-(10**9), 10**9) if certain else (10**9, -(10**9))
    return ClockOff(-5, 10**9, "clock", node, seconds, *surely)


class TestFromTheFuture:
    """Written at 1 s by a clock that is five seconds ahead: "6 s". Tokens note whole seconds."""

    @pytest.mark.parametrize(
        ("clocks", "sent_us", "done_us", "leeway_s", "sure"),
        [
            ((clock("n1", 5.0),), 5_900_000, 5_999_999, 0, True),
            ((clock("n1", 5.0),), 5_999_999, 6_000_000, 0, False),
            ((clock("n1", 5.0),), 6_000_000, 6_010_000, 0, None),
            ((clock("n1", 5.0),), 4_900_000, 4_999_999, 1, True),
            ((clock("n1", 5.0),), 4_999_999, 5_000_000, 1, False),
            ((clock("n1", 5.0),), 5_000_000, 5_010_000, 1, None),
            ((clock("n1", 5.0, certain=False),), 5_900_000, 5_999_999, 0, False),
            ((clock("n1", 5.0, certain=False),), 500_000, 600_000, 0, True),
            ((clock("n2", -5.0),), 5_900_000, 5_999_999, 0, True),
            ((clock("n2", -5.0),), 5_999_999, 6_000_000, 0, False),
            ((clock("n2", -5.0),), 6_000_000, 6_010_000, 0, None),
            ((clock("n2", -5.0, certain=False),), 5_900_000, 5_999_999, 0, False),
            ((clock("n1", 5.0), clock("n2", 5.0)), 900_000, 999_999, 0, True),
            ((clock("n1", 5.0), clock("n2", 5.0)), 1_000_000, 1_100_000, 0, None),
            ((), 100_000, 200_000, 0, None),
        ],
    )  # fmt: skip
    def test_by_the_readers_clock(
        self, clocks: tuple[ClockOff, ...], sent_us: int, done_us: int, leeway_s: int, sure: bool | None
    ) -> None:
        at = around(*clocks, clock_leeway_s=leeway_s)
        found = from_the_future(WRITTEN, exchange("n2", sent_us, done_us), at)
        factors = (FIRST, SECOND)[: len(clocks)]
        assert found == ([] if sure is None else [Harm(factor, "clock", -5, sure) for factor in factors])


def test_what_was_never_written_is_not_refused() -> None:
    assert RULES["token"].harms(SessionLife(where(TOKEN)), WRITTEN, around()) == []
