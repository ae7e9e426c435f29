"""Witnesses in words: who asked what, what came back, and what struck; in order of time."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from loadtests.checks.witness import affected_by, answered_as_shopper, before_loss, in_database, units, witness_event
from loadtests.model.history import Do, Exchange, Jar
from loadtests.model.results import WitnessEvent
from loadtests.session_model.causes import Reason
from loadtests.session_model.shopper_trace import ShopperTrace
from tests.loadtests.session_model.accused import where
from tests.loadtests.stories import Story, fault, stored


def words(exchange: Exchange) -> str:
    event = witness_event(exchange)
    assert event is not None
    return event.what


@pytest.mark.parametrize(
    ("exchange", "said"),
    [
        (Story().login().last, "asked to be logged in: acknowledged (200)"),
        (Story().login(status=401).last, "asked to be logged in: refused (401)"),
        (Story().add("tea", 2, shows={"tea": 2}).last, "put 2 tea into the cart: the cart shown holds 2 tea (200)"),
        (Story().remove("tea", shows={}).last, "took tea out of the cart: the cart shown holds nothing (200)"),
        (Story().say("remember", sku="tea").last, "asked it to remember tea: acknowledged (200)"),
        (Story().say("recall", shows={"tea": 1}).last,
         "asked what it remembers: what it remembers is 1 tea (200)"),
        (Story().me({"tea": 1, "mug": 2}).last,
         "asked who it is: known as user-0001, the cart shown holds 2 mug, 1 tea (200)"),
        (Story().checkout("o1").last, "ordered the cart: order o1 (201)"),
        (Story().stranger().last, "asked for the cart: answered as a stranger (401)"),
        (Story().say("cart", 0).last, "asked for the cart: no answer (none came)"),
        (Story().say("cart", 0, error="timeout").last, "asked for the cart: no answer (timeout)"),
        (Story().say("cart", 503).last, "asked for the cart: refused (503)"),
        (Story().say("cart", 503, error="reset").last, "asked for the cart: reset (503)"),
        (Story().say("watch", dropped=True).last, "watched the orders' progress: the connection broke off (200)"),
        (Story().probe("stolen", status=401).last,
         "with a copy of the cookies: asked who it is: answered as a stranger (401)"),
        (Story().probe("second").last, "from a second device: asked who it is: known as user-0001 (200)"),
    ],
)  # fmt: skip
def test_who_asked_what_and_what_came_back(exchange: Exchange, said: str) -> None:
    assert words(exchange) == said


def test_when_where_and_by_which_request() -> None:
    exchange = Story().at(2).me({}, node="n3").last
    assert witness_event(exchange) == WitnessEvent(2010.0, words(exchange), "n3", exchange.request)
    assert witness_event(None) is None


def test_a_fault_that_was_injected() -> None:
    killed = fault("n2", "kill", 5_000_000, 5_020_000)
    assert affected_by(killed) == WitnessEvent(5000.0, "n2 killed (kill), and seen to be: gone", "n2")
    silent = affected_by(replace(killed, evidence=()))
    assert silent is not None
    assert silent.what == "n2 killed (kill), and seen to be"
    store = affected_by(fault("store", "store-kill", 5_000_000, 5_020_000))
    assert store is not None
    assert store.node == ""
    assert affected_by(None) is affected_by(fault("n2", "kill", None)) is None


@pytest.mark.parametrize(
    ("do", "jar", "status", "user", "known"),
    [
        ("me", "stolen", 200, "user-0001", True), ("orders", "stolen", 200, "", True),
        ("me", "stolen", 200, "user-0002", False), ("me", "stolen", 401, "", False), ("me", "stolen", 503, "", False),
        ("browse", "stolen", 200, "user-0001", False),
    ],
)  # fmt: skip
def test_who_was_taken_for_the_shopper(do: Do, jar: Jar, status: int, user: str, known: bool) -> None:
    assert answered_as_shopper(Story().say(do, status, jar=jar, user=user).last) is known
    assert not answered_as_shopper(replace(Story().me({}).last, stranger=True))


def test_what_the_database_holds() -> None:
    order = stored("o1", {"tea": 2, "mug": 1}, request="r")
    said = "after the run, the database holds order o1 of user-0001: 1 mug, 2 tea"
    assert in_database(order, 5.0) == WitnessEvent(5.0, said, request="r")
    assert in_database(None, 5.0) == WitnessEvent(5.0, "after the run, the database holds no such order")
    assert units({}) == "nothing"


def test_what_was_acknowledged_before_in_order_and_once() -> None:
    told_of = Story().login().at(1).add("tea", shows={"tea": 1}).at(2).me({"tea": 1})
    person = ShopperTrace(1, where("redis"))
    for exchange in told_of.exchanges:
        person.keep(exchange)
    killed = fault("n2", "kill", 1_500_000, 1_520_000)
    found = [event.at_ms for event in before_loss(Reason("node_killed", faults=(killed,)), person) if event]
    assert found == [10.0, 1500.0, 2010.0], "the last answer that knew the shopper is the one that showed the cart"
    found = [event.at_ms for event in before_loss(Reason("expired+node_killed"), person) if event]
    assert found == [10.0, 1010.0, 2010.0], "and when its time began, where that was over"
    only_login = ShopperTrace(1, where("redis"))
    only_login.keep(told_of.exchanges[0])
    assert len(before_loss(Reason("expired"), only_login)) == 1


def test_both_uses_of_a_token_and_only_those_that_are_sure() -> None:
    person = ShopperTrace(1, where("refresh-token", access_lifetime_s=1.0))
    for exchange in (Story().login().last, Story().at(1.005).me({}).last, Story().at(5).me({}).last):
        person.keep(exchange)
    assert person.life.tokens is not None
    assert [use.sure for use in person.life.tokens.uses] == [False, True]
    found = [event.at_ms for event in before_loss(Reason("refresh_race"), person) if event]
    assert found == [10.0, 5010.0]
