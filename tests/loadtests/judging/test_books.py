"""The books of any true history balance; those of a history that was tampered with do not."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtests.judging.books import ActionCounts, Books, ClosedBooks, Steps
from loadtests.judging.reconcile import Reconciler
from loadtests.judging.replay import HistoryReplay
from loadtests.model.history import NOT_LOGGED_IN, UNREADABLE, Exchange, Outcome, Record
from loadtests.model.plan import Action, ClientLimits, Plan, ShopperPlan
from loadtests.session_model.timeline import RunTimeline
from tests.loadtests.model_shop import MODELLED, Model
from tests.loadtests.stories import Story, scene, stored

seeds = st.integers(0, 10**9)
architectures = st.sampled_from(sorted(MODELLED))


def closed(plan: Plan, records: Iterable[Record], at: RunTimeline) -> tuple[ClosedBooks, HistoryReplay]:
    replay, books = HistoryReplay(at), Books(Steps(plan.shoppers))
    for record in records:
        if isinstance(record, Exchange):
            replay.add(record)
            books.add(record)
        else:
            replay.add_order(record)
    replay.close()
    return books.close(replay, orders_read=at.finished), replay


def mismatches(model: Model, records: Iterable[Record]) -> int:
    reconciler = Reconciler()
    for record in records:
        if isinstance(record, Exchange):
            reconciler.add(record)
    reconciler.add_lines(model.access)
    for node, log in model.node_logs.items():
        reconciler.add_node(node, log)
    return len(list(reconciler.mismatches()))


def plan_of(*stories: Story) -> Plan:
    people = tuple(
        ShopperPlan(
            story.shopper,
            tuple(
                Action(each.planned_us // 1000, each.do, each.sku, each.quantity, each.key, each.jar)
                for each in story.exchanges
                if each.why == "plan"
            ),
        )
        for story in stories
    )
    return Plan(1, "story", 1, 3, 10_000, ClientLimits(), (), people)


def books_of(*told: Story, orders: Iterable[Record] = (), at: RunTimeline | None = None) -> ClosedBooks:
    records = [*(exchange for story in told for exchange in story.exchanges), *orders]
    return closed(plan_of(*told), records, at or scene())[0]


class TestTrueHistories:
    @settings(max_examples=150, deadline=None)
    @given(seed=seeds, architecture=architectures, lost=st.sampled_from([0.0, 0.15, 0.6]), kill=st.booleans())
    def test_balance(self, seed: int, architecture: str, lost: float, kill: bool) -> None:
        model = Model(seed, architecture=architecture, lost_answers=lost, kill=kill)
        books, replay = closed(model.plan, model.records, model.scene)
        assert books.problems == ()
        assert books.logged_out.events == model.logouts
        assert mismatches(model, model.records) == 0
        assert not replay.crashed
        book = books.actions
        assert book.planned == book.ok + book.failed + book.unknown + book.not_sent
        users = books.users
        assert users.shoppers == users.kept + users.logged_out + users.never_logged_in

    @settings(max_examples=60, deadline=None)
    @given(seed=seeds, architecture=st.sampled_from(["signed-token", "redis"]), lost=st.sampled_from([0.0, 0.3]))
    def test_accuse_nobody_where_nothing_can_be_lost(self, seed: int, architecture: str, lost: float) -> None:
        model = Model(seed, architecture=architecture, lost_answers=lost)
        _, replay = closed(model.plan, model.records, model.scene)
        assert replay.losses() == ()

    @settings(max_examples=60, deadline=None)
    @given(seed=seeds)
    def test_a_killed_node_logs_out_whom_it_held(self, seed: int) -> None:
        model = Model(seed, lost_answers=0.0, leavers=False, shoppers=9)
        books, _ = closed(model.plan, model.records, model.scene)
        assert books.users.logged_out == len(model.at_risk)


class TestTamperedHistories:
    @settings(max_examples=80, deadline=None)
    @given(seed=seeds, data=st.data())
    def test_a_removed_record_is_noticed(self, seed: int, data: st.DataObject) -> None:
        model, number = self.pick(seed, data)
        assert self.noticed(model, [*model.records[:number], *model.records[number + 1 :]])

    @settings(max_examples=80, deadline=None)
    @given(seed=seeds, data=st.data())
    def test_a_doubled_record_is_noticed(self, seed: int, data: st.DataObject) -> None:
        model, number = self.pick(seed, data)
        assert self.noticed(model, [*model.records[: number + 1], *model.records[number:]])

    @settings(max_examples=150, deadline=None)
    @given(
        seed=seeds, data=st.data(), change=st.sampled_from(["outcome", "quantity", "do", "step", "status", "shopper"])
    )
    def test_a_changed_record_is_noticed(self, seed: int, data: st.DataObject, change: str) -> None:
        model, number = self.pick(seed, data, planned=True)
        record = model.records[number]
        assert isinstance(record, Exchange)
        changed = {
            "outcome": "failed" if record.outcome == "ok" else "ok",
            "quantity": record.quantity + 1,
            "do": "orders",
            "step": record.step + 1,
            "status": 500 if record.status == 200 else 200,
            "shopper": record.shopper % 4 + 1,
        }
        tampered = msgspec.structs.replace(record, **{change: changed[change]})
        assert self.noticed(model, [*model.records[:number], tampered, *model.records[number + 1 :]])

    @staticmethod
    def pick(seed: int, data: st.DataObject, *, planned: bool = False) -> tuple[Model, int]:
        model = Model(seed)
        fit = [
            number
            for number, record in enumerate(model.records)
            if isinstance(record, Exchange) and (not planned or (record.why == "plan" and record.outcome != "not_sent"))
        ]
        return model, data.draw(st.sampled_from(fit))

    @staticmethod
    def noticed(model: Model, records: list[Record]) -> bool:
        books, _ = closed(model.plan, records, model.scene)
        return bool(books.problems) or mismatches(model, records) > 0


class TestActions:
    def test_a_read_settles_an_unknown_write(self) -> None:
        book = books_of(
            Story().login().add("tea", status=503).cart({"tea": 1}).add("mug", status=503).cart({"tea": 1})
        ).actions
        assert (book.ok, book.failed, book.unknown, book.settled) == (4, 1, 0, 2)

    def test_what_nobody_looked_at_stays_unknown(self) -> None:
        book = books_of(Story().login().add("tea", status=503)).actions
        assert (book.ok, book.unknown, book.settled) == (1, 1, 0)

    @pytest.mark.parametrize(("made", "outcome"), [(True, "ok"), (False, "failed")])
    def test_the_database_settles_an_unknown_checkout(self, made: bool, outcome: str) -> None:
        told = Story().login().add("tea", shows={"tea": 1}).checkout(status=503)
        orders = [stored("o1", {"tea": 1}, request=told.last.request)] if made else []
        book = books_of(told, orders=orders).actions
        assert (getattr(book, outcome), book.unknown, book.settled) == (3 if made else 1, 0, 1)

    def test_a_database_that_was_not_read_settles_nothing(self) -> None:
        told = Story().login().add("tea", shows={"tea": 1}).checkout(status=503)
        assert books_of(told, at=scene(finished=False)).actions.unknown == 1

    def test_what_nobody_planned_is_a_problem(self) -> None:
        told = Story().login().cart({})
        records = told.exchanges
        books, _ = closed(plan_of(Story().login()), records, scene())
        assert any("nobody planned it" in problem for problem in books.problems)
        before_the_first = [msgspec.structs.replace(records[0], step=-1), records[1]]
        books, _ = closed(plan_of(told), before_the_first, scene())
        assert any("nobody planned it" in problem for problem in books.problems)

    def test_what_was_not_sent_counts_as_that_whatever_the_reason(self) -> None:
        told = Story().login().cart({}).cart({})
        unsent = [
            msgspec.structs.replace(exchange, outcome="not_sent", request="", status=0, cart=None, error=error)
            for exchange, error in zip(told.exchanges[1:], (NOT_LOGGED_IN, "late"), strict=True)
        ]
        books, _ = closed(plan_of(told), [told.exchanges[0], *unsent], scene())
        assert (books.actions.not_sent, books.problems) == (2, ())

    @pytest.mark.parametrize(("error", "problems"), [(UNREADABLE, 0), ("", 1)])
    def test_a_success_that_is_no_success_must_say_why(self, error: str, problems: int) -> None:
        told = Story().login().browse()
        unclear = msgspec.structs.replace(told.last, outcome="failed", error=error)
        books, _ = closed(plan_of(told), [told.exchanges[0], unclear], scene())
        assert len(books.problems) == problems, books.problems

    @pytest.mark.parametrize(
        ("outcome", "status", "goes"),
        [
            ("ok", 200, True), ("ok", 302, True), ("ok", 1, True), ("ok", 499, True), ("ok", 500, False),
            ("ok", 0, False), ("failed", 200, True), ("failed", 0, True), ("failed", 503, True),
        ],
    )  # fmt: skip
    def test_what_a_status_means_the_description_of_an_application_says(
        self, outcome: Outcome, status: int, goes: bool
    ) -> None:
        told = Story().login()
        books = Books(Steps(plan_of(told).shoppers), by_status=False)
        books.add(msgspec.structs.replace(told.last, outcome=outcome, status=status))
        replay = HistoryReplay(scene())
        replay.close()
        odd = [problem for problem in books.close(replay, orders_read=False).problems if "does not go with" in problem]
        assert (odd == []) is goes

    @pytest.mark.parametrize(
        ("status", "goes"), [(199, False), (200, True), (299, True), (300, False)],
    )  # fmt: skip
    def test_of_the_twins_only_a_success_is_ok(self, status: int, goes: bool) -> None:
        told = Story().login()
        told.exchanges[-1] = msgspec.structs.replace(told.last, status=status)
        assert (books_of(told).problems == ()) is goes

    def test_a_problem_says_of_what_it_is(self) -> None:
        told = Story().login().cart({})
        records = [told.exchanges[0], msgspec.structs.replace(told.last, request="", outcome="ok", status=0)]
        books, _ = closed(plan_of(told), records, scene())
        assert books.problems == ("step 1 of shopper 1 (cart): its outcome 'ok' does not go with status 0",)
        books, _ = closed(plan_of(told), told.exchanges[:1], scene())
        assert books.problems == ("2 actions were planned, the history tells of 1",)

    @pytest.mark.parametrize(("count", "last"), [(20, "does not go with"), (21, "and 1 more"), (23, "and 3 more")])
    def test_so_many_problems_are_told(self, count: int, last: str) -> None:
        told = Story().login()
        for _ in range(count):
            told.browse()
        odd = [msgspec.structs.replace(exchange, status=302) for exchange in told.exchanges[1:]]
        books, _ = closed(plan_of(told), [told.exchanges[0], *odd], scene())
        assert len(books.problems) == min(count, 21)
        assert last in books.problems[-1]

    def test_many_problems_are_counted_and_not_all_told(self) -> None:
        told = Story().login()
        for _ in range(40):
            told.cart({})
        books, _ = closed(plan_of(told), told.exchanges[:1] * 50, scene())
        assert books.problems[-1].startswith("and ")
        assert len(books.problems) == 21

    def test_while_a_round_goes_on_they_can_be_asked_for_at_any_time(self) -> None:
        told = Story().login().add("tea", status=503).browse().stranger().login(why="recovery").add("mug", status=0)
        told.say("checkout", 503, why="audit")
        counts = ActionCounts()
        replay = HistoryReplay(scene())
        for exchange in told.exchanges:
            replay.add(exchange)
            counts.add(exchange)
        settled = counts.settled(replay, orders_read=False)
        assert counts.counts(settled) == {"ok": 2, "failed": 1, "unknown": 2, "not_sent": 0}
        settled = {exchange.request: "ok" for exchange in told.exchanges if exchange.outcome == "unknown"}
        assert counts.counts(settled) == {"ok": 4, "failed": 1, "unknown": 0, "not_sent": 0}  # type: ignore[arg-type]


class TestUsers:
    def test_each_shopper_is_one_thing(self) -> None:
        kept, out, never = (
            Story(1).login().audit({}),
            Story(2).login().stranger().stranger(),
            Story(3).login(status=503),
        )
        users = books_of(kept, out, never).users
        assert (users.shoppers, users.kept, users.logged_out, users.never_logged_in) == (3, 1, 1, 1)

    def test_events_and_shoppers_are_told_apart(self) -> None:
        twice = Story(1).login().stranger().login(why="recovery").stranger().login(why="recovery")
        once = Story(2).login().stranger()
        out = books_of(twice, once).logged_out
        assert (out.shoppers, out.events, out.more_than_once) == (2, 3, 1)

    def test_shoppers_whom_nobody_planned_do_not_add_up(self) -> None:
        one, other = Story(1).login().audit({}), Story(2).login(why="recovery").audit({})
        books, _ = closed(plan_of(one, Story(3)), [*one.exchanges, *other.exchanges], scene())
        assert books.problems == (
            "2 shoppers were planned, and 2 kept their login, 0 were logged out, 1 never logged in, 0 undecided",
        )

    def test_times_out_must_be_what_the_losses_name(self) -> None:
        told = Story().login().stranger()
        assert tampered(told, logouts=1).problems == ("2 times a login was lost, the losses name 1",)

    def test_a_login_that_a_later_answer_proved_counts(self) -> None:
        assert books_of(Story().login(status=503).audit({})).users.kept == 1

    def test_who_could_not_be_looked_at_is_neither_kept_nor_lost(self) -> None:
        unseen = Story(1).login().cart({}).say("me", 503, why="audit")
        left = Story(2).login().logout()
        users = books_of(unseen, left, Story(3).login().audit({})).users
        assert (users.kept, users.logged_out, users.never_logged_in, users.undecided) == (2, 0, 0, 1)


class TestItems:
    @pytest.mark.parametrize("off", [-1, 1])
    def test_a_memory_that_counts_otherwise_than_the_exchanges_is_a_problem(self, off: int) -> None:
        told = Story().login().add("tea", 3, shows={"tea": 3})
        replay, books = HistoryReplay(scene()), Books(Steps(plan_of(told).shoppers))
        for exchange in told.exchanges:
            replay.add(exchange)
            books.add(exchange)
        replay.close()
        items = replay.people[1].memory.items
        items.acknowledged += off
        items.removed += off  # so that the sums of the memory itself still balance
        (problem,) = books.close(replay, orders_read=True).problems
        assert "3 units were acknowledged one by one" in problem

    def test_every_unit_ends_in_one_place(self) -> None:
        told = (
            Story()
            .login()
            .add("tea", 3, shows={"tea": 3})
            .add("mug", 2, shows={"tea": 3, "mug": 2})
            .remove("mug", shows={"tea": 3})
            .checkout("o1")
            .add("pen", 4, shows={"pen": 4})
            .cart({"pen": 1})
            .audit({"pen": 1})
        )
        items = books_of(told, orders=[stored("o1", {"tea": 3}, request=told.exchanges[4].request)]).items
        assert (items.acknowledged, items.removed, items.ordered, items.lost, items.kept) == (9, 2, 3, 3, 1)
        assert items.undecided == items.given_up == items.gained == 0

    def test_a_cart_goes_with_its_owner(self) -> None:
        assert books_of(Story().login().add("tea", 3, shows={"tea": 3}).logout()).items.given_up == 3

    def test_without_an_audit_nobody_knows(self) -> None:
        assert books_of(Story().login().add("tea", 3, shows={"tea": 3})).items.undecided == 3

    def test_what_is_gone_and_was_not_ordered_is_lost(self) -> None:
        told = Story().login().add("tea", 2, shows={"tea": 2}).checkout(status=503).audit({})
        order = stored("o1", {"tea": 2}, request=told.exchanges[2].request)
        closed = (books_of(told, orders=(order,)), books_of(told))
        assert [(it.items.ordered, it.items.lost, it.problems) for it in closed] == [(2, 0, ()), (0, 2, ())]

    def test_an_order_that_holds_less_has_lost_the_rest(self) -> None:
        told = Story().login().add("tea", 3, shows={"tea": 3}).checkout("o1").audit({})
        items = books_of(told, orders=[stored("o1", {"tea": 1}, request=told.exchanges[2].request)]).items
        assert (items.ordered, items.lost) == (1, 2)

    def test_an_order_that_holds_more_has_gained(self) -> None:
        told = Story().login().add("tea", 3, shows={"tea": 3}).checkout("o1").audit({})
        items = books_of(told, orders=[stored("o1", {"tea": 5}, request=told.exchanges[2].request)]).items
        assert (items.ordered, items.gained, items.acknowledged) == (5, 2, 3)

    def test_a_lost_order_is_lost_goods(self) -> None:
        books = books_of(Story().login().add("tea", 3, shows={"tea": 3}).checkout("o1").audit({}))
        assert (books.items.ordered, books.items.lost, books.problems) == (0, 3, ())

    @pytest.mark.parametrize(("more", "problems"), [(-1, 1), (0, 0), (2, 0), (3, 1)])
    def test_what_nobody_knows_of_may_be_acknowledged_or_not(self, more: int, problems: int) -> None:
        told = Story().login().add("tea", 3, shows={"tea": 3}).add("mug", 2, status=503)
        told.say("add", 503, sku="pen", quantity=9, jar="second").remove("tea", status=503)
        found = tampered(told, acknowledged=more, removed=more)
        assert len(found.problems) == problems, found.problems

    def test_what_a_later_answer_proved_is_acknowledged(self) -> None:
        told = Story().login().add("tea", 3, status=503).cart({"tea": 3}).add("mug", 2, status=503).cart({"tea": 3})
        assert tampered(told).problems == ()
        (problem,) = tampered(told, acknowledged=2, removed=2).problems
        assert problem == "shopper 1: 3 units were acknowledged one by one, the memory has 5"

    def test_sums_that_do_not_add_up(self) -> None:
        told = Story().login().add("tea", 3, shows={"tea": 3})
        assert tampered(told, gained=1).problems == ("the units of goods do not add up: +1 on the left side",)
        assert tampered(told, kept=2).problems == ("the units of goods do not add up: -2 on the left side",)

    def test_what_is_missing_must_be_what_the_losses_name(self) -> None:
        told = Story().login().add("tea", 3, shows={"tea": 3}).cart({"tea": 2})
        assert tampered(told).problems == ()
        assert tampered(told, lost=1, gained=1).problems == ("2 units are missing, the losses name 1",)
        assert tampered(told, lost=1, gained=1, crashed=True).problems == ()

    def test_an_order_with_another_key_is_another_order(self) -> None:
        told = Story().login().add("tea", 3, shows={"tea": 3}).checkout("o1", "k1").audit({})
        other = stored("o1", {"tea": 3}, request=told.exchanges[2].request, key="k2")
        assert (books_of(told, orders=[other]).items.ordered, books_of(told, orders=[other]).items.lost) == (0, 3)

    def test_an_order_of_which_nobody_knows_what_was_in_it_changes_nothing(self) -> None:
        told = Story().login().add("tea", 3, status=503).checkout("o1").audit({})
        found = books_of(told, orders=[stored("o1", {"tea": 1}, request=told.exchanges[2].request)])
        assert (found.items.ordered, found.items.lost, found.items.gained, found.problems) == (0, 0, 0, ())


def tampered(told: Story, *, crashed: bool = False, logouts: int = 0, **more: int) -> ClosedBooks:
    """The books, if the shopper's memory had counted so many more."""
    replay, books = HistoryReplay(scene()), Books(Steps(plan_of(told).shoppers))
    for exchange in told.exchanges:
        replay.add(exchange)
        books.add(exchange)
    replay.close()
    replay.people[1].logouts += logouts
    for field, units in more.items():
        setattr(replay.people[1].memory.items, field, getattr(replay.people[1].memory.items, field) + units)
    if crashed:
        replay.crashed["cart_lost"] = "ZeroDivisionError: ouch"
    return books.close(replay, orders_read=True)
