"""What a shopper does at the same time: two tabs, a quick click beside a slow page, a stream that stays open."""

from __future__ import annotations

import pytest

from loadtests.load.at_once import AT_ONCE, ConcurrentGroup, concurrent_groups
from loadtests.model.plan import Action
from loadtests.model.scenario import Load, Scenario
from loadtests.planning.make_plan import make_plan
from shared.errors import ForeignAnswer
from tests.loadtests.load.paper_world import PaperDay

LOGIN = Action(10, "login")
TABS = (LOGIN, Action(50, "add", "bell", 1), Action(53, "add", "map", 1, beside=True), Action(100, "cart"))


class TestAWindowThatEndsEarly:
    ACTIONS = (LOGIN, Action(50, "add", "bell", 1), Action(70, "add", "map", 1, beside=True), Action(100, "cart"))

    @pytest.mark.parametrize(("end_us", "steps"), [(101_000, 4), (100_000, 3), (70_000, 2), (50_000, 1), (10_000, 0)])
    def test_nobody_begins_or_records_what_lies_beyond_it(self, end_us: int, steps: int) -> None:
        day = PaperDay(*self.ACTIONS)
        day.time.end_us = end_us
        day.live()
        assert day.raised is None
        assert [each.step for each in day.exchanges] == list(range(steps))
        assert len(day.browser.asked) == steps

    def test_stopped_nobody_records_what_lies_beyond_it(self) -> None:
        day = PaperDay(*self.ACTIONS, fates={1: "stop"})
        day.time.end_us = 60_000
        day.live()
        assert isinstance(day.raised, KeyboardInterrupt)
        assert day.words("step", "error") == [(0, "stopped"), (1, "stopped")]

    def test_it_is_learned_of_while_everybody_shops(self) -> None:
        day = PaperDay(*self.ACTIONS, takes_ms={"/cart": 40})

        def end_it() -> None:
            day.time.wait_until(60_000)
            day.time.end_us = 65_000

        day.time.start_job(end_it)
        day.live(audit=True)
        words = day.words("why", "do", "done_us")
        assert words[:2] == [("plan", "login", 12_000), ("plan", "add", 90_000)], "what has begun is brought to its end"
        assert [why for why, *_ in words[2:]] == ["audit", "audit"]


class TestBeside:
    def test_it_is_sent_at_its_time_though_the_one_before_waits(self) -> None:
        day = PaperDay(*TABS, takes_ms={"/cart": 20}).live()
        assert day.words("do", "sku", "sent_us", "done_us", "overlapped") == [
            ("login", "", 10_000, 12_000, False),
            ("add", "bell", 50_000, 70_000, True),
            ("add", "map", 53_000, 73_000, True),
            ("cart", "", 100_000, 120_000, False),
        ]
        assert [each.step for each in day.exchanges] == [0, 1, 2, 3]
        assert len({each.request for each in day.exchanges}) == 4
        assert day.findings == []

    def test_what_is_not_beside_waits_for_all(self) -> None:
        day = PaperDay(*TABS, takes_ms={"/cart": 90}).live()
        assert day.words("do", "sent_us")[-1] == ("cart", 143_000)

    def test_a_slow_page_overlaps_the_click_and_the_look_does_not(self) -> None:
        actions = (LOGIN, Action(50, "linger"), Action(150, "add", "bell", 1, beside=True), Action(650, "cart"))
        day = PaperDay(*actions, takes_ms={"/recommendations": 400}).live()
        assert day.words("do", "done_us", "overlapped", "step") == [
            ("login", 12_000, False, 0),
            ("add", 152_000, True, 2),
            ("linger", 450_000, True, 1),
            ("cart", 652_000, False, 3),
        ]

    def test_reads_beside_each_other_do_not_overlap(self) -> None:
        day = PaperDay(LOGIN, Action(50, "cart"), Action(50, "me", beside=True), takes_ms={"/cart": 20}).live()
        assert [each.overlapped for each in day.exchanges] == [False] * 3

    def test_beside_something_that_was_answered_long_ago_is_alone(self) -> None:
        day = PaperDay(LOGIN, Action(50, "add", "bell", 1), Action(90, "add", "map", 1, beside=True)).live()
        assert [each.overlapped for each in day.exchanges] == [False] * 3

    def test_two_strangers_at_once_log_in_again_once(self) -> None:
        day = PaperDay(*TABS, takes_ms={"/cart": 20}, fates={2: "forget"}).live()
        assert day.words("why", "do", "status") == [
            ("plan", "login", 200),
            ("plan", "add", 401),
            ("plan", "add", 401),
            ("recovery", "login", 200),
            ("plan", "cart", 200),
        ]
        assert [finding.kind for finding in day.findings] == ["logged_out"]

    def test_who_is_not_let_in_sends_neither(self) -> None:
        day = PaperDay(*TABS, fates={1: "broken", 2: "broken", 3: "broken"}).live()
        assert day.words("why", "do", "outcome", "error") == [
            ("plan", "login", "unknown", ""),
            ("recovery", "login", "unknown", ""),
            ("plan", "add", "not_sent", "not_logged_in"),
            ("plan", "add", "not_sent", "not_logged_in"),
            ("recovery", "login", "unknown", ""),
            ("plan", "cart", "not_sent", "not_logged_in"),
        ]

    def test_too_late_is_not_sent(self) -> None:
        slow = (LOGIN, Action(20, "browse"), *TABS[1:3])
        day = PaperDay(*slow, takes_ms={"/products": 400}, late_ms=300).live()
        assert day.words("do", "outcome", "error")[2:] == [("add", "not_sent", "late"), ("add", "not_sent", "late")]

    def test_somebody_elses_server_ends_the_visit_wherever_it_answers(self) -> None:
        for number in (2, 3):
            day = PaperDay(*TABS, takes_ms={"/cart": 20}, fates={number: "foreign"}).live()
            assert isinstance(day.raised, ForeignAnswer)
            assert sorted(each.step for each in day.exchanges) == [0, 1, 2, 3]

    @pytest.mark.parametrize("number", [2, 3])
    def test_stopped_in_the_middle_everything_is_in_the_history_once(self, number: int) -> None:
        day = PaperDay(*TABS, takes_ms={"/cart": 20}, fates={number: "stop"}).live()
        assert isinstance(day.raised, KeyboardInterrupt)
        assert sorted(each.step for each in day.exchanges) == [0, 1, 2, 3]
        told = {each.step: (each.outcome, each.error) for each in day.exchanges}
        assert told[number - 1] == ("unknown", "stopped")
        assert told[3] == ("not_sent", "stopped")

    def test_whoever_had_not_begun_when_it_stopped_was_not_sent(self) -> None:
        apart = (LOGIN, Action(50, "add", "bell", 1), Action(90, "add", "map", 1, beside=True))
        day = PaperDay(*apart, takes_ms={"/cart": 20}, fates={2: "stop"}).live()
        assert sorted(day.words("step", "outcome", "error")) == [
            (0, "ok", ""),
            (1, "unknown", "stopped"),
            (2, "not_sent", "stopped"),
        ]


class TestCompanies:
    def test_what_is_beside_belongs_to_the_one_before(self) -> None:
        assert list(concurrent_groups(TABS)) == [(TABS[0], ()), (TABS[1], (TABS[2],)), (TABS[3], ())]
        assert list(concurrent_groups(())) == []

    def test_a_browser_does_only_so_much_at_once(self) -> None:
        many = (Action(1, "cart"), *(Action(1, "cart", beside=True) for _ in range(9)))
        assert [1 + len(beside) for _, beside in concurrent_groups(many)] == [AT_ONCE, 4]

    def test_who_overlapped_whom(self) -> None:
        company = ConcurrentGroup()
        early, late = company.begin(False), company.begin(True)
        company.end(early)
        alone = company.begin(False)
        company.end(late)
        assert (early.overlapped, late.overlapped, alone.overlapped) == (True, True, True)
        company.end(alone)
        assert not company.begin(True).overlapped


class TestWatching:
    ACTIONS = (LOGIN, Action(10, "watch"), Action(400, "cart"), Action(800, "me"))

    def test_the_stream_stays_open_while_its_owner_shops(self) -> None:
        day = PaperDay(*self.ACTIONS).live(audit=True)
        assert day.words("why", "do", "done_us", "dropped", "body_bytes")[1:4] == [
            ("plan", "cart", 402_000, False, 24),
            ("plan", "me", 802_000, False, 33),
            ("plan", "watch", 1_000_000, False, 40),
        ]
        assert day.words("why", "do")[4:] == [("audit", "me"), ("audit", "orders")]
        assert sorted(each.step for each in day.exchanges if each.why == "plan") == [0, 1, 2, 3]
        assert day.findings == []

    def test_dropped_it_is_opened_again_at_once(self) -> None:
        day = PaperDay(*self.ACTIONS)
        day.browser.streams = [300, 500]
        day.live()
        streams = [each for each in day.exchanges if each.do == "watch"]
        assert [(each.why, each.step, each.sent_us, each.done_us, each.dropped) for each in streams] == [
            ("plan", 1, 12_000, 300_000, True),
            ("recovery", -1, 350_000, 500_000, True),
            ("recovery", -1, 550_000, 1_000_000, False),
        ]
        assert {each.outcome for each in streams} == {"ok"}

    def test_a_stranger_waits_until_somebody_has_logged_in_again(self) -> None:
        day = PaperDay(*self.ACTIONS, fates={})
        day.browser.streams = [300]
        day.time.start_job(lambda: (day.time.wait_until(290_000), day.browser.sessions.clear()))
        day.live(audit=True)
        assert [(each.why, each.do, each.status) for each in day.exchanges[1:6]] == [
            ("plan", "watch", 200),
            ("recovery", "watch", 401),
            ("recovery", "login", 200),
            ("plan", "cart", 200),
            ("plan", "me", 200),
        ]
        assert [finding.kind for finding in day.findings] == ["logged_out"]
        assert day.exchanges[6].do == "watch"
        assert day.exchanges[6].sent_us > day.exchanges[3].done_us

    def test_stopped_it_is_recorded(self) -> None:
        day = PaperDay(*self.ACTIONS, fates={3: "stop"}).live()
        assert sorted(day.words("step", "do", "outcome", "error")) == [
            (0, "login", "ok", ""),
            (1, "watch", "failed", "stopped"),
            (2, "cart", "failed", "stopped"),
            (3, "me", "not_sent", "stopped"),
        ]


@pytest.mark.parametrize("behaviour", ["two-tabs", "slow-page", "double-click", "watching", "planted", "everywhere"])
@pytest.mark.parametrize("seed", range(4))
def test_every_planned_action_is_in_the_history_exactly_once(behaviour: str, seed: int) -> None:
    load = Load(1, 6, 150, login_within_ms=500, behaviour=behaviour)
    actions = make_plan(Scenario("Why?", "test", load), seed=seed).shoppers[0].actions
    for fates in ({}, {5: "broken", 9: "forget"}, {12: "stop"}, {7: "foreign"}):
        day = PaperDay(*actions, takes_ms={"/cart": 20, "/recommendations": 400}, fates=fates, window_ms=6000).live()
        planned = [each for each in day.exchanges if each.why == "plan"]
        assert sorted(each.step for each in planned) == list(range(len(actions)))
        assert all(each.do == actions[each.step].do and each.jar == actions[each.step].jar for each in planned)
        assert len({each.request for each in day.exchanges if each.request}) == len(day.browser.asked)
