"""The lesson's pages: complete, every number tied to something, and red as soon as one is falsified."""

from __future__ import annotations

import json
import re
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from playwright.sync_api import Browser

from loadtests.faults import FAULTS
from loadtests.model.formulas import is_true
from loadtests.workshop.episode import Episode
from loadtests.workshop.episode_file import load_episodes
from loadtests.workshop.rehearsal.lesson_pages import (
    MARK,
    MEASURED,
    TUTORIAL,
    LessonPage,
    all_pages,
    broken_by_a_round,
    broken_without_a_round,
    known_numbers,
    page_of,
)
from shared.errors import UsageError

DASHBOARD = Path(__file__).parents[4] / "loadtests" / "workshop" / "dashboard"
RECORDED = Path(__file__).with_name("recorded_rounds.json")


@pytest.mark.parametrize("episode", load_episodes(), ids=lambda episode: episode.name)
class TestEpisodePage:
    def test_it_has_what_a_lesson_must_have(self, episode: Episode) -> None:
        text = page_of(episode).path.read_text()
        for part in ("**The question:**", "**New idea:**", "**New control:**", "## Predict", "## Run", "## Explain"):
            assert part in text
        assert text.count("<details>") == text.count("</details>") == 3
        assert [text.index(each) for each in ("A tip<", "A bigger tip<", "The solution<")] == sorted(
            text.index(each) for each in ("A tip<", "A bigger tip<", "The solution<")
        )

    def test_its_objectives_are_the_episodes(self, episode: Episode) -> None:
        page = " ".join(page_of(episode).path.read_text().split()).lower()
        for objective in episode.objectives:
            assert objective.rstrip(".").lower() in page

    def test_it_begins_with_goto_and_ends_with_a_check_that_shows_all_objectives_met(self, episode: Episode) -> None:
        goto, check = page_of(episode).commands()
        assert goto.words == ("twinshop", "goto", str(episode.number))
        assert check.words == ("twinshop", "check", str(episode.number))
        assert not any("not yet" in line for line in check.output)
        shown = [line.removeprefix("met      ") for line in check.output if line.startswith("met")]
        assert set(shown) <= {check.shows for check in episode.check} | {
            "A prediction was committed before the first shopper came.", "The books of both shops balance.",
        }  # fmt: skip

    def test_minutes_are_the_instructors(self, episode: Episode) -> None:
        assert "minutes" not in page_of(episode).path.read_text()

    def test_it_makes_promises_that_only_a_round_can_keep(self, episode: Episode) -> None:
        assert sum(promise.of_a_round for promise in page_of(episode).promises()) >= 2


def test_every_number_of_the_lesson_is_tied_to_something_and_those_that_need_no_round_are_right() -> None:
    assert [str(bad) for bad in broken_without_a_round(all_pages(), known_numbers(MEASURED.read_text()))] == []


@pytest.mark.parametrize("page", [page_of(episode) for episode in load_episodes()], ids=lambda page: page.path.name)
def test_what_is_to_be_pressed_is_on_the_page_of_the_dashboard(page: LessonPage) -> None:
    """In the part Run, bold is what the dashboard calls it."""
    files = [*DASHBOARD.glob("templates/*.html"), *DASHBOARD.glob("static/*.js")]
    there = " ".join(" ".join(file.read_text().split()) for file in files) + " ".join(
        fault.label for fault in FAULTS.values()
    )
    there = re.sub(r'<span class="roomy">(.*?)</span>', r"\1", there)  # a projector leaves them out
    (run,) = re.findall(r"^## Run\n(.*?)^<details>", page.path.read_text(), re.MULTILINE | re.DOTALL)
    named = [" ".join(name.split()) for name in re.findall(r"\*\*(.+?)\*\*", run, re.DOTALL)]
    assert "Close predictions, let them shop" in named
    assert [name for name in named if name not in there] == []


@pytest.mark.browser
def test_the_decision_sheet_fits_on_one_page_of_paper(browser: Browser) -> None:
    style = "<style>body{font:9.5pt/1.3 sans-serif} table{border-collapse:collapse} td{border:1px solid}</style>"
    text = MarkdownIt("commonmark", {"html": True}).enable("table").render((TUTORIAL / "decision-sheet.md").read_text())
    page = browser.new_page()
    page.set_content(style + text)
    printed = page.pdf(format="A4", margin=dict.fromkeys(("top", "bottom", "left", "right"), "12mm"))
    assert len(re.findall(rb"/Type\s*/Page[^s]", printed)) == 1


def test_the_matrix_page_is_where_it_is_looked_for() -> None:
    assert MEASURED.is_file()
    assert (TUTORIAL / "index.md").is_file()


def test_pages_that_are_not_there_are_missed(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no pages"):
        all_pages(tmp_path)
    with pytest.raises(UsageError, match="has no page"):
        page_of(load_episodes()[0], tmp_path)


def test_each_question_of_the_quiz_has_one_right_answer_and_a_misconception_for_each_wrong_one() -> None:
    _before, *questions = re.split(r"^## \d\. ", (TUTORIAL / "quiz.md").read_text(), flags=re.MULTILINE)
    assert len(questions) == 8
    for question in questions:
        asked, answer = question.split("<details>")
        choices = re.findall(r"^- ([a-d])\.", asked, re.MULTILINE)
        right = re.findall(r"^\*\*([a-d])\.\*\*", answer, re.MULTILINE)
        wrong = re.findall(r"^- ([a-d])\. \*[^*]+\*", answer, re.MULTILINE)
        assert choices == ["a", "b", "c", "d"]
        assert len(right) == 1
        assert sorted([*right, *wrong]) == choices


def test_the_clock_of_each_timetable_gives_every_episode_its_minutes() -> None:
    rows = re.findall(r"^\| (\d):(\d\d) \| (.*)$", (TUTORIAL / "instructor.md").read_text(), re.MULTILINE)
    starts = [(60 * int(hour) + int(minute), what) for hour, minute, what in rows]
    ends = [at for at, what in starts if what.startswith("End")]
    assert ends == [90, 60, 30]
    minutes = {str(episode.number): episode.minutes for episode in load_episodes()}
    timed = [
        (what.removeprefix("Episode ")[0], later - at)
        for (at, what), (later, _next) in pairwise(starts)
        if what.startswith("Episode ")
    ]
    assert len(timed) == 11
    assert all(took == minutes[number] for number, took in timed)


def recorded(episode: Episode) -> dict[str, float]:
    """The numbers of a round of that episode, as `twinshop rehearse --json` told them."""
    return dict(json.loads(RECORDED.read_text())[episode.name])


@pytest.mark.parametrize("episode", load_episodes(), ids=lambda episode: episode.name)
class TestRecordedRounds:
    """No cluster: what a rehearsal has measured is held against the pages, whole and falsified."""

    def test_a_round_that_was_played_keeps_every_promise_of_its_page(self, episode: Episode) -> None:
        assert [str(bad) for bad in broken_by_a_round(page_of(episode), recorded(episode), numbers=True)] == []

    def test_any_number_of_the_text_that_is_falsified_is_found_with_its_line(
        self, episode: Episode, tmp_path: Path
    ) -> None:
        page = page_of(episode)
        tried = 0
        for place, text in page.prose():
            for mark in MARK.finditer(text):
                if mark["number"] is not None:
                    tried += 1
                    assert place in places(falsified(page, place, mark, tmp_path), recorded(episode))
        assert tried >= 4

    def test_any_sentence_whose_opposite_happened_is_found_with_its_line(self, episode: Episode) -> None:
        page = page_of(episode)
        values = {**recorded(episode), **{name: 7.0 for name in recorded(episode) if "." in name}}
        sentences = [promise for promise in page.promises() if promise.how == "promised"]
        assert {promise.place for promise in sentences} <= places(page, values) | {
            promise.place for promise in sentences if is_true(promise.formula, values)
        }

    def test_a_number_of_a_smaller_round_is_not_held_against_the_text(self, episode: Episode) -> None:
        smaller = {**recorded(episode), "U": 8.0}
        assert [str(bad) for bad in broken_by_a_round(page_of(episode), smaller, numbers=False)] == []


def falsified(page: LessonPage, place: str, mark: re.Match[str], folder: Path) -> LessonPage:
    """The page with that number made untrue: far above for `is` and `at most`, 0 for `at least` and `about`."""
    line = int(place.rpartition(":")[2])
    number = float(mark["number"].replace(",", ""))
    untrue = "0" if mark["said"].startswith(("about", "at least")) and number else f"{number + 1000:g}"
    lines = page.path.read_text().splitlines()
    text = lines[line - 1]
    lines[line - 1] = text[: mark.start("number")] + untrue + text[mark.end("number") :]
    (folder / page.path.name).write_text("\n".join(lines))
    return LessonPage(folder / page.path.name)


@cache
def known() -> dict[str, float]:
    """What needs no round: it takes all scenarios to be read, and hundreds of falsified pages are held against it."""
    return known_numbers(MEASURED.read_text())


def places(page: LessonPage, values: dict[str, float]) -> set[str]:
    """File and line of what is broken."""
    bad = (
        *broken_without_a_round((page,), known()),
        *broken_by_a_round(page, values, numbers=True),
    )
    return {one.place for one in bad}


@pytest.mark.parametrize("name", ["decision-sheet.md", "instructor.md"])
def test_any_number_of_the_other_pages_that_is_falsified_is_found_with_its_line(name: str, tmp_path: Path) -> None:
    page = LessonPage(TUTORIAL / name)
    for place, text in page.prose():
        for mark in MARK.finditer(text):
            assert mark["number"] is not None
            assert place in places(falsified(page, place, mark, tmp_path), {})
