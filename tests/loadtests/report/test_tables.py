"""One table in three dialects: what stands where, what is escaped, and what happens when there is no room."""

from __future__ import annotations

import pytest
from markupsafe import Markup

from loadtests.report.tables import Html, Markdown, Table, Text

SHOPS = Table(("architecture", "lost", "of"), (("redis", "0", "60"), ("sticky-memory", "20", "60")), align="<>")


def test_text_stands_in_columns_numbers_to_the_right() -> None:
    assert Text().write(SHOPS).splitlines() == [
        "architecture   lost  of",
        "redis             0  60",
        "sticky-memory    20  60",
    ]


def test_text_has_no_blanks_at_the_end_and_stands_where_it_is_told() -> None:
    table = Table(("", "b"), (("x", ""), ("y", "long")))
    assert Text(gap=1, indent=4).write(table).splitlines() == ["      b", "    x", "    y long"]


def test_a_name_of_several_lines_begins_beside_the_others() -> None:
    table = Table(("family", "sticky-\nmemory"), (("calm", "0"),))
    assert Text().write(table).splitlines() == ["family  sticky-", "        memory", "calm    0"]


def test_without_names_there_is_no_head_and_a_long_last_cell_is_wrapped() -> None:
    table = Table(("", ""), (("kill", "one two three four"), ("calm", "")))
    lines = Text(width=14).write(table).splitlines()
    assert lines == ["kill  one two", "      three", "      four", "calm"]


@pytest.mark.parametrize(("width", "heads"), [
    (100, [("a", "bb", "ccc")]),
    (5, [("a", "bb"), ("a", "ccc")]),
    (1, [("a", "bb"), ("a", "ccc")]),
])  # fmt: skip
def test_bands_are_as_wide_as_told_and_each_has_the_first_column(width: int, heads: list[tuple[str, ...]]) -> None:
    table = Table(("a", "bb", "ccc"), (("1", "2", "3"),), align="<>>")
    bands = list(table.bands(width, 2))
    assert [band.head for band in bands] == heads
    assert [band.align for band in bands] == ["<" + ">" * (len(head) - 1) for head in heads]
    assert all(row[0] == "1" for band in bands for row in band.rows)


def test_markdown_is_a_table_that_no_cell_can_leave() -> None:
    table = Table(("a", "b"), (("x|y", r"already \| so"), ("two\nlines", "`a|b`")))
    assert Markdown().write(table).splitlines() == [
        "| a | b |",
        "|---|---|",
        r"| x\|y | already \| so |",
        r"| two lines | `a\|b` |",
    ]


def test_markdown_of_no_rows_is_nothing() -> None:
    assert Markdown().write(Table(("a",), ())) == ""


def test_html_escapes_all_that_is_no_markup() -> None:
    table = Table(("<a>",), (("<script>",), (Markup("<b>bold</b>"),)))
    assert Html().write(table).splitlines() == [
        '<table><thead><tr><th scope="col">&lt;a&gt;</th></tr></thead><tbody>',
        "<tr><td>&lt;script&gt;</td></tr>",
        "<tr><td><b>bold</b></td></tr>",
        "</tbody></table>",
    ]
