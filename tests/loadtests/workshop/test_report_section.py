"""What people predicted, beside what was observed: only where people were asked, and never as markup."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from loadtests.campaigns.bundles.pack import pack
from loadtests.model.results import Results
from loadtests.report import render_report
from loadtests.workshop.contract import CommittedPrediction
from loadtests.workshop.predictions import FILE, append_prediction
from loadtests.workshop.report_section import MOST_ANSWERS, MOST_REASONS, predicted, predictions_section
from tests.loadtests.report.parsed import Page
from tests.loadtests.synthetic_run import synthetic_run

LONG_AGO, LATE = 1, 2**60
HOSTILE = "<script>alert('x')</script>\"'&{{ 7*7 }}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "run"


def a_round(folder: Path) -> Results:
    """The made-up run, as if it had been a round of the second episode; 20 were logged out on the left."""
    results = msgspec.structs.replace(synthetic_run(folder), scenario="kill-one-of-three")
    assert results.architectures["sticky-memory"].logged_out.shoppers == 20
    return results


def said(folder: Path, left: str, *, at_us: int = LONG_AGO, name: str = "", reason: str = "Because.") -> None:
    answers = {"left": left, "right": "0", "you": "right"}
    append_prediction(folder, CommittedPrediction(at_us, f"{left}{at_us}{name}", name, answers, reason))


def test_what_was_said_stands_beside_what_was_observed(folder: Path) -> None:
    results = a_round(folder)
    for left in ("20", "9", "60", "20"):
        said(folder, left)
    found = predicted(folder, results)
    assert found is not None
    left, right, _you = found.questions
    rows = [(row.text, row.people, row.observed) for row in left.answers]
    assert rows == [("9 shoppers", 1, False), ("20 shoppers", 2, True), ("60 shoppers", 1, False)]
    assert (left.observed, left.right) == ("20 shoppers", 2)
    assert (right.observed, right.right) == ("0 shoppers", 4)


def test_what_nobody_said_has_its_row_too(folder: Path) -> None:
    results = a_round(folder)
    said(folder, "60")
    found = predicted(folder, results)
    assert found is not None
    rows = [(row.text, row.people, row.observed) for row in found.questions[0].answers]
    assert rows == [("20 shoppers", 0, True), ("60 shoppers", 1, False)]


def test_choices_are_told_as_they_were_offered(folder: Path) -> None:
    results = a_round(folder)
    said(folder, "1")
    found = predicted(folder, results)
    assert found is not None
    assert [row.text for row in found.questions[2].answers if row.people] == ["in the right shop only"]
    assert found.reasons[0].said == "1 shoppers; 0 shoppers; in the right shop only"


def test_who_was_late_is_counted(folder: Path) -> None:
    results = a_round(folder)
    said(folder, "1")
    said(folder, "2", at_us=LATE)
    found = predicted(folder, results)
    assert found is not None
    assert (found.people, found.late, [it.late for it in found.reasons]) == (2, 1, [False, True])


def test_the_page_has_the_section_and_escapes_what_people_wrote(folder: Path) -> None:
    results = a_round(folder)
    said(folder, "20", name=HOSTILE[:40], reason=HOSTILE)
    html = render_report(folder, results, extra=predictions_section(folder, results))
    page = Page(html)
    assert page.problems == []
    assert HOSTILE in page.text("predictions")
    assert "1 of 1 had said so" in page.text("predictions")
    assert "#predictions" in page.links
    assert html.count(b"<script") == 1


def test_a_report_of_a_run_in_which_nobody_was_asked_has_nothing_of_it(folder: Path) -> None:
    results = a_round(folder)
    assert predicted(folder, results) is None
    assert b"predictions-h" not in render_report(folder, results, extra=predictions_section(folder, results))


def test_a_bundle_carries_what_people_said(folder: Path, tmp_path: Path) -> None:
    a_round(folder)
    said(folder, "20")
    packed = pack(folder, tmp_path / "round.zip")
    assert FILE in [file.name for file in packed.manifest.files]


def test_a_room_full_of_words_keeps_the_report_small(folder: Path) -> None:
    results = a_round(folder)
    for number in range(300):
        said(folder, str(1000 + number), name=str(number), reason="<" * 500)
    found = predicted(folder, results)
    assert found is not None
    assert (len(found.reasons), found.more_reasons) == (MOST_REASONS, 300 - MOST_REASONS)
    first = found.questions[0]
    assert len(first.answers) == MOST_ANSWERS
    assert sum(row.people for row in first.answers) + first.others == 300
    assert any(row.observed for row in first.answers)
    assert len(render_report(folder, results, extra=predictions_section(folder, results))) < 500_000


def test_of_an_unknown_episode_the_ids_have_to_do(folder: Path) -> None:
    results = msgspec.structs.replace(a_round(folder), scenario="of-somebodys-own")
    said(folder, "20")
    found = predicted(folder, results)
    assert found is not None
    assert [(asked.text, asked.observed) for asked in found.questions] == [("left", ""), ("right", ""), ("you", "")]
