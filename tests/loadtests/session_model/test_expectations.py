"""What a shopper may expect: possible carts, what settles them, and what it forgives."""

from __future__ import annotations

import msgspec
import pytest

from loadtests.model.history import Do
from loadtests.session_model.carts import LATE_WRITES, POSSIBLE_CARTS, Cart, Items, PossibleState, lacking
from loadtests.session_model.expectations import ExpectedSession
from loadtests.session_model.shopper_trace import packed
from tests.loadtests.stories import Story, after, findings, settled


class TestLogin:
    def test_acknowledged(self) -> None:
        assert not after(Story()).logged_in
        assert after(Story().login()).logged_in
        assert not after(Story().login(status=401)).logged_in
        assert not after(Story().login(status=503)).logged_in

    def test_who_is_known_without_any_login_is_not_logged_in(self) -> None:
        assert not after(Story().cart({})).logged_in
        assert after(Story()).book().balance() == 0

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


class TestUnits:
    def test_as_many_as_are_missing(self) -> None:
        (finding,) = findings(Story().login().add("tea", 2, shows={"tea": 2}).cart({"tea": 1}))
        assert (finding.kind, finding.items) == ("items_lost", 1)


class TestFacts:
    def test_counted_when_compared(self) -> None:
        assert after(Story().login()).facts == 0
        assert after(Story().login().browse()).facts == 0
        assert after(Story().login().cart({})).facts == 2, "the login and the cart"
        assert after(Story().login().stranger()).facts == 1
        assert after(Story().stranger()).facts == 0
        assert after(Story().login().say("orders")).facts == 1
        assert after(Story().login().cart({"tea": 1})).facts == 2, "also where it is not as expected"


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


def moved(told: Story, sent_us: int, done_us: int) -> Story:
    """The story, with its last exchange at another time."""
    told.exchanges[-1] = msgspec.structs.replace(told.last, sent_us=sent_us, done_us=done_us)
    return told


def named(told: Story) -> list[tuple[str, int]]:
    return [(finding.kind, finding.items) for finding in findings(told)]


class TestWhoIsAccusedOfWhat:
    def test_being_a_stranger_costs_no_goods_by_itself(self) -> None:
        assert named(Story().login().add("tea", shows={"tea": 1}).stranger()) == [("logged_out", 0)]
        assert named(Story().login().me({}, user="user-0002")) == [("wrong_user", 0)]
        assert named(Story().login().say("watch", 401)) == [("logged_out", 0)], "an event stream is told first"
        assert named(Story().login().say("cart", 401, jar="second")) == []

    @pytest.mark.parametrize(("sent_us", "accused"), [(9_999, []), (10_000, [("logged_out", 0)])])
    def test_what_was_sent_before_the_login_was_answered_is_of_the_session_before(
        self, sent_us: int, accused: list[tuple[str, int]]
    ) -> None:
        assert named(moved(Story().login().stranger(), sent_us, 50_000)) == accused

    @pytest.mark.parametrize(
        ("shown", "accused"),
        [
            ({"tea": 2}, [("cart_lost", 1)]),
            ({"tea": 1}, [("cart_lost", 2)]),
            ({}, [("cart_lost", 3)]),
            ({"tea": 3}, [("items_lost", 1), ("cart_rolled_back", 1)]),
            ({"mug": 1}, [("items_lost", 3), ("cart_rolled_back", 1)]),
        ],
    )
    def test_a_cart_that_holds_only_what_was_just_put_there_was_lost(
        self, shown: dict[str, int], accused: list[tuple[str, int]]
    ) -> None:
        told = Story().login().add("pen", shows={"pen": 1}).add("tea", 2, shows=shown)
        assert named(told) == accused

    def test_a_cart_that_was_empty_cannot_be_lost(self) -> None:
        assert named(Story().login().add("tea", 2, shows={"tea": 1})) == [("items_lost", 1)]
        assert named(Story().login().add("tea", 2, shows={"tea": 2}).cart({})) == [("cart_lost", 2)]
        refused = Story().login().add("pen", shows={"pen": 1}).add("tea", status=400).cart({"tea": 1})
        assert named(refused) == [("items_lost", 1), ("cart_rolled_back", 1)], "it put nothing there"

    def test_of_two_possible_carts_the_likelier_one_was_the_true_one(self) -> None:
        told = Story().login().add("tea", shows={"tea": 1}).add("mug", 5, status=503)
        told.cart({"tea": 1, "mug": 5, "pen": 1})
        assert named(told) == [("cart_rolled_back", 1)]
        assert settled(told) == {"0003": "ok"}
        told = Story().login().add("tea", 3, shows={"tea": 3}).remove("tea", status=503).cart({"pen": 1})
        assert named(told) == [("cart_rolled_back", 1)]
        assert settled(told) == {"0003": "ok"}

    def test_what_came_late_settles_the_others_too(self) -> None:
        told = Story().login().add("tea", status=0).cart({}).add("mug", status=503).cart({"tea": 1, "mug": 1})
        assert named(told) == []
        assert settled(told) == {"0002": "ok", "0004": "ok"}

    def test_a_new_session_begins_with_an_empty_cart(self) -> None:
        told = Story().login().add("tea", shows={"tea": 1}).logout().login().cart({"tea": 1})
        assert named(told) == [("cart_rolled_back", 1)]

    def test_an_error_that_was_answered_does_not_come_late(self) -> None:
        told = Story().login().add("tea", status=503).cart({}).cart({"tea": 1})
        assert named(told) == [("cart_rolled_back", 1)]
        assert settled(told) == {"0002": "failed"}

    def test_a_page_with_another_name_on_it(self) -> None:
        told = Story().login().say("browse", user="user-0002").say("browse", user="user-0001").say("browse")
        assert named(told) == [("wrong_user", 0)]
        told = Story().login().add("tea", shows={"tea": 1}).me({"tea": 1}, user="user-0002")
        assert named(told) == [("wrong_user", 0)]

    def test_with_anothers_session_what_is_shown_is_not_this_shoppers(self) -> None:
        """A page that was kept brought a cookie with it: until the next login nobody's goods are called lost."""
        tea = Story().login().add("tea", shows={"tea": 1})
        assert named(tea.say("browse", kept_from=2, kept_session=True).cart({}).cart({"pen": 1}).audit({})) == []
        assert after(tea).book().balance() == 0
        assert named(tea.login().add("mug", shows={"mug": 1}).cart({})) == [("cart_lost", 1)], "one's own again"
        other = Story().login().add("tea", shows={"tea": 1}).say("browse", kept_from=2, kept_session=True, jar="second")
        assert named(other.cart({})) == [("cart_lost", 1)], "it went to another device"

    def test_an_empty_cart_that_cannot_be_ordered_is_shown_to_be_empty(self) -> None:
        told = Story().login().add("tea", shows={"tea": 1}).checkout(status=400)
        assert named(told) == [("cart_lost", 1)]
        assert named(Story().login().add("tea", shows={"tea": 1}).say("cart", 400)) == []
        assert named(Story().login().add("tea", shows={"tea": 1}).checkout(status=404)) == []


class TestSideBySide:
    """By when they were sent: that they overlapped, nothing else says."""

    @pytest.mark.parametrize(
        ("sent_us", "accused"), [(109_999, []), (110_000, [("cart_rolled_back", 1)])], ids=["before", "after"]
    )
    def test_an_order_that_was_sent_before_the_write_was_answered(
        self, sent_us: int, accused: list[tuple[str, int]]
    ) -> None:
        told = Story().login().add("tea", shows={"tea": 1})
        assert told.last.done_us == 110_000
        moved(told.checkout("o1"), sent_us, 120_000).at(1).cart({"tea": 1})
        assert named(told) == accused
        assert named(told.cart({"tea": 1, "pen": 1})) == [*accused, ("cart_rolled_back", 1)], "it accuses again"
        assert after(told).book().balance() == 0

    @pytest.mark.parametrize(("sent_us", "accused"), [(109_999, []), (110_000, [("cart_lost", 1)])])
    def test_what_it_shows_is_compared_with_nothing(self, sent_us: int, accused: list[tuple[str, int]]) -> None:
        told = Story().login().add("tea", shows={"tea": 1}).add("mug", shows={"mug": 1})
        assert named(moved(told, sent_us, 120_000)) == accused

    def test_a_login_that_was_refused_logs_nobody_out(self) -> None:
        told = Story().login().login(status=401)
        assert named(told) == []
        told.exchanges[-1] = msgspec.structs.replace(told.last, overlapped=True)
        assert named(told) == []

    @pytest.mark.parametrize(("sent_us", "ordered"), [(209_999, None), (210_000, {})])
    def test_the_second_click_orders_the_same_or_nothing(self, sent_us: int, ordered: dict[str, int] | None) -> None:
        told = Story().login().add("tea", shows={"tea": 1}).checkout("o1")
        assert told.last.done_us == 210_000
        assert after(told).checked_out == {"tea": 1}
        assert after(moved(told.checkout("o2"), sent_us, 220_000)).checked_out == ordered


class TestAudited:
    def test_only_the_audit_says_what_is_kept_and_only_until_something_changes_it(self) -> None:
        told = Story().login().add("tea", 2, shows={"tea": 2})
        assert (after(told).book().kept, after(told).book().undecided) == (0, 2)
        assert (after(told.audit({"tea": 2})).book().kept, after(told).book().undecided) == (2, 0)
        assert after(told.cart({"tea": 2})).book().kept == 0
        told.audit({"tea": 2}).add("mug")
        assert (after(told).book().kept, after(told).book().undecided) == (0, 3), "no answer has shown it since"
        told.audit({"tea": 2, "mug": 1}).remove("mug", shows={"tea": 2}).audit({"tea": 2}).add("mug", status=503)
        assert (after(told).book().kept, after(told).book().undecided) == (0, 2)

    def test_nor_where_too_much_is_possible(self) -> None:
        told = Story().login().add("tea", shows={"tea": 1})
        for number in range(8):
            told.add(f"sku{number}", status=503)
        assert (after(told).book().kept, after(told).book().undecided) == (0, 1)

    def test_also_where_the_cart_is_not_the_expected_one(self) -> None:
        told = Story().login().add("tea", 2, shows={"tea": 2}).audit({"tea": 1})
        assert (after(told).book().kept, after(told).book().lost) == (1, 1)


def test_what_is_out_of_the_ordinary_is_left_to_thinking() -> None:
    login, browse = Story().login().browse().exchanges
    memory = ExpectedSession("user-0001")
    assert memory.confirms(login) is False
    memory.saw(login)
    assert memory.confirms(browse) is True
    later = Story().at(1)
    for other in (
        later.say("browse", user="user-0001").last, later.cart({"tea": 1}).last, later.cart({}, status=500).last,
        later.say("cart", jar="second", shows={}).last, later.me({}, user="user-0002").last,
        later.add("tea", shows={}).last, later.remove("tea", shows={"tea": 1}).last, later.checkout("o1").last,
        msgspec.structs.replace(later.cart({}).last, overlapped=True),
    ):  # fmt: skip
        assert memory.confirms(other) is False, other
    assert memory.facts == 0
    assert memory.possible_carts() == [{}]


class TestCarryingOut:
    @pytest.mark.parametrize(
        ("do", "sku", "cart", "after", "book", "changes"),
        [
            ("add", "tea", {"tea": 1}, {"tea": 3}, (2, 0, 0), True),
            ("add", "mug", {"tea": 1}, {"tea": 1, "mug": 2}, (2, 0, 0), True),
            ("remember", "mug", {"tea": 3}, {"mug": 2}, (2, 3, 0), True),
            ("remove", "tea", {"tea": 3, "mug": 1}, {"mug": 1}, (0, 3, 0), True),
            ("remove", "pen", {"tea": 3}, {"tea": 3}, (0, 0, 0), False),
            ("checkout", "", {"tea": 3, "mug": 1}, {}, (0, 0, 4), True),
            ("checkout", "", {}, {}, (0, 0, 0), False),
            ("cart", "tea", {"tea": 3}, {"tea": 3}, (0, 0, 0), False),
        ],
    )
    def test_it_changes_the_cart_and_the_book_or_nothing(
        self, do: Do, sku: str, cart: Cart, after: Cart, book: tuple[int, int, int], changes: bool
    ) -> None:
        before = dict(cart)
        state = PossibleState(cart)
        assert state.carry_out(do, sku, 2) is changes
        assert state.cart == after
        assert (state.acknowledged, state.removed, state.ordered) == book
        assert cart == before, "what the history holds is never changed"
        entered = Items()
        state.enter(entered)
        state.copy().enter(entered)
        assert (entered.acknowledged, entered.removed, entered.ordered) == tuple(2 * units for units in book)

    def test_what_is_lacking(self) -> None:
        assert lacking({"tea": 3, "mug": 1, "pen": 2}, {"tea": 1, "mug": 1, "cup": 9}) == 4

    def test_a_copy_goes_its_own_way(self) -> None:
        state = PossibleState({"tea": 1})
        state.happened["a"] = True
        other = state.copy()
        other.happened["b"] = False
        other.carry_out("remove", "tea", 0)
        assert (state.cart, state.happened, state.removed) == ({"tea": 1}, {"a": True}, 0)


def test_the_book_balances_by_each_of_its_sides() -> None:
    sides = {
        "acknowledged": 1, "gained": 1, "kept": -1, "lost": -1, "removed": -1, "ordered": -1, "given_up": -1,
        "undecided": -1,
    }  # fmt: skip
    for side, sign in sides.items():
        book = Items()
        assert book.balance() == 0
        setattr(book, side, 3)
        assert book.balance() == 3 * sign, side
        twice = Items()
        twice.add(book)
        twice.add(book)
        assert getattr(twice, side) == 6
        assert twice.balance() == 6 * sign
