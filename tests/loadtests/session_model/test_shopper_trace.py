"""What is kept of a shopper while a history is read: for the witness, for the order, and as it was at one moment."""

from __future__ import annotations

import copy

import msgspec
import pytest

from loadtests.model.application import ApplicationFacts
from loadtests.session_model.shopper_trace import AcknowledgedOrder, ShopperTrace, packed, packed_order
from tests.loadtests.session_model.accused import where
from tests.loadtests.stories import Story, stored


def followed(told: Story, *, until: int | None = None) -> ShopperTrace:
    """The trace after those exchanges, as a replay keeps it."""
    person = ShopperTrace(1, where("redis"))
    for exchange in told.exchanges[:until]:
        for finding in person.memory.saw(exchange):
            assert finding.kind == "logged_out"
            person.lost_login(exchange)
        person.keep(exchange)
    return person


ORDER = packed(Story().login().checkout("o1", "k1").last, {"tea": 2})


class TestOrders:
    @pytest.mark.parametrize(
        ("lines", "missing", "extra"),
        [({"tea": 2}, 0, 0), ({"tea": 1}, 1, 0), ({"tea": 3}, 0, 1), ({"mug": 2}, 2, 2), ({"tea": 2, "mug": 1}, 0, 1)],
    )
    def test_what_is_missing_in_one_and_what_is_in_it_beside(
        self, lines: dict[str, int], missing: int, extra: int
    ) -> None:
        order = stored("o1", lines, request="r")
        assert (ORDER.missing(order), ORDER.extra(order)) == (missing, extra)

    def test_of_a_cart_that_nobody_knows_nothing_is_missing_nor_beside(self) -> None:
        unknown = AcknowledgedOrder(ORDER.exchange, None)
        order = stored("o1", {"tea": 2}, request="r")
        assert (unknown.missing(order), unknown.extra(order)) == (0, 0)

    @pytest.mark.parametrize(
        ("order", "user", "key", "kept"),
        [
            ("o1", "user-0001", "k1", True), ("o1", "user-0001", "", True), ("o1", "user-0001", "k2", False),
            ("o2", "user-0001", "k1", False), ("o1", "user-0002", "k1", False),
        ],
    )  # fmt: skip
    def test_it_is_kept_by_its_number_its_owner_and_its_key(self, order: str, user: str, key: str, kept: bool) -> None:
        assert ORDER.kept_by(stored(order, {"tea": 2}, request="r", user=user, key=key)) is kept
        keyless = AcknowledgedOrder(msgspec.structs.replace(ORDER.exchange, key=""), {"tea": 2})
        assert keyless.kept_by(stored(order, {}, request="r", user=user, key=key)) is (kept or key == "k2")

    def test_what_order_and_promise_both_say_they_hold_together(self) -> None:
        alike = packed_order(stored("o1", {"tea": 2}, request="r", key="k1"), ORDER)
        assert alike.lines is ORDER.cart
        assert alike.order is ORDER.exchange.order
        for promise in (None, packed(ORDER.exchange, None), packed(ORDER.exchange, {"tea": 1})):
            assert packed_order(stored("o1", {"tea": 2}, request="r"), promise).lines == {"tea": 2}

    def test_the_answer_before_it_is_kept_with_it(self) -> None:
        shown = Story().cart({}).last
        assert packed(ORDER.exchange, {}, shown).shown is shown
        assert packed(ORDER.exchange, {}).shown is None


class TestWitnesses:
    def test_the_cart_that_was_last_shown(self) -> None:
        told = Story().login().cart({}).say("orders").browse()
        assert followed(told).cart is told.exchanges[1]

    @pytest.mark.parametrize("short", [False, True])
    def test_a_cookie_that_was_refused_whichever_way_it_was_taken_in(self, short: bool) -> None:
        refused = Story().login().say("add", sku="tea", quantity=1, shows={"tea": 1}, cookie_refused=True).last
        person = ShopperTrace(1, where("redis"))
        (person.keep_cart if short else person.keep)(refused)
        assert person.refused is refused
        assert person.cart is refused

    @pytest.mark.parametrize(("sent_us", "still_out"), [(-1, True), (0, False)])
    def test_a_cart_shown_later_ends_being_out(self, sent_us: int, still_out: bool) -> None:
        """What was sent before the stranger's answer came is of the session before."""
        told = Story().login().stranger()
        person = followed(told)
        shown = msgspec.structs.replace(Story().cart({}).last, sent_us=told.last.done_us + sent_us)
        person.keep(shown)
        assert (person.out is not None) is still_out

    def test_whoever_leaves_is_not_out_any_more(self) -> None:
        told = Story().login().stranger().logout()
        assert followed(told, until=2).out is told.exchanges[1]
        assert followed(told).out is None
        assert followed(Story().login().stranger().logout(status=503)).out is not None, "nobody knows"

    def test_the_first_time_out_is_remembered(self) -> None:
        told = Story().login().stranger().login(why="recovery").stranger()
        person = followed(told)
        assert (person.logouts, person.first_out_us) == (2, told.exchanges[1].done_us)
        assert person.out is told.last

    def test_the_last_logout_everywhere_beside_the_last_one(self) -> None:
        told = Story().login().say("logout_everywhere").login().logout()
        person = followed(told)
        assert (person.left_everywhere, person.left) == (told.exchanges[1], told.last)
        doubt = followed(Story().login().say("logout_everywhere").login().say("logout_everywhere", 503))
        assert (doubt.left_everywhere, doubt.left) == (None, None)


def test_what_is_remembered_in_the_session_goes_with_it() -> None:
    account = ApplicationFacts("shop", "B", "0", ("login",), in_account=True)
    for application, after in (
        (None, {}), (msgspec.structs.replace(account, in_account=False), {}), (account, {"tea": 1})
    ):  # fmt: skip
        person = ShopperTrace(1, msgspec.structs.replace(where("redis"), application=application))
        for exchange in Story().login().add("tea", shows={"tea": 1}).logout().exchanges:
            person.memory.saw(exchange)
        assert person.memory.possible_carts() == [after]


def test_as_it_is_now_whatever_comes_next() -> None:
    told = Story().login().cart({}).stranger()
    person = followed(told, until=2)
    before = copy.copy(person)
    person.lost_login(told.last)
    person.keep(told.last)
    person.keep(Story().at(5).login("n2").last)
    assert (before.shopper, before.logouts, before.out, before.login) == (1, 0, None, told.exchanges[0])
    assert before.life.known is told.exchanges[1]
    assert before.life.opened is told.exchanges[0]
    assert person.life.opened is not told.exchanges[0]
