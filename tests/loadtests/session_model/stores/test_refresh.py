"""A session that a refresh token renews: each effect is accused, its near miss is not."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from compose.cluster import Limits
from loadtests.model.history import Exchange
from loadtests.session_model.timeline import RunTimeline
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
