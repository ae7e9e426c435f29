"""The replay tells every check, survives one that raises, and keeps nothing it does not need."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from loadtests.checks.contract import Check
from loadtests.checks.logged_out import LoggedOut
from loadtests.judging import replay as module
from loadtests.judging.books import Books, Steps
from loadtests.judging.replay import HistoryReplay
from loadtests.model.application import ApplicationFacts
from loadtests.model.history import Exchange
from loadtests.session_model.carts import Contradiction, Items
from loadtests.session_model.expectations import ExpectedSession
from loadtests.session_model.shopper_trace import ShopperTrace
from tests.loadtests.model_shop import MODELLED, Model
from tests.loadtests.session_model.accused import strike, where
from tests.loadtests.stories import Story, replayed, scene, stored


class _CrashesTheSecondTime(LoggedOut):
    def contradicted(self, person: ShopperTrace, exchange: Exchange, finding: Contradiction) -> None:
        if self.losses:
            raise ZeroDivisionError("ouch")
        super().contradicted(person, exchange, finding)


class _CrashesAtTheEnd(Check):
    kind = "order_lost"
    rule = "Never."

    def close(self) -> None:
        raise RuntimeError("too late")


def test_what_a_check_found_before_it_crashed_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHECKS", {"logged_out": _CrashesTheSecondTime})
    replay = HistoryReplay(scene())
    told = Story().login().stranger().login(why="recovery").stranger().login(why="recovery").stranger()
    for exchange in told.exchanges:
        replay.add(exchange)
    replay.close()
    assert replay.crashed == {"logged_out": "ZeroDivisionError: ouch"}
    assert len(replay.losses()) == 1
    assert replay.people[1].logouts == 3, "the memory goes on"


def test_a_crash_at_the_end_is_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHECKS", {"order_lost": _CrashesAtTheEnd, "logged_out": LoggedOut})
    replay = HistoryReplay(scene())
    for exchange in Story().login().stranger().exchanges:
        replay.add(exchange)
    replay.close()
    assert replay.crashed == {"order_lost": "RuntimeError: too late"}
    assert [loss.kind for loss in replay.losses()] == ["logged_out"]


def test_of_a_run_that_goes_on_the_checks_see_what_has_come_since() -> None:
    replay = HistoryReplay(scene(finished=False))
    login, stranger = Story().login("n2").at(6).stranger(node="n1").exchanges
    replay.add(login)
    replay.see(scene(("n2", 5)))
    replay.add(stranger)
    for exchange in Story(2).login().checkout("o1").exchanges:
        replay.add(exchange)
    replay.close()
    assert [(loss.kind, loss.cause) for loss in replay.losses()] == [
        ("order_lost", "unexplained"), ("logged_out", "node_killed"),
    ]  # fmt: skip
    assert replay.facts() == 3, "the stranger's answer, the order's, and the database"


def test_losses_come_in_order_of_time() -> None:
    replay = HistoryReplay(scene())
    for exchange in [*Story(2).at(5).login().stranger().exchanges, *Story(1).at(1).login().stranger().exchanges]:
        replay.add(exchange)
    replay.close()
    assert [loss.shopper for loss in replay.losses()] == [1, 2]


def test_facts_are_counted() -> None:
    replay = HistoryReplay(scene())
    for exchange in Story().login().cart({}).checkout("o1").exchanges:
        replay.add(exchange)
    replay.close()
    assert replay.facts() == 2 + 1 + 1, "login and cart, login again, the order against the database"


def test_orders_that_nobody_looked_up_are_no_facts() -> None:
    replay = HistoryReplay(scene(finished=False))
    for exchange in Story().login().cart({}).checkout("o1").exchanges:
        replay.add(exchange)
    replay.close()
    assert replay.facts() == 2 + 1


@pytest.mark.parametrize("architecture", MODELLED)
@pytest.mark.parametrize("seed", range(12))
def test_the_short_way_leads_where_the_long_one_does(
    architecture: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`ExpectedSession.confirms` takes in nearly all answers without what `ExpectedSession.saw` would think about."""
    model = Model(seed, architecture=architecture)

    def found() -> list[object]:
        replay, books = HistoryReplay(model.scene), Books(Steps(model.plan.shoppers))
        for record in model.records:
            if isinstance(record, Exchange):
                replay.add(record)
                books.add(record)
        replay.close()
        people = [
            (person.life.known, person.cart, person.out, person.memory.facts) for person in replay.people.values()
        ]
        return [replay.losses(), people, books.close(replay, orders_read=False)]

    in_short = found()
    monkeypatch.setattr(ExpectedSession, "confirms", lambda memory, exchange: False)
    assert found() == in_short


def test_the_answer_before_an_order_is_kept_only_where_it_may_be_asked_for() -> None:
    versions = where("redis", strike("deploy-typed", "n1", at=1, heal=2))
    for overlapped, at, kept in ((False, where("redis"), False), (True, where("redis"), True), (False, versions, True)):
        told = Story().at(4).login().add("tea", shows={"tea": 1})
        told.exchanges[-1] = shown = replace(told.last, overlapped=overlapped)
        (promise,) = replayed(told.checkout("o1").exchanges, at).promises
        assert promise.shown == (shown if kept else None)


def in_doubt() -> Story:
    """An error answers the checkout of two mugs; the next look at the cart shows it empty."""
    return Story().login().add("mug", 2, shows={"mug": 2}).checkout(status=503).cart({})


def test_what_is_gone_and_was_not_ordered_is_lost() -> None:
    told = in_doubt()
    (loss,) = replayed(told.exchanges, scene()).losses()
    assert (loss.kind, loss.items, loss.at_ms) == ("cart_lost", 2, told.last.done_us / 1000)
    shown, ordered, empty, database = (event.what for event in loss.witness[1:])
    assert ("2 mug" in shown, "503" in ordered, "nothing" in empty) == (True, True, True)
    assert database == "after the run, the database holds no such order"
    order = stored("o1", {"mug": 2}, request=told.exchanges[-2].request)
    assert replayed([*told.exchanges, order], scene()).losses() == (), "the database has the order"
    assert replayed(told.exchanges, scene(finished=False)).losses() == (), "nobody has read the database"
    other = replace(scene(), application=ApplicationFacts("notes", "B", "", ()))
    assert replayed(told.exchanges, other).losses() == (), "it shows none"


def test_without_an_order_a_cart_that_holds_something_else_lacks_items() -> None:
    told = Story().login().add("mug", 2, shows={"mug": 2}).checkout(status=503).add("tea")
    assert [it.kind for it in replayed(told.cart({"tea": 1}).exchanges, scene()).losses()] == ["items_lost"]
    told = in_doubt().add("tea", shows={"tea": 1})
    assert [it.kind for it in replayed(told.exchanges, scene()).losses()] == ["cart_lost"], "it was seen empty before"


def test_a_refusal_of_a_checkout_that_may_have_been_repeated_shows_the_cart_gone() -> None:
    told = Story().login().add("mug", shows={"mug": 1}).checkout(status=400)
    told.exchanges[-1] = repeated = replace(told.last, outcome="unknown")  # as it is judged where a balancer repeats
    (loss,) = replayed(told.exchanges, scene()).losses()
    assert (loss.kind, loss.at_ms) == ("cart_lost", repeated.done_us / 1000)
    order = stored("o1", {"mug": 1}, request=repeated.request)
    assert replayed([*told.exchanges, order], scene()).losses() == ()


@pytest.mark.parametrize("status", [400, 401])
def test_a_checkout_that_itself_shows_what_is_gone_is_one_witness(status: int) -> None:
    told = Story().login().add("mug", shows={"mug": 1}).checkout(status=status)
    told.exchanges[-1] = repeated = replace(told.last, outcome="unknown")  # as it is judged where a balancer repeats
    told.login(why="recovery").cart({})
    loss = replayed(told.exchanges, scene()).losses()[-1]
    assert (loss.kind, [event.request for event in loss.witness].count(repeated.request)) == ("cart_lost", 1)


def test_where_nobody_knows_what_was_in_the_cart_nobody_says_that_it_was_lost() -> None:
    told = Story().login().add("mug", 2, shows={"mug": 2}).checkout(status=503).me(None, user="user-0002").cart({})
    replay, book = replayed(told.exchanges, scene()), Items()
    replay.enter_denied(book)
    assert ([loss.kind for loss in replay.losses()], book.undecided, book.balance()) == (["wrong_user"], 2, 0)


def test_a_checkout_that_came_late_and_made_no_order_explains_nothing() -> None:
    told = Story().login().add("mug", shows={"mug": 1}).checkout(status=0).cart({"mug": 1}).cart({})
    assert [it.kind for it in replayed(told.exchanges, scene()).losses()] == ["cart_lost"]
    order = stored("o1", {"mug": 1}, request=told.exchanges[2].request)
    assert replayed([*told.exchanges, order], scene()).losses() == ()


def test_what_was_lost_with_the_login_is_lost_with_its_cause() -> None:
    told = Story().at(4).login("n2").add("mug", 2, shows={"mug": 2}, node="n2").at(5.1).checkout(status=503)
    told.stranger().login("n1", why="recovery").cart({})
    found = replayed(told.exchanges, scene(("n2", 5))).losses()
    assert [(loss.kind, loss.cause) for loss in found] == [
        ("logged_out", "node_killed"), ("cart_lost", "session_gone_with_login"),
    ]  # fmt: skip
