"""Refuted and understood: with a finding and a second prediction that was tried elsewhere and holds for all of it."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from loadtests.campaigns.cells import Cell, Matrix, read_matrix, second_look, write_matrix
from loadtests.campaigns.matrix.board import board_of, matrix_exit_code
from loadtests.campaigns.matrix.markdown_page import markdown_page
from loadtests.campaigns.matrix.page import render, table
from loadtests.campaigns.matrix.second_predictions import all_seconds, looked_at_again, read_seconds
from loadtests.model.results import Prediction
from shared.errors import ScenarioError
from tests.loadtests.campaigns.matrix.made_up import CATALOGUE, MATRIX, cell
from tests.loadtests.report.parsed import Page

FINDINGS = Path(__file__).parents[4] / "docs" / "explanation" / "findings.md"
SCENARIOS = {entry.scenario.name: entry.scenario for entry in CATALOGUE}
TABLE = """\
[[second]]
scenario = "kill"
architectures = ["redis"]
dated = 2026-11-27
refuted_by = [1]
finding = "why-it-was-so"
because = "The store was slow."
expect = { logged_out = "1 .. 0.1 * U" }
tried = [
  { architecture = "redis", seed = 2, measured = { logged_out = 1 } },
  { architecture = "redis", seed = 3, measured = { logged_out = 2 } },
  { architecture = "redis", seed = 4, measured = { logged_out = 6 } },
]
"""
REFUTED = cell("kill", "redis", "not as predicted", out=3)
REST = (cell("calm", "sticky-memory"), cell("calm", "redis"), cell("kill", "sticky-memory"), cell("cost", "redis"))


def again(changed: Cell, text: str = TABLE) -> Matrix:
    matrix = msgspec.structs.replace(MATRIX, cells=(*REST, changed))
    return looked_at_again(matrix, read_seconds(text.encode(), SCENARIOS, file="second.toml"))


def word(matrix: Matrix) -> str:
    return matrix.by_place()["kill", "redis"].word


def test_it_is_understood_if_the_second_prediction_holds_for_all_that_was_refuted() -> None:
    matrix = again(REFUTED)
    assert word(matrix) == "refuted and understood"
    assert matrix_exit_code(board_of(matrix, CATALOGUE)) == 0
    assert all(cell.second is None for cell in matrix.cells if cell.place != REFUTED.place)


@pytest.mark.parametrize(
    "refuted",
    [
        cell("kill", "redis", "not as predicted", out=7),
        msgspec.structs.replace(
            REFUTED, predictions=(*REFUTED.predictions, Prediction("carts_lost", "0", 0.0, 1.0, False))
        ),
        msgspec.structs.replace(REFUTED, measures={}),
    ],
    ids=["the second prediction does not hold", "something else was refuted, too", "not measured"],
)
def test_otherwise_it_stays_open(refuted: Cell) -> None:
    matrix = again(refuted)
    assert word(matrix) == "not as predicted"
    assert matrix_exit_code(board_of(matrix, CATALOGUE)) == 1
    assert "does not explain this" in second_look(matrix.by_place()["kill", "redis"])


def test_what_was_not_refuted_or_did_not_happen_is_left_as_it_is() -> None:
    for left in (cell("kill", "redis"), cell("kill", "redis", "inconclusive", out=3)):
        assert again(left).by_place()["kill", "redis"] == left


def test_a_finding_that_is_withdrawn_explains_nothing_any_more(tmp_path: Path) -> None:
    write_matrix(tmp_path, again(REFUTED))
    read = read_matrix(tmp_path)
    assert read == again(REFUTED), "matrix.json says which, with the second prediction"
    assert looked_at_again(read, {}).by_place()["kill", "redis"] == REFUTED


def test_terminal_page_and_docs_say_which_and_lead_to_the_finding(tmp_path: Path) -> None:
    matrix = again(REFUTED)
    board = board_of(matrix, CATALOGUE)
    text = " ".join(table(board).split())
    assert "3 =3 ✗✓" in text
    assert "Refuted and understood kill on redis: a reason; The store was slow. So a second prediction" in text
    assert "docs/explanation/findings.md" in text
    page = Page(render(tmp_path, matrix, CATALOGUE, ()))
    assert "✗✓ refuted and understood: the finding" in page.text("cell-kill-redis")
    assert "#finding-kill-redis" in page.links
    assert "tried on seeds 2, 3, 4: predicted logged_out 1 .. 0.1 * U" in page.text("finding-kill-redis")
    assert "docs/explanation/findings.md#why-it-was-so" in page.text("finding-kill-redis")
    docs = markdown_page(matrix, board, ())
    assert "3 (0 = 3) [✗✓](findings.md#why-it-was-so) |" in docs
    assert "1 refuted and understood." in docs


def test_what_nobody_understands_says_so_visibly(tmp_path: Path) -> None:
    matrix = looked_at_again(msgspec.structs.replace(MATRIX, cells=(*REST, REFUTED)), {})
    board = board_of(matrix, CATALOGUE)
    assert "not understood: nobody has found why" in " ".join(table(board).split())
    assert "nobody has shown why" in Page(render(tmp_path, matrix, CATALOGUE, ())).text("cell-kill-redis")
    assert "*Not as predicted*: not understood" in markdown_page(matrix, board, ())


@pytest.mark.parametrize(
    ("now", "then", "says"),
    [
        ('scenario = "kill"', 'scenario = "kil"', "no cell of the matrix"),
        ('["redis"]', '["signed-token"]', "no cell of the matrix"),
        ('["redis"]', '["redis", "redis"]', "two second predictions"),
        ("{ logged_out =", "{ logged_ot =", "no measure of a cell"),
        ("0.1 * U", "0.1 * W", "over W, which no cell knows"),
        ("1 .. 0.1 * U", "many", "is not a prediction"),
        ("seed = 4", "seed = 3", "at least 3 seeds, each once"),
        ("refuted_by = [1]", "refuted_by = [1, 3]", "none that refuted the first"),
        ("logged_out = 6", "logged_out = 7", "did not hold on seed 4"),
        ("logged_out = 6", "carts_lost = 6", "did not hold on seed 4"),
        ("dated = 2026-11-27", 'dated = "soon"', "dated"),
        ("because", "becuase", "becuase"),
    ],
)
def test_the_table_is_read_strictly(now: str, then: str, says: str) -> None:
    assert now in TABLE
    with pytest.raises(ScenarioError, match=re.escape(says)) as refused:
        read_seconds(TABLE.replace(now, then).encode(), SCENARIOS, file="second.toml")
    assert "second.toml" in str(refused.value)


def test_every_finding_that_is_named_stands_in_the_docs() -> None:
    heads = re.findall(r"^## (.*)$", FINDINGS.read_text(), re.MULTILINE)
    there = {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}
    assert {second.finding for second in all_seconds().values()} <= there
