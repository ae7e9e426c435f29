"""The charts against the made-up run: what they show is what happened."""

from __future__ import annotations

import re

import msgspec
import pytest

from compose.cluster import Usage
from loadtests.judging.latency import percentiles_of
from loadtests.model.events import PartSample
from loadtests.model.history import Exchange
from loadtests.model.results import Latency, Percentiles
from loadtests.report.axis import TimeAxis
from loadtests.report.distribution import distribution
from loadtests.report.drawing import Chart, Label, Region, SmallMultiples
from loadtests.report.evidence import Evidence, Story, gather
from loadtests.report.lanes import ANSWERS, BYTES, MEMORY, SESSIONS
from loadtests.report.latency import latency
from loadtests.report.page import SideBySide, side_by_side
from loadtests.report.shopper_timelines import MOST_ROWS, strips
from loadtests.report.timeline import timelines
from tests.loadtests.report.conftest import MadeUp
from tests.loadtests.stories import Story as Told
from tests.loadtests.synthetic_run import BACK_US, KILLED_US, synthetic_run

NAMES = ("sticky-memory", "roundrobin-memory", "signed-token", "redis")


@pytest.fixture(scope="module")
def evidence(made_up: MadeUp) -> Evidence:
    return gather(made_up.folder)


@pytest.fixture(scope="module")
def axis(evidence: Evidence) -> TimeAxis:
    return TimeAxis(evidence.end_us, evidence.window_us)


@pytest.fixture(scope="module")
def charts(made_up: MadeUp, evidence: Evidence) -> SideBySide:
    return side_by_side(evidence, made_up.results)


def of(it: SmallMultiples, name: str) -> Chart:
    return next(chart for chart in it.charts if chart.of == name)


def region(chart: Chart, css: str) -> str:
    return next((shape.path for shape in chart.shapes if isinstance(shape, Region) and shape.css == css), "")


def labels(chart: Chart) -> list[str]:
    return [shape.text for shape in chart.shapes if isinstance(shape, Label)]


def column(chart: Chart, name: str) -> list[str]:
    index = chart.table.head.index(name)
    return [row[index] for row in chart.table.rows]


@pytest.mark.parametrize("name", NAMES)
def test_timeline_counts_every_planned_action_once(
    made_up: MadeUp, evidence: Evidence, axis: TimeAxis, name: str
) -> None:
    (chart,) = timelines([evidence.stories[name]], axis, evidence.bucket_us, {}).charts
    book = made_up.results.architectures[name].actions
    assert sum(map(int, column(chart, "ok"))) == book.ok
    assert sum(map(int, column(chart, "unknown"))) == book.unknown
    assert sum(map(int, column(chart, "failed"))) + sum(map(int, column(chart, "stranger"))) == book.failed
    assert len(re.findall("Z", region(chart, "due ok"))) <= 200


def test_timeline_finds_the_trouble_within_the_fault(evidence: Evidence, axis: TimeAxis) -> None:
    (chart,) = timelines([evidence.stories["sticky-memory"]], axis, evidence.bucket_us, {}).charts
    assert chart.finding.startswith("Not ok: 60 of ")
    assert re.search(r"actions during the fault, 0 of \d+ at other times\.$", chart.finding)
    starts = [int(left) for left in re.findall(r"M(\d+)", region(chart, "due failed"))]
    assert min(starts) >= axis.unit(KILLED_US - evidence.bucket_us)
    assert max(starts) <= axis.unit(BACK_US)


def test_buckets_are_100_ms_in_a_short_run(evidence: Evidence) -> None:
    assert evidence.bucket_us == 100_000


def test_strips_show_which_third_fell(made_up: MadeUp, evidence: Evidence, axis: TimeAxis) -> None:
    chart = strips(evidence.stories["sticky-memory"], made_up.results.architectures["sticky-memory"], axis)
    groups = [text for text in labels(chart) if "logged out" in text]
    assert groups == ["n1: 0 of 20 logged out", "n2: 20 of 20 logged out", "n3: 0 of 20 logged out"]
    assert (
        chart.finding
        == "20 of 60 shoppers were logged out; all of them had been served by n2 just before it was killed."
    )
    assert region(chart, "strip out").count("M") == 20
    assert region(chart, "strip shopping").count("M") >= 60
    assert sum(map(int, column(chart, "logouts"))) == 20


@pytest.mark.parametrize("name", ["signed-token", "redis"])
def test_strips_of_an_architecture_that_lost_nobody(
    made_up: MadeUp, evidence: Evidence, axis: TimeAxis, name: str
) -> None:
    chart = strips(evidence.stories[name], made_up.results.architectures[name], axis)
    assert chart.finding == "None of the 60 shoppers was logged out."
    assert region(chart, "strip out") == ""
    assert region(chart, "strip trouble")


def test_strips_of_a_crowd_are_thinned_out_and_say_so(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("crowd") / "run"
    results = synthetic_run(folder, shoppers=600)
    crowd = gather(folder)
    chart = strips(
        crowd.stories["sticky-memory"], results.architectures["sticky-memory"], TimeAxis(crowd.end_us, crowd.window_us)
    )
    assert chart.height < 400
    assert "201 of 600" in chart.description
    assert len(chart.table.rows) == MOST_ROWS
    assert "360 more" in chart.table.note


def test_sessions_vanish_with_their_node(evidence: Evidence, axis: TimeAxis) -> None:
    (chart,) = SESSIONS.of_all([evidence.stories["sticky-memory"]], axis).charts
    assert chart.title == "Sessions by node"
    assert chart.finding.startswith("n2 held 20 sessions just before it was hit; once it was back 0 at first")
    assert region(chart, "level silent")
    assert {"n1: up to 30, end 30", "n2: up to 20, end 0"} <= set(labels(chart))


def test_answers_of_each_node_are_all_answers(evidence: Evidence, axis: TimeAxis) -> None:
    story = evidence.stories["redis"]
    (chart,) = ANSWERS.of_all([story], axis).charts
    answers = sum(sum(buckets.values()) for buckets in story.answers.values())
    assert chart.finding.startswith(f"Shares of {answers:,} answers: n1 ")
    assert SESSIONS.read(story) == {}


def test_only_nodes_that_hold_sessions_have_a_chart_of_them(charts: SideBySide) -> None:
    _, sessions = charts.when
    assert [chart.of for chart in sessions.charts] == ["sticky-memory", "roundrobin-memory"]
    assert sessions.missing.startswith("Not of signed-token, redis: their nodes hold no sessions")
    assert [it.id for it in charts.folded] == ["answers"], "bytes and memory were not measured"


def test_what_stands_side_by_side_has_one_scale(charts: SideBySide) -> None:
    """Only one bar of all is as high as the scale, whichever architecture it is in."""
    due = [region(chart, css) for chart in charts.when[0].charts for css in ("due ok", "due failed", "due stranger")]
    tops = [float(y) for path in due for y in re.findall(r"M\d+ ([\d.]+)", path)]
    assert min(tops) == pytest.approx(0, abs=0.1)
    scales = {re.findall(r"up to (\d+)", chart.description)[0] for chart in charts.folded[0].charts}
    most = max(int(cell) for it in charts.folded[0].charts for row in it.table.rows for cell in row[1:] if cell != "–")
    assert [int(scale) for scale in scales] == [most]


def test_the_bands_are_told_once_with_their_times(charts: SideBySide) -> None:
    assert charts.bands == ("n2 killed at 5.0 s", "n2 back at 8.9 s")


def test_latency_has_two_tracks_for_each_architecture(made_up: MadeUp, evidence: Evidence) -> None:
    chart = latency(evidence, made_up.results)
    assert len(chart.table.rows) == 8
    assert [shape.text for shape in chart.shapes if shape.css == "track"] == list(NAMES)
    tracks = [shape.css.split()[1] for shape in chart.shapes if shape.css.startswith("span ")]
    assert tracks == ["raw", "from-plan"] * 4
    raw = made_up.results.architectures["redis"].latency_ms.raw
    assert f"{raw.p95:.2f}" in next(row for row in chart.table.rows if row[0] == "redis")


def test_latency_of_nobody(made_up: MadeUp, evidence: Evidence) -> None:
    none = Percentiles(0, 0, 0, 0, 0)
    sticky = made_up.results.architectures["sticky-memory"]
    sticky = msgspec.structs.replace(
        sticky, latency_ms=msgspec.structs.replace(sticky.latency_ms, raw=none, from_plan=none)
    )
    chart = latency(evidence, msgspec.structs.replace(made_up.results, architectures={"sticky-memory": sticky}))
    assert chart.finding == "No planned action was answered."


@pytest.mark.parametrize("name", NAMES)
def test_every_chart_has_a_title_a_finding_a_description_a_key_and_a_table(charts: SideBySide, name: str) -> None:
    for chart in (of(charts.who, name), of(charts.when[0], name), *(of(it, name) for it in charts.folded)):
        assert chart.title
        assert chart.finding.endswith(".")
        assert chart.description.endswith(".")
        assert chart.key
        assert 1 <= len(chart.table.rows) <= MOST_ROWS
        assert all(len(row) == len(chart.table.head) for row in chart.table.rows)


def test_the_distribution_has_two_lines_for_each_architecture(made_up: MadeUp, evidence: Evidence) -> None:
    it = distribution(evidence, made_up.results)
    assert [chart.of for chart in it.charts] == list(made_up.results.architectures)
    for chart in it.charts:
        lines = [shape.css.split()[1] for shape in chart.shapes if isinstance(shape, Region)]
        assert lines == ["raw", "from-plan"]
        told = [int(row[1].replace(",", "")) for row in chart.table.rows]
        assert sum(told) == made_up.results.architectures[chart.of].latency_ms.raw.count, chart.of


def test_a_line_of_the_distribution_falls_where_the_answers_are(made_up: MadeUp, evidence: Evidence) -> None:
    waits = percentiles_of({1_000: 90, 1_000_000: 10})
    sticky = made_up.results.architectures["sticky-memory"]
    sticky = msgspec.structs.replace(sticky, latency_ms=Latency(waits, waits))
    results = msgspec.structs.replace(made_up.results, architectures={"sticky-memory": sticky})
    (chart,) = distribution(evidence, results).charts
    raw, _ = (shape for shape in chart.shapes if isinstance(shape, Region))
    # Down by one factor of ten (28 px) at 1 ms, a third of the way from 0.1 ms to 100 ms or so; to the floor at 1 s.
    assert raw.path == "M0 1H2500V29H10000V55"
    assert chart.finding.startswith("The slowest in a thousand took 1,000 ms")


def test_memory_has_a_lane_for_each_part_and_a_gap_where_it_was_dead() -> None:
    looks = []
    for at_s, usage in ((0, {"n1": 100, "store": 8}), (1, {"store": 8}), (2, {"n1": 60, "store": 9})):
        sizes = {part: Usage(0.0, mb * 2**20) for part, mb in usage.items()}
        looks.append(PartSample("redis", at_s * 1_000_000, sizes))
    story = Story("redis", looks)
    story.end_us = 4_000_000
    (chart,) = MEMORY.of_all([story], TimeAxis(4_000_000, 4_000_000)).charts
    lanes = [shape for shape in chart.shapes if isinstance(shape, Region)]
    # 34 of 52 px are the most, 100 MiB; at 60 MiB it is 20.4 px high, from the middle to the end.
    assert lanes[0].path == "M0 52V18.0H2500V52ZM5000 52V31.6H10000V52Z"
    assert [text for text in labels(chart) if "up to" in text] == [
        "n1: up to 100 MiB, end 60",
        "store: up to 9 MiB, end 9",
    ]
    assert chart.finding.endswith("108 MiB at the first look, 69 MiB at the last.")
    assert chart.table.rows[2] == ("1.0 s", "–", "8")


def told_exchanges() -> list[Exchange]:
    told = Told(architecture="redis")
    for _ in range(20):
        told.say("cart")
    return told.exchanges


def test_bytes_are_summed_by_half_seconds() -> None:
    story = Story("redis")
    for number, exchange in enumerate(told_exchanges()):
        story.add(msgspec.structs.replace(exchange, cookie_bytes=100, body_bytes=number))
    (chart,) = BYTES.of_all([story], TimeAxis(story.end_us, story.end_us)).charts
    sent = sum(int(row[1].replace(",", "")) for row in chart.table.rows if row[1] != "–")
    assert sent == 20 * 100
    assert chart.finding == "2,000 bytes of cookies were sent, and 190 bytes of bodies came back."


def test_where_nothing_was_sampled_or_sent_there_is_no_chart() -> None:
    story = Story("redis")
    assert MEMORY.read(story) == BYTES.read(story) == {}
