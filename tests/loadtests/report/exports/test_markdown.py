"""The Markdown summary, read again by a Markdown parser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from loadtests.report.exports.judged import JudgedRun, one_line
from loadtests.report.exports.markdown import block, code, markdown, text
from loadtests.report.tables import Markdown, Table
from tests.loadtests.report.exports import runs

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
OURS = {"<details><summary>", "</summary>\n", "</details>"}


def tokens(source: str) -> Iterator[Token]:
    """All of them, those within lines too."""
    for token in PARSER.parse(source):
        yield token
        yield from token.children or ()


def shown(source: str) -> str:
    """What a reader reads of one piece of text."""
    return "".join(it.content for it in tokens(source) if it.type in {"text", "code_inline", "text_special"})


def kinds(source: str) -> set[str]:
    return {it.type for it in tokens(source)}


def cells(source: str) -> list[list[str]]:
    """Of all tables, row by row."""
    rows: list[list[str]] = []
    inline = False
    for it in PARSER.parse(source):
        if it.type == "tr_open":
            rows.append([])
        inline = it.type in {"th_open", "td_open"} or (inline and it.type == "inline")
        if inline and it.type == "inline":
            rows[-1].append("".join(child.content for child in it.children or ()))
    return rows


def test_it_says_the_answer_the_numbers_and_how_to_run_it_again(run: JudgedRun) -> None:
    source = markdown(run).decode()
    assert source.startswith("## ✅ Twinshop: as predicted\n")
    assert shown(source.split("\n\n")[1]) == f"{run.results.question} {run.results.answer}"
    rows = cells(source)
    assert rows[0][:4] == ["architecture", "verdict", "at risk (people)", "logged out (people)"]
    sticky = run.results.architectures["sticky-memory"]
    assert rows[1][:4] == [
        "sticky-memory", "as predicted", str(sticky.at_risk), f"{sticky.logged_out.shoppers} of 9",
    ]  # fmt: skip
    assert "<details><summary>4 of 4 predictions held</summary>" in source
    assert run.results.plan_sha256 in source
    assert source.endswith("```sh\ntwinshop run model\n```\n")


def test_a_threshold_that_fired_comes_first(tmp_path: Path) -> None:
    run = runs.run_with_thresholds(tmp_path / "run")
    source = markdown(run).decode()
    assert source.startswith("## ❌ Twinshop: as predicted, and 1 threshold fired\n")
    out = run.results.architectures["sticky-memory"].logged_out.shoppers
    failed = run.results.architectures["redis"].actions.failed
    assert ["sticky-memory", f"fails if logged_out > 0, measured {out}", "❌ fired"] in cells(source)
    assert ["redis", f"fails if failed > 2 * U (that is 18), measured {failed}", "✅ did not fire"] in cells(source)


def test_what_did_not_go_as_predicted_is_said(tmp_path: Path) -> None:
    source = markdown(runs.refuted_run(tmp_path / "run")).decode()
    assert source.startswith("## ❌ Twinshop: not as predicted\n")
    assert "- `sticky-memory`, not as predicted: predicted logged\\_out 0, measured " in source
    assert "❌ did not hold" in source


def test_what_decides_nothing_is_said_to(tmp_path: Path) -> None:
    source = markdown(runs.inconclusive_run(tmp_path / "run")).decode()
    assert source.startswith("## ⚠️ Twinshop: inconclusive\n")
    assert "⚠️ fired, but the experiment did not happen" in source
    assert "- `redis`, inconclusive: node\\_memory\\_mb was predicted and not measured" in source


def test_what_was_never_begun_is_said(tmp_path: Path) -> None:
    assert "- `signed-token` was never begun" in markdown(runs.unfinished_run(tmp_path / "run")).decode()


def test_hostile_text_is_text(hostile: JudgedRun) -> None:
    source = markdown(hostile).decode()
    found = list(tokens(source))
    assert {it.content for it in found if it.type == "html_inline"} == set()
    assert [it.content for it in found if it.type == "html_block"] == [
        "<details><summary>4 of 4 predictions held</summary>\n",
        "</details>\n",
    ]
    assert not {it.type for it in found} & {"link_open", "image", "s_open", "blockquote_open"}
    assert sum(it.type == "heading_open" for it in found) == 1
    assert sum(it.type == "table_open" for it in found) == 3
    assert one_line(runs.HOSTILE) in shown(source).replace("\u200b", "")
    for sign in ("\x00", "\x07", "\x1b", "\u202e", "\u2028", "\ufffe"):
        assert sign not in source


def test_every_row_has_as_many_cells_as_its_head(hostile: JudgedRun) -> None:
    """Unescaped bars are counted: a parser would fill up a row that lacks some, or cut one that has too many."""
    lines = markdown(hostile).decode().splitlines()
    bars = {number: len(re.findall(r"(?<!\\)\|", line)) for number, line in enumerate(lines) if line.startswith("|")}
    assert len(bars) == 3 * 2 + 2 + 3 + 4
    for number, count in bars.items():
        assert count == bars.get(number - 1, count), lines[number]


@pytest.mark.parametrize("words", ["@team", "a@b.example", "http://e.x", "HTTPS://e.x", "www.e.x", "mailto:a@b"])
def test_nobody_is_called_and_nothing_links_itself(words: str) -> None:
    """GitHub makes links of these after all Markdown was read, so no backslash helps."""
    assert words not in text(words).replace("\\", "")
    assert shown(text(f"it is {words}")).replace("\u200b", "") == f"it is {words}"


@settings(deadline=None)
@given(st.text())
def test_any_text_is_shown_as_it_is(words: str) -> None:
    source = f"it is {text(words)}"
    assert shown(source).replace("\u200b", "") == f"it is {one_line(words)}".rstrip().replace("\u200b", "")
    assert kinds(source) <= {"paragraph_open", "paragraph_close", "inline", "text", "text_special"}


@pytest.mark.parametrize("name", ["redis", "a`b", "`", "``x`", "x``", "a\\", "<b>", "[a](b)", "@team"])
def test_a_name_is_code_whatever_it_is(name: str) -> None:
    found = [it for it in tokens(f"it is {code(name)}.") if it.type == "code_inline"]
    assert [it.content for it in found] == [name]


@settings(deadline=None)
@given(st.text(min_size=1))
def test_any_text_stays_in_its_cell(words: str) -> None:
    source = Markdown().write(Table(("a", "b", "c"), ((text(words), code(words), "end"),)))
    rows = cells(source)
    assert len(rows) == 2
    assert len(rows[1]) == 3
    assert rows[1][2] == "end"
    assert "html_inline" not in kinds(source)


@settings(deadline=None)
@given(st.text())
def test_any_text_stays_in_its_block(words: str) -> None:
    (fence,) = PARSER.parse(block(words, "sh"))
    assert (fence.type, fence.info, fence.content) == ("fence", "sh", f"{one_line(words)}\n")


def test_the_same_run_gives_the_same_bytes(run: JudgedRun) -> None:
    assert markdown(run) == markdown(run)
