"""The page: true to the cells, safe, whole without a script, and the same bytes for the same files."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from compose.architectures import ARCHITECTURES
from loadtests.campaigns.cells import Cell, Matrix, Selection
from loadtests.campaigns.claims import all_claims, decide_all
from loadtests.campaigns.jobs import key_of
from loadtests.campaigns.matrix.page import render, write_page
from loadtests.model.results import Prediction
from tests.loadtests.campaigns.matrix.made_up import CATALOGUE, KILL, MATRIX, cell, entry
from tests.loadtests.report.parsed import Page

HOSTILE = "<script>alert('x')</script>\"'&{{ 7*7 }}"
CELLS = (
    cell("calm", "sticky-memory"),
    cell("calm", "redis", "inconclusive"),
    cell("kill", "sticky-memory", out=20, predicted="at_risk"),
    cell("kill", "redis", "not as predicted", out=3),
)
WITH_CELLS = msgspec.structs.replace(MATRIX, cells=CELLS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    report = tmp_path / CELLS[2].run / "report.html"
    report.parent.mkdir()
    report.write_text("<!doctype html>")
    return tmp_path


def rendered(folder: Path, matrix: Matrix) -> bytes:
    return render(folder, matrix, CATALOGUE, decide_all(all_claims(), matrix.by_place()))


def page(folder: Path, matrix: Matrix = WITH_CELLS) -> Page:
    return Page(rendered(folder, matrix))


def test_every_tag_is_closed_every_id_unique_and_every_link_leads_somewhere(folder: Path) -> None:
    found = page(folder)
    (folder / "matrix.json").touch()
    assert found.problems == []
    assert [id_ for id_, count in found.ids.items() if count > 1] == []
    for link in found.links:
        file, _, anchor = link.partition("#")
        assert (folder / file).exists() if file else anchor in found.ids, link


def test_a_cell_says_measured_predicted_and_its_word_and_leads_to_its_report(folder: Path) -> None:
    found = page(folder)
    text = found.text("cell-kill-sticky-memory")
    assert text.startswith("20 of 60 predicted at risk = 20 ✓ as predicted")
    assert "logged out 20, predicted at risk = 20 ✓" in text
    assert f"{CELLS[2].run}/report.html#arch-sticky-memory" in found.links
    assert "✗ not as predicted" in found.text("cell-kill-redis")
    assert not [link for link in found.links if link.startswith(CELLS[0].run)], "no link to a report that is not there"


def test_cells_that_were_not_run_say_why(folder: Path) -> None:
    found = page(folder)
    assert found.text("cell-cost-redis") == "not run: not requested yet"
    text = found.text("row-kill")
    assert "signed-token" not in found.text("row-calm")
    assert "it is asked elsewhere" not in text, "signed-token is nobody's column here"


def test_why_an_architecture_is_left_out(folder: Path) -> None:
    (kill,) = (it for it in CATALOGUE if it.scenario.name == "kill")
    scenario = msgspec.structs.replace(kill.scenario, architectures=("sticky-memory",), without={"redis": "no memory"})
    entries = (*(it for it in CATALOGUE if it is not kill), msgspec.structs.replace(kill, scenario=scenario))
    found = Page(render(folder, WITH_CELLS, entries, ()))
    assert "cell-kill-redis" not in found.ids, "redis is no column of its family: no scenario there asks it"
    found = Page(render(folder, WITH_CELLS, (*entries, entry("kill-too", KILL)), ()))
    assert found.text("cell-kill-redis") == "no memory"


def test_it_shows_what_was_asked_and_nothing_else(folder: Path) -> None:
    asked = Selection(scenarios=("kill",), architectures=("sticky-memory",))
    found = Page(render(folder, WITH_CELLS, CATALOGUE, (), asked))
    assert [id_ for id_ in found.ids if id_.startswith(("row-", "cell-"))] == ["row-kill", "cell-kill-sticky-memory"]
    assert found.text("n-answer") == "1 of 1 cell of 1 scenario went as predicted."
    assert "--scenario kill --architecture sticky-memory" in found.text("method")
    assert "not run" not in found.text()


def test_the_answer_counts_and_what_went_otherwise_comes_before_the_table(folder: Path) -> None:
    found = page(folder)
    assert found.text("n-answer") == (
        "2 of 4 cells of 2 scenarios went as predicted; 1 not as predicted, 1 inconclusive, 1 not run."
    )
    listed = found.text("findings")
    assert listed.index("kill on redis") < listed.index("calm on redis")
    assert "cost on redis" not in listed, "not requested yet: that is no finding"
    assert page(folder, MATRIX).text("n-answer") == "Nothing was run yet."


def test_the_claims_stand_there_with_their_words(folder: Path) -> None:
    found = page(folder)
    assert all(f"claim-C{number}" in found.ids for number in range(1, 16))
    assert "not decided" in found.text("claim-C1")


def test_hostile_text_is_only_text(folder: Path) -> None:
    hostile = msgspec.structs.replace(
        CELLS[3], why=HOSTILE, predictions=(Prediction(HOSTILE, HOSTILE, 1.0, 2.0, False),)
    )
    matrix = msgspec.structs.replace(MATRIX, cells=(hostile,))
    html = render(folder, matrix, CATALOGUE, ())
    assert b"<script" not in html
    assert HOSTILE in Page(html).text("findings")


def test_no_script_no_foreign_address_and_the_same_bytes_again(folder: Path) -> None:
    path = write_page(folder, WITH_CELLS, CATALOGUE, ())
    html = path.read_bytes()
    found = Page(html)
    assert (found.tags["script"], found.tags["link"]) == (0, 0)
    assert b"http://" not in html
    assert b"https://" not in html
    assert b"default-src 'none'; style-src 'sha256-" in html
    assert [it for it in found.attributes if it[1] in ("src", "style") or it[1].startswith("on")] == []
    assert render(folder, WITH_CELLS, CATALOGUE, ()) == html


def test_a_matrix_of_a_full_house_stays_small(folder: Path) -> None:
    names = ", ".join(f'"{name}"' for name in ARCHITECTURES)
    text = KILL.split("[without]")[0].replace('["sticky-memory", "redis"]', f"[{names}]")
    entries = tuple(entry(f"kill-{number}", text) for number in range(60))
    predictions = tuple(Prediction("logged_out", "at_risk", 20.0, 20.0, True) for _ in range(4))
    cells = tuple(
        Cell(
            it.scenario.name, name, "as predicted", key=key_of(it, MATRIX), predictions=predictions,
            measures={"logged_out": 20.0},
        )
        for it in entries
        for name in ARCHITECTURES
    )  # fmt: skip
    html = render(folder, msgspec.structs.replace(MATRIX, cells=cells), entries, ())
    assert html.count(b"as predicted</span>") == 60 * len(ARCHITECTURES)
    assert len(html) < 600_000
