"""A page in Markdown, made of a template."""

from __future__ import annotations

from pathlib import Path

import pytest
from jinja2 import UndefinedError

from loadtests.report.markdown_pages import markdown_pages


def made(room: Path, template: str, **values: object) -> str:
    (room / "templates").mkdir()
    (room / "templates" / "page.md.j2").write_text(template)
    return markdown_pages(room).get_template("page.md.j2").render(values)


def test_words_stand_as_they_are_and_tables_are_of_what_is_known(tmp_path: Path) -> None:
    template = '# {{ title }}\n{% if title %}\n\n{{ table(("a", "b"), rows) }}\n{% endif %}\n'
    page = made(tmp_path, template, title="<b> & c", rows=iter([("1 | 2", "`x`")]))
    assert page == "# <b> & c\n\n| a | b |\n|---|---|\n| 1 \\| 2 | `x` |\n"


def test_a_name_is_code_and_what_there_is_not_is_none(tmp_path: Path) -> None:
    assert made(tmp_path, '{{ "n1"|code }}, {{ ""|code }}.') == "`n1`, ."


def test_a_misspelt_name_is_an_error_and_no_empty_place(tmp_path: Path) -> None:
    with pytest.raises(UndefinedError, match="'titel' is undefined"):
        made(tmp_path, "{{ titel }}", title="x")
