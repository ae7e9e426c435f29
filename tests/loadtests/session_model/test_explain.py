"""One shopper's session life, told in words."""

from __future__ import annotations

import msgspec

from loadtests.model.results import Loss
from loadtests.session_model.circumstances import circumstances_of
from loadtests.session_model.explain import SessionStory, ShopperStory, Storyteller, in_words
from loadtests.session_model.timeline import RunTimeline
from tests.loadtests.session_model.accused import strike, where
from tests.loadtests.stories import Story


def sessions(told: Story, run: RunTimeline) -> tuple[SessionStory, ...]:
    teller = Storyteller(circumstances_of(run), told.shopper)
    for exchange in told.exchanges:
        teller.add(exchange)
    return teller.sessions


KILLED = where("sticky-memory", strike("kill", heal=5.5))


def test_each_session_ends_as_it_did() -> None:
    told = Story().login("n1").at(1).login("n1").at(2).logout(node="n1").at(3).login("n2").at(6).stranger(node="n2")
    told.login("n3", why="recovery")
    found = sessions(told, KILLED)
    assert [(each.opened_ms, each.node, each.ended_ms, each.ended, each.cause) for each in found] == [
        (10.0, "n1", 1010.0, "another login of the shopper", ""),
        (1010.0, "n1", 2010.0, "the shopper logged out", ""),
        (3010.0, "n2", 6010.0, "n2 answered as to a stranger: node_killed", "node_killed"),
        (6110.0, "n3", None, "nothing: it was good at the end of the run, as far as anybody looked", ""),
    ]


def test_a_write_that_nobody_answered_may_have_prolonged_it() -> None:
    told = Story().login("n2").at(2).add("tea", status=0, node="n2")
    (session,) = sessions(told, KILLED)
    assert (session.written_ms, session.perhaps_written_ms, session.good_until_ms) == (10.0, 2010.0, 3_602_000.0)
    lines = in_words(ShopperStory("sticky-memory", 1, "user-0001", (session,), ())).splitlines()
    assert lines[3] == "    perhaps written at 2.0 s: nobody answered"


def test_who_signed_it_and_by_which_clock() -> None:
    at = where("signed-token", strike("key-swap", at=-3, heal=-2), strike("clock-ahead", "n1", at=-1))
    for node, signed, off, by in (
        ("n2", "next", 0.0, "by n2, signed with its next key"),
        ("n1", "own", 5.0, "by n1, signed with its own key, whose clock was off by +5 s"),
        ("n3", "own", 0.0, "by n3, signed with its own key"),
    ):
        (session,) = sessions(Story().login(node), at)
        assert (session.signed_with, session.clock_off_s) == (signed, off)
        told = in_words(ShopperStory("signed-token", 1, "user-0001", (session,), ()))
        assert f"last written at 0.0 s {by}; good until" in told
    (nowhere,) = sessions(Story().login(""), where("redis"))
    assert (nowhere.signed_with, nowhere.held) == ("", "in the session store")
    told = in_words(ShopperStory("redis", 1, "user-0001", (nowhere,), ()))
    assert "by a node that nobody knows; good until" in told


def test_a_thief_who_renews_it_is_heard_of() -> None:
    told = Story().login().at(0.5).say("read_cookie", 0, jar="thief").at(2).probe("thief").at(4).stranger("me")
    (session,) = sessions(told, where("refresh-token", access_lifetime_s=1.0))
    assert session.cause == "refresh_stolen"
    assert session.counterfactual


def test_what_other_cookies_do_and_what_was_not_sent_opens_nothing() -> None:
    told = Story().say("login", jar="second")
    told.exchanges.append(msgspec.structs.replace(told.last, jar="main", outcome="not_sent"))
    assert sessions(told, KILLED) == ()


def test_in_words_each_line_stands_where_it_belongs() -> None:
    (session,) = sessions(Story().login("n2").at(6).stranger(node="n2"), KILLED)
    lost = Loss("logged_out", 1, 6010.0, "n1", "node_killed", (), counterfactual="without it", considered=("a", "b"))
    in_database = Loss("order_lost", 1, 7000.0, "", "unexplained", ())
    told = ShopperStory("sticky-memory", 1, "user-0001", (session,), (lost, in_database))
    assert in_words(told).splitlines() == [
        "shopper 1 (user-0001) in sticky-memory",
        "  session 1: opened by the login at 0.0 s at n2, in the memory of n2",
        "    last written at 0.0 s by n2; good until 3,600.0 s",
        "    ended at 6.0 s: n2 answered as to a stranger: node_killed",
        "    without killing n2 at 5.0 s, this session was good until 3,600.0 s",
        "  2 losses:",
        "  6.0 s logged_out (node_killed), shown by n1",
        "    without it",
        "    considered and excluded: a",
        "    considered and excluded: b",
        "  7.0 s order_lost (unexplained)",
    ]
    assert in_words(ShopperStory("redis", 2, "user-0002", (), (lost,))).splitlines()[1:3] == [
        "  never logged in", "  1 loss:",
    ]  # fmt: skip
    assert in_words(ShopperStory("redis", 2, "user-0002", (), ())).splitlines()[2] == "  no losses"
