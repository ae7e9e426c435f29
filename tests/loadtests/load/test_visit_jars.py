"""Whose cookies are sent when, and what becomes of them."""

from __future__ import annotations

import pytest

from loadtests.model.history import Jar
from loadtests.model.plan import Action
from tests.loadtests.load.paper_world import PaperDay

LOGIN, LOGOUT = Action(10, "login"), Action(50, "logout")


def me(at_ms: int, jar: Jar) -> Action:
    return Action(at_ms, "me", jar=jar)


@pytest.mark.parametrize(("revokes", "status"), [(True, 401), (False, 200)])
def test_a_stolen_jar_is_the_one_of_the_moment_before_the_logout(revokes: bool, status: int) -> None:
    day = PaperDay(LOGIN, LOGOUT, me(100, "stolen"), me(200, "stolen"))
    day.browser.revokes = revokes
    day.live(audit=True)
    assert day.words("do", "jar", "outcome", "status")[2:] == [
        ("me", "stolen", "ok", status),
        ("me", "stolen", "ok", status),
        ("me", "main", "failed", 401),
    ]
    assert "session" not in day.browser.jars["main"]
    assert day.findings == []
    assert not day.visit.memory.logged_in


def test_what_was_never_stolen_is_not_tried() -> None:
    day = PaperDay(LOGIN, LOGOUT, me(100, "stolen"), fates={1: "broken", 2: "broken"}).live()
    assert day.words("do", "outcome", "error")[-2:] == [
        ("logout", "not_sent", "not_logged_in"),
        ("me", "not_sent", "not_logged_in"),
    ]


@pytest.mark.parametrize(("revokes", "status"), [(True, 401), (False, 200)])
def test_a_second_device_has_a_session_of_its_own(revokes: bool, status: int) -> None:
    second = Action(20, "login", jar="second")
    day = PaperDay(
        LOGIN, second, Action(30, "add", "bell", 1), me(40, "second"), Action(60, "logout_everywhere"), me(80, "second")
    )  # fmt: skip
    day.browser.revokes = revokes
    day.live()
    assert day.words("do", "jar", "status") == [
        ("login", "main", 200),
        ("login", "second", 200),
        ("add", "main", 200),
        ("me", "second", 200),
        ("logout_everywhere", "main", 200),
        ("me", "second", status),
    ]
    assert day.exchanges[3].cart == {}
    assert day.findings == []


def test_a_second_device_that_could_not_log_in_does_nothing() -> None:
    day = PaperDay(LOGIN, Action(20, "login", jar="second"), me(40, "second"), fates={2: "broken"}).live()
    assert day.words("do", "outcome", "error")[-1] == ("me", "not_sent", "not_logged_in")
    assert day.visit.memory.logged_in


@pytest.mark.parametrize(("regenerates", "status"), [(True, 401), (False, 200)])
def test_a_planted_session_is_what_the_shopper_logs_in_with(regenerates: bool, status: int) -> None:
    day = PaperDay(Action(5, "arrive", jar="planted"), LOGIN, Action(20, "add", "bell", 1), me(40, "planted"))
    day.browser.regenerates = regenerates
    day.live()
    assert day.words("do", "jar", "status") == [
        ("arrive", "planted", 200),
        ("login", "main", 200),
        ("add", "main", 200),
        ("me", "planted", status),
    ]
    assert day.browser.asked[0][4]["Accept"] == "text/html"
    shared = day.browser.jars["planted"]["session"] == day.browser.jars["main"]["session"]
    assert shared is not regenerates
    assert day.findings == []


def test_a_later_planned_login_is_another_visit_with_an_empty_jar() -> None:
    day = PaperDay(LOGIN, Action(20, "add", "bell", 1), Action(40, "login"), Action(60, "cart"))
    day.browser.regenerates = False  # were the jar not empty, the session would stay
    day.live(audit=True)
    assert [each.cart for each in day.exchanges] == [None, {"bell": 1}, None, {}, {}, None]
    assert day.findings == []
    assert day.visit.memory.items.given_up == 1
    assert len(day.browser.sessions) == 2


def test_a_recovery_keeps_the_jar() -> None:
    day = PaperDay(LOGIN, Action(20, "cart"), Action(30, "cart"), fates={2: "forget"})
    day.browser.regenerates = False
    day.live()
    assert day.words("why", "do", "status")[2:] == [("recovery", "login", 200), ("plan", "cart", 200)]
    assert set(day.browser.sessions) == {"s1"}


def test_who_is_told_to_come_again_later_is_audited_later() -> None:
    day = PaperDay(LOGIN, fates={2: "limited", 3: "limited"}).live(audit=True)
    assert day.words("why", "do", "status")[1:] == [
        ("audit", "me", 429),
        ("audit", "me", 429),
        ("audit", "me", 200),
        ("audit", "orders", 200),
    ]


def test_forgetting_the_node_is_recorded_though_nothing_is_sent() -> None:
    day = PaperDay(LOGIN, Action(20, "forget_node"), Action(30, "cart"))
    day.live()
    forgot = day.exchanges[1]
    assert (forgot.request, forgot.outcome, forgot.sent_us, forgot.done_us) == ("", "ok", -1, 20_000)
    assert (forgot.do, forgot.step, forgot.status) == ("forget_node", 1, 0)
    assert len(day.browser.asked) == 2
    assert day.findings == []


@pytest.mark.parametrize("gives_up", [True, False])
def test_who_takes_an_error_for_a_logout_throws_the_session_away(gives_up: bool) -> None:
    day = PaperDay(LOGIN, Action(20, "cart"), Action(30, "me"), fates={2: "broken"}, gives_up=gives_up).live()
    asked = [("login", 200), ("cart", 503), ("me", 401), ("login", 200)] if gives_up else [
        ("login", 200), ("cart", 503), ("me", 200),
    ]  # fmt: skip
    assert [(do, status) for do, status in day.words("do", "status") if do != "forget_session"] == asked
    assert [finding.kind for finding in day.findings] == ["logged_out"] * gives_up
    assert day.words("do").count(("forget_session",)) == gives_up
    assert day.browser.jars["main"]["node"] == "n1", "the balancer's cookie is not the shop's"


def test_requests_that_are_on_their_way_together_say_so() -> None:
    together = Action(30, "me"), Action(30, "cart", beside=True)
    day = PaperDay(LOGIN, *together, Action(200, "orders")).live()
    assert dict(day.words("do", "beside")) == {"login": False, "me": True, "cart": True, "orders": False}
    assert not any(exchange.overlapped for exchange in day.exchanges), "none of them writes"


def test_who_logs_out_beside_another_request_does_not_come_back() -> None:
    day = PaperDay(LOGIN, Action(30, "linger"), Action(40, "logout", beside=True), me(300, "stolen"))
    day.browser.revokes = False
    day.live()
    assert sorted(day.words("do", "jar")) == [
        ("linger", "main"), ("login", "main"), ("logout", "main"), ("me", "stolen"),
    ]  # fmt: skip
    assert day.findings == []


@pytest.mark.parametrize("written", ["", "user-0007"])
def test_what_others_read_in_the_cookies_is_recorded_though_nothing_is_sent(written: str) -> None:
    day = PaperDay(LOGIN, Action(20, "read_cookie", jar="stolen"), Action(30, "cart"))
    day.browser.jars["main"]["note"] = written
    day.live()
    read = day.exchanges[1]
    assert (read.request, read.outcome, read.sent_us, read.done_us) == ("", "ok", -1, 20_000)
    assert (read.do, read.jar, read.step, read.user) == ("read_cookie", "stolen", 1, written)
    assert day.words("do", "status")[2:] == [("cart", 200)]
    assert len(day.browser.asked) == 2
    assert day.findings == []


def test_everybody_says_from_which_address_they_come() -> None:
    day = PaperDay(LOGIN, Action(20, "cart")).live()
    assert {asked[4]["X-Forwarded-For"] for asked in day.browser.asked} == {"198.51.100.7"}
