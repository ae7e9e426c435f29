"""Text for one line."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtests.report.exports.judged import one_line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Who gets logged out?", "Who gets logged out?"),
        ("  two\n\tlines \r\n", "two lines"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("a\x00b\x7f\x85", "a\\x00b\\x7f\\x85"),
        ("\u202eturned\u2066\u200b\ufeff", "\\u202eturned\\u2066\\u200b\\ufeff"),
        ("half \ud800 none \ufffe", "half \\ud800 none \\ufffe"),
        ("naïve, 日本, 👩\u200d🔬", "naïve, 日本, 👩\u200d🔬"),
    ],
)
def test_what_nobody_sees_is_told_by_its_number(text: str, line: str) -> None:
    assert one_line(text) == line


@settings(deadline=None)
@given(st.text())
def test_there_is_one_line_and_it_can_be_encoded(text: str) -> None:
    line = one_line(text)
    line.encode()
    assert len(line.splitlines()) <= 1
    assert not any(unicodedata.category(sign) in {"Cc", "Cs", "Zl", "Zp"} for sign in line)
    assert one_line(line) == line
