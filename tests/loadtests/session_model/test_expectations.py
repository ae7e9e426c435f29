"""What a shopper may expect: possible carts, what settles them, and what it forgives."""

from __future__ import annotations

import msgspec

from loadtests.session_model.carts import LATE_WRITES, POSSIBLE_CARTS
from loadtests.session_model.expectations import ExpectedSession
from loadtests.session_model.shopper_trace import packed
from tests.loadtests.stories import Story, findings


def after(story: Story) -> ExpectedSession:
    memory = ExpectedSession("user-0001")
    for exchange in story.exchanges:
        memory.saw(exchange)
    return memory


def settled(story: Story) -> dict[str, str]:
    return {each.request[-4:]: each.outcome for each in after(story).settled}


class TestLogin:
    def test_acknowledged(self) -> None:
        assert not after(Story()).logged_in
        assert after(Story().login()).logged_in
        assert not after(Story().login(status=401)).logged_in
        assert not after(Story().login(status=503)).logged_in

    def test_lost_until_the_next_login(self) -> None:
        assert not after(Story().login().stranger()).logged_in
        assert not after(Story().login().stranger().cart({})).logged_in, "recognised again without a login: a flicker"
        assert after(Story().login().stranger().login()).logged_in

    def test_a_later_answer_settles_an_unknown_login(self) -> None:
        told = Story().login(status=503).cart({})
        assert after(told).logged_in
        assert settled(told) == {"0001": "ok"}

    def test_a_later_answer_settles_an_unknown_logout(self) -> None:
        assert settled(Story().login().logout(status=503).stranger()) == {"0002": "ok"}
        assert settled(Story().login().logout(status=503).cart({})) == {"0002": "failed"}


class TestPossibleCarts:
    def test_an_unknown_write_forks(self) -> None:
        memory = after(Story().login().add("tea", shows={"tea": 1}).add("mug", status=503))
        assert memory.possible_carts() == [{"tea": 1}, {"tea": 1, "mug": 1}]

    def test_a_shown_cart_collapses_and_settles(self) -> None:
        told = Story().login().add("tea", status=503).add("mug", status=503).cart({"mug": 1})
        assert after(told).possible_carts() == [{"mug": 1}]
        assert settled(told) == {"0002": "failed", "0003": "ok"}

    def test_a_later_write_collapses_too(self) -> None:
        told = Story().login().add("tea", status=503).add("mug", shows={"mug": 1})
        assert settled(told) == {"0002": "failed"}

    def test_a_write_that_changes_nothing_forks_nothing(self) -> None:
        assert after(Story().login().remove("tea", status=503)).possible_carts() == [{}]
        assert after(Story().login().checkout(status=503)).possible_carts() == [{}]

    def test_what_cannot_be_told_apart_stays_unknown(self) -> None:
        told = Story().login().add("tea", status=503).remove("tea", status=503).cart({})
        assert settled(told) == {}

    def test_an_acknowledged_write_without_a_cart_changes_all(self) -> None:
        memory = after(Story().login().add("tea", status=503).checkout("o1"))
        assert memory.possible_carts() == [{}]
        assert memory.checked_out is None

    def test_the_checked_out_cart_is_remembered(self) -> None:
        assert after(Story().login().add("tea", shows={"tea": 1}).checkout("o1")).checked_out == {"tea": 1}

    def test_also_beside_a_doubt_that_changes_nothing(self) -> None:
        told = Story().login().add("tea", shows={"tea": 1}).remove("mug", status=503).checkout("o1")
        assert after(told).checked_out == {"tea": 1}, "with or without that removal"

    def test_too_many_possible_carts_accuse_nobody(self) -> None:
        told = Story().login()
        for number in range(8):
            told.add(f"sku{number}", status=503)
        memory = after(told)
        assert len(memory.possible_carts()) <= POSSIBLE_CARTS
        told.cart({"sku0": 1, "sku7": 1, "never-put": 1})
        assert findings(told) == []
        assert findings(told.cart({"sku0": 1})) != [], "once a cart was shown, it accuses again"
        assert after(told).book().balance() == 0

    def test_its_own_past_is_never_changed_by_the_history(self) -> None:
        shown = {"tea": 1}
        memory = after(Story().login().add("tea", shows=shown).add("tea", status=503).cart({"tea": 2}))
        assert shown == {"tea": 1}
        assert memory.possible_carts() == [{"tea": 2}]


class TestForgiveness:
    def test_an_unanswered_write_may_come_late(self) -> None:
        told = Story().login().add("tea", status=0).cart({}).cart({"tea": 1})
        assert findings(told) == []
        assert settled(told) == {"0002": "ok"}

    def test_and_settles_only_what_it_can_tell_apart(self) -> None:
        """The checkout came late and emptied the cart: whether the tea was taken out before that, nobody knows."""
        told = Story().login().add("pen", shows={"pen": 1}).checkout(status=0).add("tea", shows={"pen": 1, "tea": 1})
        told.remove("tea", status=0).cart({})
        assert findings(told) == []
        assert settled(told) == {"0003": "ok"}

    def test_after_another_name_only_the_next_cart_is_believed(self) -> None:
        """Also if a write that came late explains it."""
        told = Story().login().add("tea", status=0).cart({})
        told.say("orders", user="user-0002").cart({"tea": 1}).cart({})
        assert [finding.kind for finding in findings(told)] == ["wrong_user", "cart_lost"]

    def test_but_not_into_another_session(self) -> None:
        told = Story().login().add("tea", status=0).cart({}).stranger().login().cart({"tea": 1})
        assert [finding.kind for finding in findings(told)] == ["logged_out", "cart_rolled_back"]

    def test_of_only_so_many(self) -> None:
        def told() -> Story:
            story = Story().login()
            for number in range(LATE_WRITES + 1):
                story.add(f"sku{number}", status=0).cart({})
            return story

        assert findings(told().cart({f"sku{LATE_WRITES - 1}": 1})) == []
        (finding,) = findings(told().cart({f"sku{LATE_WRITES}": 1}))
        assert finding.kind == "cart_rolled_back"

    def test_whose_cart_it_is_after_another_name_nobody_knows(self) -> None:
        told = Story().login().add("tea", shows={"tea": 1}).me({"pen": 9}, user="user-0002").me({"tea": 1})
        assert [finding.kind for finding in findings(told)] == ["wrong_user"]


class TestSentences:
    def test_they_say_what_was_expected(self) -> None:
        (finding,) = findings(Story().login().add("tea", 2, shows={"tea": 2}).cart({"tea": 1}))
        assert finding.detail == "expected 2 tea, was shown 1 tea"


class TestFacts:
    def test_counted_when_compared(self) -> None:
        assert after(Story().login()).facts == 0
        assert after(Story().login().browse()).facts == 0
        assert after(Story().login().cart({})).facts == 2, "the login and the cart"
        assert after(Story().login().stranger()).facts == 1
        assert after(Story().stranger()).facts == 0


def test_a_promise_keeps_what_is_asked_of_it() -> None:
    told = Story().login().add("tea", shows={"tea": 1}).checkout("o1", "k1").last
    full = msgspec.structs.replace(told, planned_us=7, step=2, cookie_bytes=99, body_bytes=99)
    promise = packed(full, {"tea": 1})
    assert promise.cart == {"tea": 1}
    assert promise.exchange == msgspec.structs.replace(full, planned_us=0, step=-1, cookie_bytes=0, body_bytes=0)
    assert packed(full, None).cart is None


def test_a_removal_that_is_acknowledged_and_changes_nothing_is_contradicted() -> None:
    told = Story().login().add("tea", 2, shows={"tea": 2}).remove("tea", shows={"tea": 2})
    assert [(found.kind, found.items) for found in findings(told)] == [("cart_rolled_back", 2)]


def test_what_is_answered_just_as_expected_is_confirmed_at_once() -> None:
    login, *others = Story().login().add("tea", 2, shows={"tea": 2}).remove("tea", shows={}).cart({}).exchanges
    memory = ExpectedSession("user-0001")
    memory.saw(login)
    assert [memory.confirms(exchange) for exchange in others] == [True, True, True]
