"""The books of what was asked with other cookies than a shopper's own, and of what is no request."""

from __future__ import annotations

import msgspec
import pytest

from loadtests.model.history import Jar
from tests.loadtests.judging.test_books import books_of, closed, plan_of
from tests.loadtests.stories import Story, scene, stored


class TestOtherCookies:
    """What is asked with other cookies than the shopper's own stands in the plan, and in no cart."""

    def test_a_probe_that_was_refused_may_count_as_ok_for_it_went_as_it_should(self) -> None:
        told = Story().login().logout().probe("stolen", status=401)
        told.exchanges[-1] = msgspec.structs.replace(told.exchanges[-1], outcome="ok")
        assert books_of(told).problems == ()
        assert books_of(told).actions.ok == 3

    def test_of_the_shoppers_own_that_is_a_contradiction(self) -> None:
        told = Story().login().stranger()
        told.exchanges[-1] = msgspec.structs.replace(told.exchanges[-1], outcome="ok")
        assert "does not go with status 401" in books_of(told).problems[0]

    def test_a_second_devices_cart_is_not_the_shoppers(self) -> None:
        told = Story().login().add("tea", shows={"tea": 1})
        told.say("add", sku="mug", quantity=2, jar="second", shows={"mug": 2}).audit({"tea": 1})
        found = books_of(told)
        assert (found.problems, found.items.acknowledged, found.items.kept) == ((), 1, 1)

    def test_what_nobody_answered_there_settles_nothing_here(self) -> None:
        told = Story().login().say("add", 503, sku="mug", quantity=2, jar="second").audit({})
        found = books_of(told)
        assert (found.problems, found.actions.unknown, found.items.undecided) == ((), 1, 0)

    def test_an_order_made_there_is_a_promise_all_the_same(self) -> None:
        told = Story().login().say("checkout", 201, jar="second", order="o1", key="k")
        request = told.last.request
        assert books_of(told, orders=[stored("o1", {"mug": 1}, request=request, key="k")]).problems == ()
        _, replay = closed(plan_of(told), told.exchanges, scene())
        assert [loss.kind for loss in replay.losses()] == ["order_lost"]

    def test_the_jar_must_be_the_planned_one(self) -> None:
        told = Story().login().probe("stolen")
        planned = plan_of(told)
        told.exchanges[-1] = msgspec.structs.replace(told.exchanges[-1], jar="second")
        books, _ = closed(planned, told.exchanges, scene())
        assert "the plan says with jar 'stolen', the history 'second'" in books.problems[0]


class TestWhatIsNotARequest:
    def test_losing_the_balancers_cookie_sends_nothing_and_is_ok(self) -> None:
        told = Story().login().say("forget_node", 0)
        told.exchanges[-1] = msgspec.structs.replace(told.exchanges[-1], outcome="ok", request="", sent_us=-1)
        found = books_of(told)
        assert (found.problems, found.actions.ok) == ((), 2)

    def test_sending_something_would_be_a_contradiction(self) -> None:
        told = Story().login().say("forget_node", 0)
        told.exchanges[-1] = msgspec.structs.replace(told.exchanges[-1], outcome="ok")
        assert books_of(told).problems

    @pytest.mark.parametrize("outcome", ["ok", "failed"])
    def test_a_stream_that_broke_off_was_opened(self, outcome: str) -> None:
        told = Story().login().say("watch", dropped=True)
        told.exchanges[-1] = msgspec.structs.replace(told.exchanges[-1], outcome=outcome)
        assert books_of(told).problems == ()


@pytest.mark.parametrize(
    ("jar", "status", "balances"),
    [
        ("stolen", 400, True),
        ("stolen", 499, True),
        ("stolen", 500, False),
        ("main", 401, False),
        ("stolen", 399, False),
    ],
)
def test_only_what_others_were_refused_as_meant_is_ok_without_success(jar: Jar, status: int, balances: bool) -> None:
    told = Story().login().probe(jar, "browse", status)
    told.exchanges[-1] = msgspec.structs.replace(told.last, outcome="ok")
    problems = [problem for problem in books_of(told).problems if "does not go with status" in problem]
    assert (problems == []) is balances
