"""The commands of a page, and the output that it shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtests.workshop.rehearsal.lesson_pages import LessonPage, PageCommand

PAGE = """\
# A page

```console
$ twinshop goto 2   # a remark
$ twinshop check 2
episode  2, Kill one of three
round    runs/…

…
next     all met: twinshop goto 3
```

```text
$ not this
```
"""
SAID = """\
episode  2, Kill one of three
round    runs/20261121-1

met      a
met      b
next     all met: twinshop goto 3
"""


@pytest.fixture
def page(tmp_path: Path) -> LessonPage:
    path = tmp_path / "page.md"
    path.write_text(PAGE)
    return LessonPage(path)


def test_commands_come_in_order_with_place_and_output(page: LessonPage) -> None:
    goto, check = page.commands()
    assert goto == PageCommand("docs/tutorial/page.md:4", ("twinshop", "goto", "2"), ())
    assert (check.place, check.words[1:], len(check.output)) == ("docs/tutorial/page.md:5", ("check", "2"), 5)


def test_a_command_that_shows_nothing_is_content_with_anything(page: LessonPage) -> None:
    goto, _check = page.commands()
    assert goto.shows("whatever")


def test_shown_output_is_compared_line_by_line(page: LessonPage) -> None:
    _goto, check = page.commands()
    assert check.shows(SAID)
    assert check.shows(SAID.replace("met      a\nmet      b\n", ""))
    assert not check.shows(SAID.replace("2, Kill", "3, Kill"))
    assert not check.shows(SAID + "more\n")
    assert not check.shows(SAID.replace("next     all met: twinshop goto 3\n", ""))
    assert not check.shows("")
