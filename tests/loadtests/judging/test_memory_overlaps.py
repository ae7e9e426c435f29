"""Requests of one shopper that overlap: what they show accuses nobody, what comes after them does."""

from __future__ import annotations

from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtests.model.history import Do, Exchange, Jar, Outcome
from loadtests.session_model.carts import Cart, Contradiction
from loadtests.session_model.expectations import ExpectedSession

SKUS = ("tea", "mug", "pen")
USER = "user-0001"


def exchange(
    do: Do, sent: int, done: int, *, sku: str = "", quantity: int = 1, shows: Cart | None = None, status: int = 200,
    overlapped: bool = False, jar: Jar = "main", user: str = "", order: str = "",
) -> Exchange:  # fmt: skip
    writes = do in ("login", "add", "remove", "checkout", "logout", "logout_everywhere")
    outcome: Outcome = "ok" if 200 <= status < 300 else "unknown" if writes and status in (0, 503) else "failed"
    return Exchange(
        "redis", 1, f"r-{do}-{sent}-{done}-{sku}", "plan", do, outcome, sent * 1000, sent * 1000, done * 1000,
        status=status, sku=sku, quantity=quantity, cart=shows, overlapped=overlapped, jar=jar, user=user, order=order,
    )  # fmt: skip


def told(*exchanges: Exchange) -> tuple[ExpectedSession, list[Contradiction]]:
    memory = ExpectedSession(USER)
    login = exchange("login", 0, 1, user=USER)
    found = [finding for each in (login, *exchanges) for finding in memory.saw(each)]
    return memory, found


class TestTwoTabs:
    def test_an_answer_without_the_others_effect_accuses_nobody(self) -> None:
        memory, found = told(
            exchange("add", 10, 20, sku="tea", shows={"tea": 1}),
            exchange("add", 12, 22, sku="mug", shows={"mug": 1}),
        )
        assert found == []
        assert memory.possible_carts() == [{"tea": 1, "mug": 1}]

    def test_an_answer_with_the_effect_of_one_that_is_not_answered_yet_accuses_nobody(self) -> None:
        _, found = told(
            exchange("add", 10, 20, sku="tea", shows={"tea": 1, "mug": 1}, overlapped=True),
            exchange("add", 12, 22, sku="mug", shows={"mug": 1}, overlapped=True),
            exchange("cart", 30, 31, shows={"tea": 1, "mug": 1}),
        )
        assert found == []

    def test_what_is_missing_afterwards_is_lost(self) -> None:
        memory, (finding,) = told(
            exchange("add", 10, 20, sku="tea", shows={"tea": 1}, overlapped=True),
            exchange("add", 12, 22, sku="mug", quantity=2, shows={"mug": 2}, overlapped=True),
            exchange("cart", 30, 31, shows={"tea": 1}),
        )
        assert (finding.kind, finding.items) == ("items_lost", 2)
        assert memory.book().balance() == 0

    def test_a_read_beside_a_write_may_show_either(self) -> None:
        for shows in ({}, {"tea": 1}):
            _, found = told(
                exchange("add", 10, 20, sku="tea", shows={"tea": 1}),
                exchange("cart", 15, 25, shows=shows),
                exchange("cart", 30, 31, shows={"tea": 1}),
            )
            assert found == []

    def test_writes_that_may_have_happened_either_way_round_accuse_nobody(self) -> None:
        for shows in ({}, {"mug": 1}):
            memory, found = told(
                exchange("add", 5, 6, sku="tea", shows={"tea": 1}),
                exchange("add", 10, 20, sku="mug", shows={"tea": 1, "mug": 1}, overlapped=True),
                exchange("checkout", 12, 22, status=201, order="o1", overlapped=True),
                exchange("cart", 30, 31, shows=shows),
                exchange("cart", 40, 41, shows=shows),
            )
            assert found == []
            assert memory.book().balance() == 0
            _, later = told(
                exchange("add", 10, 20, sku="mug", overlapped=True),
                exchange("remove", 12, 22, sku="mug", overlapped=True),
                exchange("cart", 30, 31, shows=shows),
                exchange("cart", 40, 41, shows={"pen": 1}),
            )
            assert later, "once a cart was shown, it accuses again"

    def test_an_unknown_write_beside_an_acknowledged_one_leaves_two_carts(self) -> None:
        memory, found = told(
            exchange("add", 10, 20, sku="tea", status=503, overlapped=True),
            exchange("add", 12, 22, sku="mug", shows={"mug": 1}, overlapped=True),
        )
        assert found == []
        assert memory.possible_carts() == [{"mug": 1}, {"mug": 1, "tea": 1}]

    def test_somebody_elses_name_is_somebody_elses_name(self) -> None:
        _, (finding,) = told(exchange("me", 10, 20, user="user-0002", shows={}, overlapped=True))
        assert finding.kind == "wrong_user"


class TestDoubleClick:
    def test_the_cart_is_ordered_once(self) -> None:
        memory, found = told(
            exchange("add", 5, 6, sku="tea", shows={"tea": 1}),
            exchange("checkout", 10, 20, status=201, order="o1", overlapped=True),
        )
        assert memory.checked_out == {"tea": 1}
        found += memory.saw(exchange("checkout", 12, 22, order="o1", overlapped=True))
        assert memory.checked_out is None
        found += memory.saw(exchange("cart", 30, 31, shows={}))
        assert found == []
        assert (memory.items.ordered, memory.book().balance()) == (1, 0)

    def test_a_click_that_finds_an_empty_cart_accuses_nobody(self) -> None:
        _, found = told(
            exchange("add", 5, 6, sku="tea", shows={"tea": 1}),
            exchange("checkout", 12, 18, status=400, overlapped=True),
            exchange("checkout", 10, 20, status=201, order="o1", overlapped=True),
            exchange("cart", 30, 31, shows={}),
        )
        assert found == []


class TestStrangers:
    def test_two_at_once_are_one_loss(self) -> None:
        _, found = told(
            exchange("add", 10, 20, sku="tea", status=401, overlapped=True),
            exchange("add", 12, 22, sku="mug", status=401, overlapped=True),
        )
        assert [finding.kind for finding in found] == ["logged_out"]

    def test_beside_a_logout_they_are_none(self) -> None:
        _, found = told(exchange("logout", 10, 20), exchange("cart", 12, 22, status=401))
        assert found == []

    def test_an_answer_to_the_session_before_is_none(self) -> None:
        _, found = told(
            exchange("cart", 10, 20, status=401),
            exchange("login", 21, 30, user=USER),
            exchange("watch", 15, 35, status=401),
            exchange("cart", 18, 36, status=401),
        )
        assert [finding.kind for finding in found] == ["logged_out"]
        assert told(exchange("watch", 10, 20, status=401))[1] != []

    @pytest.mark.parametrize("do", ["logout", "logout_everywhere"])
    def test_logging_out_here_and_everywhere_end_the_session(self, do: Do) -> None:
        memory, found = told(
            exchange("add", 5, 6, sku="tea", shows={"tea": 1}),
            exchange(do, 10, 11),
            exchange("cart", 20, 21, status=401),
        )
        assert found == []
        assert memory.items.given_up == 1
        unsure, _ = told(exchange(do, 10, 11, status=503), exchange("me", 20, 21, status=401))
        assert [*unsure.settled.values()] == ["ok"]


class TestAside:
    def test_other_jars_are_not_the_shoppers_own(self) -> None:
        for jar in ("second", "stolen", "planted"):
            memory, found = told(
                exchange("add", 5, 6, sku="tea", shows={"tea": 1}),
                exchange("login", 10, 11, jar=jar, user=USER),
                exchange("me", 20, 21, jar=jar, user="user-0009", shows={"pen": 3}),
                exchange("me", 30, 31, jar=jar, status=401),
                exchange("cart", 40, 41, shows={"tea": 1}),
            )
            assert found == []
            assert memory.logged_in

    def test_a_stream_that_ends_late_overlaps_nothing(self) -> None:
        _, found = told(
            exchange("add", 10, 11, sku="tea", shows={"tea": 1}),
            exchange("cart", 15, 40, shows={}),
            exchange("watch", 5, 20),
        )
        assert [finding.kind for finding in found] == ["cart_lost"]

    def test_what_is_forgotten_or_opened_aside_says_nothing(self) -> None:
        memory, found = told(
            msgspec.structs.replace(exchange("forget_node", 0, 10, status=0), outcome="ok", request="", sent_us=-1),
            exchange("cart", 20, 21, shows={}),
        )
        assert found == []
        assert memory.facts == 2


class Till:
    """A shop that carries out each write at one moment between its request and its answer, and shows what it has then.

    `forgets`: it is one that reads, thinks and writes, and so loses what was written while it thought.
    """

    def __init__(self, chance: Random, *, forgets: bool, mixed: bool, answers: float) -> None:
        self.chance, self.forgets, self.mixed, self.answers = chance, forgets, mixed, answers
        self.cart: Cart = {}
        self.lost = 0
        self.now = 10
        self.truth: dict[str, bool] = {}

    def group(self) -> list[Exchange]:
        """One to three requests at once, in order of their answers."""
        count = self.chance.choice((1, 1, 2, 3))
        dos: list[Do] = self.chance.choices(("add", "remove", "cart", "checkout"), (5, 1, 2, 1), k=count)
        if not self.mixed and count > 1:
            dos = ["add"] * count
        drafts = []
        for do in dos:
            sent, done = sorted(self.chance.sample(range(self.now, self.now + 100), 2))
            drafts.append(exchange(do, sent, done, sku=self.chance.choice(SKUS)))
        self.now += 200
        shown = self._carried_out(drafts)
        flagged = [self._flagged(each, drafts) for each in drafts]
        return sorted(
            (self._answered(*each) for each in zip(flagged, shown, strict=True)), key=lambda each: each.done_us
        )

    def look(self) -> Exchange:
        self.now += 10
        return exchange("cart", self.now - 5, self.now - 4, shows=dict(self.cart))

    def _carried_out(self, drafts: list[Exchange]) -> list[Cart]:
        """In some order that their times allow, what each would show."""
        moments = [self.chance.uniform(each.sent_us, each.done_us) for each in drafts]
        seen = dict(self.cart) if self.forgets and len(drafts) > 1 else None
        shown: dict[int, Cart] = {}
        for number in sorted(range(len(drafts)), key=moments.__getitem__):
            each = drafts[number]
            self.truth[each.request] = True
            before = self.cart if seen is None else seen
            if seen is not None and each.do == "add":
                self.lost += sum(self.cart.values()) - sum(seen.values())
            self.cart = self._with(before, each)
            shown[number] = dict(self.cart)
        return [shown[number] for number in range(len(drafts))]

    @staticmethod
    def _with(cart: Cart, each: Exchange) -> Cart:
        if each.do == "add":
            return {**cart, each.sku: cart.get(each.sku, 0) + each.quantity}
        if each.do == "remove":
            return {sku: units for sku, units in cart.items() if sku != each.sku}
        return {} if each.do == "checkout" else cart

    @staticmethod
    def _flagged(each: Exchange, drafts: list[Exchange]) -> Exchange:
        beside = [
            other for other in drafts
            if other is not each and other.sent_us <= each.done_us and each.sent_us <= other.done_us
        ]  # fmt: skip
        overlapped = any(other.do != "cart" for other in beside) or (each.do != "cart" and bool(beside))
        return msgspec.structs.replace(each, overlapped=overlapped)

    def _answered(self, each: Exchange, shown: Cart) -> Exchange:
        if each.do == "checkout":
            return msgspec.structs.replace(each, status=201, order=f"o-{each.request}", cart=None)
        if self.chance.random() > self.answers:
            outcome: Outcome = "failed" if each.do == "cart" else "unknown"
            return msgspec.structs.replace(each, status=503, outcome=outcome)
        return msgspec.structs.replace(each, cart=shown)


def a_day(till: Till, *, looks: float = 0.5) -> tuple[ExpectedSession, list[Contradiction]]:
    memory, found = told()
    for _ in range(12):
        for each in till.group():
            found += memory.saw(each)
        assert memory.book().balance() == 0
        if till.chance.random() < looks:
            found += memory.saw(till.look())
            assert memory.book().balance() == 0
    found += memory.saw(till.look())
    return memory, found


seeds = st.integers(0, 10**9)


class TestAnyDay:
    @settings(max_examples=300, deadline=None)
    @given(seed=seeds, mixed=st.booleans(), answers=st.sampled_from([1.0, 0.8, 0.4]))
    def test_a_shop_that_does_one_thing_after_the_other_is_never_accused(
        self, seed: int, mixed: bool, answers: float
    ) -> None:
        till = Till(Random(seed), forgets=False, mixed=mixed, answers=answers)
        memory, found = a_day(till)
        assert found == []
        assert memory.possible_carts() == [till.cart]
        assert memory.book().balance() == 0
        if not mixed:
            assert "failed" not in memory.settled.values()

    @settings(max_examples=300, deadline=None)
    @given(seed=seeds)
    def test_what_a_forgetful_shop_loses_is_found_to_the_unit(self, seed: int) -> None:
        till = Till(Random(seed), forgets=True, mixed=False, answers=1.0)
        memory, found = a_day(till, looks=1.0)
        assert sum(finding.items for finding in found if finding.kind in ("items_lost", "cart_lost")) == till.lost
        assert memory.items.lost == till.lost
        assert {finding.kind for finding in found} <= {"items_lost", "cart_lost"}
        assert memory.book().balance() == 0

    @settings(max_examples=200, deadline=None)
    @given(seed=seeds, answers=st.sampled_from([0.9, 0.5]))
    def test_its_books_balance_whatever_is_unknown(self, seed: int, answers: float) -> None:
        memory, _ = a_day(Till(Random(seed), forgets=True, mixed=True, answers=answers))
        assert memory.book().balance() == 0
