"""Numbers and promises of a page: what came true stays quiet, what did not is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtests.workshop.rehearsal.lesson_pages import BrokenPromise, LessonPage

VALUES = {"left.logged_out": 10.0, "left.at_risk": 10.0, "right.logged_out": 0.0, "U": 30.0, "node-kill/redis": 0.5}


def found(tmp_path: Path, text: str) -> list[str]:
    page = tmp_path / "page.md"
    page.write_text(text)
    return [str(bad) for promise in LessonPage(page).promises() for bad in promise.broken(VALUES)]


@pytest.mark.parametrize(
    "text",
    [
        "10<!-- is left.logged_out --> were logged out",
        "**10**<!-- is left.logged_out --> were logged out",
        "of all 30<!-- is U -->, 10<!-- is left.at_risk --> were",
        "at least 5<!-- at most left.logged_out -->",
        "at most 12<!-- at least left.logged_out -->",
        "about 9<!-- about left.at_risk -->",
        "20<!-- is left.logged_out + left.at_risk -->",
        "0.5<!-- is node-kill/redis --> ms",
        "nobody<!-- promised: right.logged_out == 0 --> was",
        "```\n99<!-- is U -->\n```",
    ],
)
def test_what_came_true_is_quiet(tmp_path: Path, text: str) -> None:
    assert found(tmp_path, text) == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("11<!-- is left.logged_out --> were", "page.md:3: says 11, and left.logged_out is 10"),
        ("at least 11<!-- at most left.logged_out -->", "page.md:3: says 11, and left.logged_out is 10"),
        ("at most 9<!-- at least left.logged_out -->", "page.md:3: says 9, and left.logged_out is 10"),
        ("about 13<!-- about left.at_risk -->", "page.md:3: says 13, and left.at_risk is 10"),
        ("0.6<!-- is node-kill/redis --> ms", "page.md:3: says 0.6, and node-kill/redis is 0.5"),
        ("3<!-- is node-kill/memory -->", "page.md:3: node-kill/memory: node-kill/memory was not measured"),
        (
            "all<!-- promised: right.logged_out == U --> of them",
            "page.md:3: right.logged_out == U does not hold: right.logged_out is 0",
        ),
        ("all<!-- promised: right.logged_out = U --> of them", "is no rule"),
    ],
)
def test_what_did_not_is_named_with_its_line(tmp_path: Path, text: str, complaint: str) -> None:
    (told,) = found(tmp_path, f"# A page\n\n{text}\n")
    assert complaint in told


@pytest.mark.parametrize("text", ["ten<!-- is left.logged_out -->", "10<!-- equals left.logged_out -->"])
def test_a_mark_that_cannot_be_read_is_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match=r"page\.md:1: the mark"):
        found(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("12 were logged out", True),
        ("10<!-- is left.logged_out --> of 30 were", True),
        ("10<!-- is left.logged_out --> of 30<!-- is U -->", False),
        ("at 0:25, in episodes 1, 4 and 5, node n1, see `twinshop goto 2` and [that](page2.md)", False),
        ("1. first", False),
        ("## 90 minutes", False),
        ("<!-- promised: left.logged_out == 0 -->", False),
    ],
)
def test_every_number_must_have_a_mark(tmp_path: Path, text: str, bare: bool) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# A page\n\n{text}\n")
    found = tuple(LessonPage(page).unmarked())
    assert [bad.place for bad in found] == (["docs/tutorial/page.md:3"] if bare else [])
    assert all(isinstance(bad, BrokenPromise) for bad in found)
