"""The badge: what it says, to whom, and in which colours."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from loadtests.report.exports.badge import COLOURS, LABEL, MOST_LETTERS, badge
from loadtests.report.exports.judged import JudgedRun, one_line
from tests.contrast import contrast
from tests.loadtests.report.exports import runs

SVG = "{http://www.w3.org/2000/svg}"


def words(run: JudgedRun) -> list[str]:
    return [it.text or "" for it in ElementTree.fromstring(badge(run)).iter(f"{SVG}text")]


@pytest.mark.parametrize(
    ("make", "says", "colour"),
    [
        (runs.plain_run, "✓ as predicted", "good"),
        (runs.refuted_run, "✗ not as predicted", "bad"),
        (runs.inconclusive_run, "? inconclusive", "unclear"),
        (runs.run_with_thresholds, "✗ 1 threshold fired", "bad"),
    ],
)
def test_it_says_how_the_run_ended_in_words(tmp_path: Path, make: object, says: str, colour: str) -> None:
    assert callable(make)
    run = make(tmp_path / "run")
    assert words(run) == ["twinshop model", says]
    fills = [it.get("fill") for it in ElementTree.fromstring(badge(run)).iter(f"{SVG}rect")]
    assert fills == [LABEL, COLOURS[colour]]


def test_who_cannot_see_it_is_told_the_same(run: JudgedRun) -> None:
    svg = ElementTree.fromstring(badge(run))
    assert svg.tag == f"{SVG}svg"
    assert svg.get("role") == "img"
    assert svg.get("aria-label") == "twinshop model: as predicted"
    assert svg[0].tag == f"{SVG}title"
    assert svg[0].text == "twinshop model: as predicted"


@pytest.mark.parametrize("colour", [LABEL, *COLOURS.values()])
def test_white_is_readable_on_each_colour(colour: str) -> None:
    assert contrast("#ffffff", colour) >= 4.5


def test_it_needs_nothing_from_elsewhere(run: JudgedRun) -> None:
    content = badge(run).decode().replace("http://www.w3.org/2000/svg", "")
    assert not any(word in content for word in ("http", "href", "url(", "<script", "<style", "@import"))


def test_hostile_text_is_text_and_a_long_name_is_cut(hostile: JudgedRun) -> None:
    label, says = words(hostile)
    assert len(label) == MOST_LETTERS
    assert label.endswith("…")
    assert says == "✗ 1 threshold fired"
    svg = ElementTree.fromstring(badge(hostile))
    assert svg[0].text == f"twinshop {one_line(runs.HOSTILE)}: 1 threshold fired"
    assert {it.tag for it in svg.iter()} == {f"{SVG}{name}" for name in ("svg", "title", "rect", "g", "text")}
    assert int(svg.get("width", "0")) < 600


def test_the_text_fits_its_place(run: JudgedRun) -> None:
    svg = ElementTree.fromstring(badge(run))
    places = [(float(it.attrib["x"]), float(it.attrib["width"])) for it in svg.iter(f"{SVG}rect")]
    for it, (x, width) in zip(svg.iter(f"{SVG}text"), places, strict=True):
        assert x < float(it.attrib["x"])
        assert float(it.attrib["x"]) + float(it.attrib["textLength"]) < x + width
    assert sum(width for _, width in places) == float(svg.attrib["width"])


def test_the_same_run_gives_the_same_bytes(run: JudgedRun) -> None:
    assert badge(run) == badge(run)
