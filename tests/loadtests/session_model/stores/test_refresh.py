"""A session that a refresh token renews: each effect is accused, its near miss is not."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from compose.cluster import Limits
from loadtests.model.history import Exchange
from loadtests.session_model.circumstances import Factor, Harm, circumstances_of, setting
from loadtests.session_model.life import SessionLife
from loadtests.session_model.stores import RULES, Outlived
from loadtests.session_model.stores.refresh import used_twice
from loadtests.session_model.timeline import RunTimeline
from loadtests.session_model.token_trail import Issue, TokenTrail, TokenUse
from tests.loadtests.session_model.accused import cause, faults, only, strike, where
from tests.loadtests.session_model.stores.test_token import used_after
from tests.loadtests.stories import Story, losses, replayed

ARCHITECTURE = "refresh-token"
SECOND = Limits(access_lifetime_s=1.0)
GRACE = Limits(access_lifetime_s=1.0, refresh_grace_s=0.5)


def place(*strikes: object, limits: Limits = SECOND, name: str = ARCHITECTURE, **settings: object) -> RunTimeline:
    return where(name, *strikes, limits=limits, **settings)  # type: ignore[arg-type]


def pair(first: float, second: float, *, took_ms: float = 10, last: float | None = None) -> list[Exchange]:
    """Two requests of one browser; the second is answered as a stranger, or (`last`) a later one is."""
    told = Story().login().at(first).say("me", user="user-0001", took_ms=took_ms).at(second)
    told = told.stranger("me") if last is None else told.say("browse").at(last).stranger("me")
    both = [replace(each, beside=each.do == "me" and took_ms > 1000 * (second - first)) for each in told.exchanges]
    return sorted(both, key=lambda exchange: exchange.done_us)


def lost_answer(again: float) -> list[Exchange]:
    """A request that nobody answered, and another one."""
    return Story().login().at(2).say("me", 0, error="timeout").at(again).stranger("me").exchanges


def tried_again() -> list[Exchange]:
    """The owner was first; the thief is refused, and tries again and again."""
    told = Story().login().at(0.5).say("read_cookie", 0, jar="thief").at(1.5).say("me", user="user-0001")
    for second in (2.0, 3.0, 3.5):
        told.at(second).probe("thief", status=401)
    return told.at(4).stranger("me").exchanges


def stolen(at: float) -> list[Exchange]:
    """Somebody copies the cookies, uses them then, and the shopper is out later."""
    told = Story().login().at(0.5).say("read_cookie", 0, jar="thief").at(at).probe("thief")
    return told.at(4).stranger("me").exchanges


CASES: dict[str, tuple[list[Exchange], RunTimeline, str]] = {
    "both at the end of the access token": (pair(2, 2.005), place(), "refresh_race"),
    "by a request that shows nobody": (pair(2, 2.2, took_ms=400, last=4), place(), "refresh_race"),
    "in the database": (pair(2, 2.005), place(name="refresh-token-database"), "refresh_race"),
    "before the end of it": (pair(0.5, 0.505), place(), "unexplained"),
    "one after the other": (pair(2, 2.2), place(), "unexplained"),
    "within the grace window": (pair(2, 2.005), place(limits=GRACE), "unexplained"),
    "longer apart than the grace window may be": (pair(2, 2.6, took_ms=700), place(limits=GRACE), "refresh_race"),
    "the answer was lost": (lost_answer(2.3), place(), "refresh_answer_lost"),
    "lost before the access token was over": (
        Story().login().at(0.5).say("me", 0, error="timeout").at(0.8).stranger("me").exchanges, place(), "unexplained",
    ),
    "stolen": (stolen(2), place(), "refresh_stolen"),
    "stolen, refused, and tried again": (tried_again(), place(), "refresh_stolen"),
    "stolen, and not needed yet": (stolen(0.7), place(), "unexplained"),
    "the store was killed": (
        Story().login().at(6).stranger("me").exchanges, place(strike("store-kill", "store", heal=5.5)), "store_lost",
    ),
    "killed, and known since by the access token": (
        Story().login().at(5.5).me({}).at(6.2).stranger("me").exchanges,
        place(strike("store-kill", "store", heal=5.2), limits=Limits(access_lifetime_s=6.0)), "store_lost",
    ),
    "killed before the login": (
        Story().at(5).login().at(8).stranger("me").exchanges, place(strike("store-kill", "store", at=3, heal=4)),
        "unexplained",
    ),
    "not used for a lifetime": (
        Story().login().at(6).stranger("me").exchanges, place(session_lifetime_s=3), "expired",
    ),
    "renewed within its lifetime": (
        Story().login().at(2.5).me({}).at(4.4).stranger("me").exchanges, place(session_lifetime_s=3), "unexplained",
    ),
    "changing the cart renews nothing": (
        Story().login().at(0.9).add("tea", shows={"tea": 1}).at(3.5).stranger("me").exchanges,
        place(session_lifetime_s=3), "expired",
    ),
    "its absolute end": (
        Story().login().at(2).me({}).at(3.5).me({}).at(5.2).stranger("me").exchanges, place(session_absolute_s=5),
        "expired",
    ),
    "before its absolute end": (
        Story().login().at(2).me({}).at(4.5).stranger("me").exchanges, place(session_absolute_s=5), "unexplained",
    ),
    "keys ask earlier, and end nothing": (
        Story().login().at(6).stranger("me").exchanges, place(strike("key-swap", heal=5.2)), "unexplained",
    ),
    "nor do clocks": (Story().login().at(6).stranger("me").exchanges, place(strike("clock-ahead")), "unexplained"),
    "keys ask earlier, and two asked at once": (
        pair(6, 6.005), place(strike("key-swap", heal=5.2), limits=Limits()), "refresh_race",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", list(CASES))
def test_why_it_was_lost(name: str) -> None:
    records, at, named = CASES[name]
    assert [loss.cause for loss in losses(records, at) if loss.kind == "logged_out"] == [named]


OUTLIVED = {
    "the access token was good": (used_after(), place(limits=Limits()), "access_token_good"),
    "the store became an older one": (
        used_after(), place(strike("promoted", "store", at=2.5, heal=3), limits=Limits(access_lifetime_s=0.5)),
        "not_replicated",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", list(OUTLIVED))
def test_why_it_outlived_its_end(name: str) -> None:
    records, at, named = OUTLIVED[name]
    assert cause(records, at) == named


def test_the_witness_has_both_uses() -> None:
    loss = only(*CASES["both at the end of the access token"][:2])
    asked = [event.what for event in loss.witness if "asked who it is" in event.what]
    assert len(asked) == 2, loss.witness


def test_a_killed_store_is_credited() -> None:
    assert faults(*CASES["the store was killed"][:2]) == {0}


def test_a_cart_in_an_access_token_that_is_not_accepted() -> None:
    told = Story().login().at(1).add("tea", shows={"tea": 1}).at(6).cart({}, node="n2")
    (loss,) = replayed(told.exchanges, place(strike("key-swap", heal=5.2))).losses()
    assert (loss.kind, loss.cause) == ("cart_lost", "key_changed")


@pytest.mark.parametrize(("between", "named"), [("n2", "key_changed"), ("n1", "unexplained")])
def test_a_cart_that_a_page_without_a_cart_took_from_the_access_token(between: str, named: str) -> None:
    told = Story().login().at(6).add("tea", shows={"tea": 1}).at(7).browse(between).at(8).cart({})
    (loss,) = replayed(told.exchanges, place(strike("key-swap", at=5, heal=5.2))).losses()
    assert (loss.kind, loss.cause) == ("cart_lost", named)


def test_a_page_from_before_the_cart_took_nothing_from_it() -> None:
    told = Story().login().at(6).browse("n2").at(7).add("tea", shows={"tea": 1}).at(8).cart({})
    (loss,) = replayed(told.exchanges, place(strike("key-swap", at=5, heal=5.2))).losses()
    assert (loss.kind, loss.cause) == ("cart_lost", "unexplained")


ISSUE = Issue(0, 1)


def use(sent_us: int, done_us: int, *, sure: bool = True, issue: Issue = ISSUE, **changes: object) -> TokenUse:
    told = replace(Story().say("me").last, sent_us=sent_us, done_us=done_us, **changes)
    return TokenUse(issue, told, sure)


def second_use(*uses: TokenUse, grace_s: float = 0.0) -> list[Harm]:
    """What these uses of a trail come to, for an answer that shows no token of its own."""
    at = circumstances_of(place(limits=Limits(access_lifetime_s=1.0, refresh_grace_s=grace_s)))
    trail = TokenTrail(Story().login().last, 1_000_000)
    trail.uses = list(uses)
    return used_twice(trail, replace(Story().stranger("me").last, request=""), at)


def race(word: str, at_us: int, *, sure: bool) -> list[Harm]:
    return [Harm(Factor("seen", word), word, at_us, sure)]


class TestSecondUse:
    @pytest.mark.parametrize(("first", "second"), [(True, True), (True, False), (False, True), (False, False)])
    def test_it_is_sure_if_both_are(self, first: bool, second: bool) -> None:
        found = second_use(use(0, 10, sure=first), use(20, 30, sure=second))
        assert found == race("refresh_race", 20, sure=first and second)

    def test_each_of_a_token_of_its_own_is_none(self) -> None:
        assert second_use(use(0, 10), use(20, 30, issue=Issue(5, 6))) == []
        assert second_use(use(0, 10)) == []

    @pytest.mark.parametrize(
        ("sent_us", "done_us", "sure"),
        [(400_000, 500_000, None), (400_000, 500_001, False), (510_000, 510_001, False), (510_001, 520_000, True)],
    )
    def test_within_the_grace_window_it_does_no_harm(self, sent_us: int, done_us: int, sure: bool | None) -> None:
        """From the first one's sending to whichever is answered last it may be half a second."""
        uses = use(0, 10_000), use(sent_us, done_us)
        wanted = [] if sure is None else race("refresh_race", sent_us, sure=sure)
        assert second_use(*uses, grace_s=0.5) == second_use(*reversed(uses), grace_s=0.5) == wanted
        slow = use(0, 500_001), use(1, 20)
        assert second_use(*slow, grace_s=0.5) == race("refresh_race", 1, sure=False)
        assert second_use(*slow, grace_s=0.6) == []

    @pytest.mark.parametrize(
        ("status", "word"),
        [(0, "refresh_answer_lost"), (1, "refresh_race"), (499, "refresh_race"), (500, "refresh_answer_lost")],
    )
    def test_an_answer_that_never_came(self, status: int, word: str) -> None:
        assert second_use(use(0, 10, status=status), use(20, 30)) == race(word, 20, sure=True)
        assert second_use(use(0, 10), use(20, 30, status=status)) == race("refresh_race", 20, sure=True)

    def test_by_somebody_else(self) -> None:
        for uses in ((use(0, 10, jar="thief"), use(20, 30)), (use(0, 10, status=0), use(20, 30, jar="thief"))):
            assert second_use(*uses) == race("refresh_stolen", 20, sure=True)

    def test_the_first_one_is_told_and_what_is_sure_before_what_may_be(self) -> None:
        assert second_use(use(0, 10), use(20, 30), use(40, 50)) == race("refresh_race", 20, sure=True)
        assert second_use(use(0, 10), use(20, 30, sure=False), use(40, 50)) == race("refresh_race", 40, sure=True)
        both = second_use(use(0, 10), use(20, 30, sure=False, jar="thief"), use(40, 50))
        assert both == race("refresh_race", 40, sure=True)


class TestRefusedEarly:
    @pytest.mark.parametrize(("sent_us", "may"), [(5_099_999, True), (5_100_000, False)])
    def test_two_that_overlapped_may_have_shown_the_same(self, sent_us: int, may: bool) -> None:
        at = circumstances_of(place(strike("key-swap", heal=5.2), limits=Limits()))
        trail = TokenTrail(Story().login().last, 900_000_000)
        trail.saw(replace(Story().me({}).last, sent_us=5_000_000, done_us=5_100_000))
        answer = replace(Story().stranger("me").last, sent_us=sent_us, done_us=5_200_000)
        assert used_twice(trail, answer, at) == (race("refresh_race", sent_us, sure=False) if may else [])
        assert used_twice(trail, answer, circumstances_of(place(limits=Limits()))) == []


@pytest.mark.parametrize(("sent_us", "good"), [(2_509_999, True), (2_510_000, False)])
def test_an_access_token_is_good_for_so_long_after_its_last_making(sent_us: int, good: bool) -> None:
    end = replace(Story().logout().last, sent_us=2_000_000, done_us=2_010_000)
    used = Outlived(None, end, replace(Story().probe("stolen").last, sent_us=sent_us))
    at = circumstances_of(place(limits=Limits(access_lifetime_s=0.5)))
    assert RULES["refresh"].outlived(used, at) == ([setting("access_token_good")] if good else [])


def test_what_was_never_opened_was_not_lost() -> None:
    at = circumstances_of(place())
    assert RULES["refresh"].harms(SessionLife(at.run), Story().stranger().last, at) == []
