"""What was to fail the run, in the report."""

from __future__ import annotations

import msgspec
import pytest

from loadtests.model.results import Results, Threshold, VerdictWord
from loadtests.report import render_report
from tests.loadtests.report.conftest import MadeUp
from tests.loadtests.report.parsed import Page

FIRED = Threshold("logged_out", ">= 0.05 * U", 3, 20, True)
QUIET = Threshold("p95_ms", "> 500", 500, 8.25, False)


def guarded(made_up: MadeUp, verdict: VerdictWord, *thresholds: Threshold) -> Results:
    """The made-up run, with these thresholds in sticky-memory."""
    found = made_up.results.architectures
    sticky = msgspec.structs.replace(found["sticky-memory"], verdict=verdict, thresholds=thresholds)
    return msgspec.structs.replace(made_up.results, architectures={**found, "sticky-memory": sticky})


def page_of(made_up: MadeUp, results: Results) -> Page:
    page = Page(render_report(made_up.folder, results))
    assert page.problems == []
    assert max(page.ids.values()) == 1
    return page


def test_a_run_without_thresholds_says_nothing_of_them(made_up: MadeUp) -> None:
    assert "thresholds" not in made_up.page.ids
    assert "n-fired" not in made_up.page.ids


def test_what_fired_stands_beside_the_verdict_and_leads_to_the_table(made_up: MadeUp) -> None:
    page = page_of(made_up, guarded(made_up, "as predicted", FIRED, QUIET))
    assert page.text("n-fired") == "✗ 1 threshold fired"
    assert "#thresholds" in page.links
    assert page.text("thresholds").split("sticky-memory")[1:] == [
        " logged out ≥ 0.05 × U (3) 20 ✗ fired ", " p95 ms > 500 8.25 ✓ did not fire",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("verdict", "threshold", "word"),
    [
        ("as predicted", QUIET, "did not fire"),
        ("inconclusive", FIRED, "fired, but the experiment did not happen here"),
    ],
)
def test_what_decides_nothing_is_in_the_table_only(
    made_up: MadeUp, verdict: VerdictWord, threshold: Threshold, word: str
) -> None:
    page = page_of(made_up, guarded(made_up, verdict, threshold))
    assert "n-fired" not in page.ids
    assert word in page.text("thresholds")


def test_hostile_text_is_text(made_up: MadeUp) -> None:
    hostile = Threshold("logged_out", "> <script>alert(1)</script>", 0, 20, True)
    html = render_report(made_up.folder, guarded(made_up, "as predicted", hostile))
    assert html.count(b"<script") == 1, "the report's own"
