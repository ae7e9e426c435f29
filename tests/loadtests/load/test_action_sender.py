"""What is sent for an action, and what is recorded of it, also of what is stopped in the middle."""

from __future__ import annotations

from collections.abc import Iterator
from unittest.mock import Mock

import pytest

from loadtests.load.action_sender import ActionSender
from loadtests.load.answers import ShopAnswer
from loadtests.load.jars import ShopperJars
from loadtests.load.shopper_history import ShopperHistory, planned
from loadtests.load.worker_config import VisitConfig
from loadtests.model.history import Exchange, Jar
from loadtests.model.plan import Action, ClientLimits
from loadtests.session_model.expectations import ExpectedSession
from tests.loadtests.load.shop_client import SHOP
from tests.loadtests.load.test_application_client import FORM, PAGE, answer, client

TERMS = VisitConfig("redis", "", "r", ClientLimits(), SHOP.http)
LOGIN = planned(Action(5, "login"), 3)


class Stopped(BaseException):
    """What Locust does to a shopper's greenlet."""


class Asked:
    """A browser that gets these answers, and is stopped while it waits for the next one."""

    def __init__(self, *answers: ShopAnswer) -> None:
        self.answers: Iterator[ShopAnswer] = iter(answers)
        self.headers: list[dict[str, str]] = []

    def ask(self, method: str, path: str, headers: dict[str, str], body: bytes, jar: Jar) -> ShopAnswer:
        self.headers.append(headers)
        for each in self.answers:
            return each
        raise Stopped


def sender(browser: Asked) -> tuple[ActionSender, list[Exchange]]:
    """One, and what is recorded of what it sends."""
    recorded: list[Exchange] = []
    clock = Mock(zero_ns=0, now_us=lambda: 7)
    history = ShopperHistory(1, TERMS, clock, ExpectedSession("u1"), lambda exchange, *_: recorded.append(exchange))
    jars = ShopperJars(browser)  # type: ignore[arg-type]
    return ActionSender(1, TERMS, browser, clock, client(FORM), jars, history), recorded  # type: ignore[arg-type]


def test_every_request_of_an_action_is_recorded_and_the_last_one_is_the_actions() -> None:
    browser = Asked(PAGE, answer(302, Location="/home"), answer(200))
    sends, recorded = sender(browser)
    assert sends.send(LOGIN) == recorded[-1]
    assert [(each.why, each.do, each.step, each.planned_us, each.status) for each in recorded] == [
        ("way", "page", -1, 5000, 200),
        ("way", "page", -1, 5000, 302),
        ("plan", "login", 3, 5000, 200),
    ]
    assert [each.request for each in recorded] == [headers["X-Request-Id"] for headers in browser.headers]


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [((), "failed"), ((PAGE,), "unknown"), ((PAGE, answer(302, Location="/home")), "unknown")],
    ids=["the form's page", "the form", "where it leads"],
)
def test_a_write_that_was_stopped_may_have_happened_only_if_it_was_sent(
    answers: tuple[ShopAnswer, ...], outcome: str
) -> None:
    sends, recorded = sender(Asked(*answers))
    with pytest.raises(Stopped):
        sends.send(LOGIN)
    *pages, login = recorded
    assert [each.do for each in pages] == ["page"] * len(answers)
    assert (login.do, login.outcome, login.error, login.status) == ("login", outcome, "stopped", 0)
    assert (login.sent_us, login.done_us) == (7, 7)
