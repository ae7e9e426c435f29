"""Faults of every kind on the charts, and who asked with whose cookies."""

from __future__ import annotations

import msgspec

from loadtests.model.events import FaultEvent, FaultPhase
from loadtests.model.fault_timeline import FaultTimeline
from loadtests.model.results import LogoutCounts
from loadtests.report.axis import TimeAxis, bands_of, frame
from loadtests.report.drawing import Box
from loadtests.report.evidence import Story
from loadtests.report.lanes import SESSIONS
from loadtests.report.shopper_timelines import strips
from loadtests.report.timeline import timelines
from tests.loadtests.example_result import UNEVENTFUL
from tests.loadtests.stories import Story as Told
from tests.loadtests.stories import fault as told_fault

AXIS = TimeAxis(12_500_000, 12_000_000)


def band(kind: str, victim: str, at_us: int = 5_000_000, fault: int = 0) -> FaultTimeline:
    return told_fault(victim, kind, at_us, at_us + 30_000, at_us + 1_000_000, at_us + 2_000_000, number=fault)


def story_of(*told: Told, bands: tuple[FaultTimeline, ...] = ()) -> Story:
    events = []
    for it in bands:
        marks: list[tuple[FaultPhase, int | None]] = [
            ("injected", it.injected_us), ("observed", it.observed_us), ("healed", it.healed_us),
            ("observed_healed", it.observed_healed_us),
        ]  # fmt: skip
        for phase, at_us in marks:
            assert at_us is not None
            events.append(FaultEvent("sticky-memory", at_us, it.fault, it.kind, it.victim, phase))
    story = Story("sticky-memory", events)
    for each in told:
        story.add(*each.exchanges)
    for shopper in story.shoppers.values():
        shopper.close(story.end_us)
    return story


def labels(bands: tuple[FaultTimeline, ...]) -> list[str]:
    """What the key says of them, without when."""
    return [text.partition(" at ")[0] for text in bands_of([story_of(bands=bands)])]


class TestWords:
    def test_a_node_and_a_part_and_the_cluster(self) -> None:
        assert labels((band("kill", "n2"),)) == ["n2 killed", "n2 back"]
        assert labels((band("store-kill", "store"),)) == ["the store killed", "the store back"]
        assert labels((band("scale-out", "cluster"),)) == ["the cluster grown by a node"], "it stays"

    def test_a_fault_that_nobody_knows_any_more(self) -> None:
        assert labels((band("earthquake", "n2"),)) == ["n2 hit by 'earthquake'", "n2 back"]

    def test_three_in_a_row_are_all_told(self) -> None:
        rolling = tuple(band("restart", f"n{number}", number * 2_500_000, number) for number in (1, 2, 3))
        assert sorted(labels(rolling)) == [
            "n1 back",
            "n1 restarted",
            "n2 back",
            "n2 restarted",
            "n3 back",
            "n3 restarted",
        ]

    def test_of_many_only_when_they_struck(self) -> None:
        rolling = tuple(band("restart", f"n{number}", number * 1_500_000, number) for number in range(1, 7))
        assert sorted(labels(rolling)) == [f"n{number} restarted" for number in range(1, 7)]
        assert sum(isinstance(shape, Box) for shape in frame(AXIS, rolling, bottom=100)) == 6

    def test_what_stays_lasts_to_the_end(self) -> None:
        assert band("scale-out", "cluster").end_us(12_500_000) == 12_500_000
        assert band("kill", "n2").end_us(12_500_000) == 7_000_000


class TestSeveralFaults:
    rolling = tuple(band("restart", f"n{number}", number * 1_000_000, number - 1) for number in (1, 2, 3))
    told = (Told(1).login("n1").at(2).stranger(node="n2"), Told(2).login("n3").at(2).cart({}, node="n3"))

    def test_strips_say_who_fell_before_them(self) -> None:
        out = msgspec.structs.replace(UNEVENTFUL, shoppers=2, logged_out=LogoutCounts(1, 1, 0))
        chart = strips(story_of(*self.told, bands=self.rolling), out, AXIS)
        assert chart.finding == "1 of 2 shoppers was logged out, 0 of them before anything was broken on purpose."

    def test_the_timeline_takes_them_together(self) -> None:
        (chart,) = timelines([story_of(*self.told, bands=self.rolling)], AXIS, 100_000, {}).charts
        assert chart.finding.startswith("Not ok: 1 of 2 actions from the first fault to the last one’s end, ")

    def test_one_that_struck_no_node_has_no_node_to_speak_of(self) -> None:
        story = story_of(*self.told, bands=(band("store-freeze", "store", 1_500_000),))
        out = msgspec.structs.replace(
            UNEVENTFUL, shoppers=2, logged_out=LogoutCounts(1, 1, 0), logged_out_before_fault=1
        )
        assert strips(story, out, AXIS).finding.endswith("1 of them before anything was broken on purpose.")
        assert "the store" not in SESSIONS.finding(story, SESSIONS.read(story))


class TestSettled:
    told = Told(1).login().add("mug", status=503).cart({"mug": 1})

    def test_what_a_later_look_settled_is_unknown_here_and_said_to_be_counted_otherwise_above(self) -> None:
        story = story_of(self.told)
        (chart,) = timelines([story], AXIS, 100_000, {story.name: 1}).charts
        assert [key.css for key in chart.key] == ["due unknown", "due ok"]
        assert chart.finding.endswith(" Unknown here, and settled by a later look in the numbers above: 1.")

    def test_where_nothing_was_settled_nothing_is_said_of_it(self) -> None:
        (chart,) = timelines([story_of(self.told)], AXIS, 100_000, {}).charts
        assert chart.finding == "1 of 3 planned actions were not ok, without any fault."


class TestOtherCookies:
    told = Told(1).login().logout().probe("stolen", status=401).probe("stolen", status=401)

    def test_being_refused_with_them_spoils_nothing(self) -> None:
        (chart,) = timelines([story_of(self.told)], AXIS, 100_000, {}).charts
        assert chart.finding == (
            "All 4 planned actions went well, 2 of them refused to other cookies than the shopper’s own."
        )
        assert [key.css for key in chart.key] == ["due refused", "due ok"]

    def test_they_make_no_trouble_in_the_shoppers_row(self) -> None:
        story = story_of(Told(1).login().probe("second", status=503).probe("stolen", status=0).cart({}))
        assert (story.shoppers[1].trouble, story.shoppers[1].not_ok) == ([], 0)

    def test_a_stream_that_ends_late_is_no_trouble_from_its_beginning(self) -> None:
        story = story_of(Told(1).login().say("watch", 503, took_ms=9000).cart({}))
        assert (story.shoppers[1].trouble, story.shoppers[1].not_ok) == ([], 1)
