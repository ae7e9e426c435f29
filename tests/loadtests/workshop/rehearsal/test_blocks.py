"""The commands of a page, and the output that it shows."""

from __future__ import annotations

from loadtests.workshop.rehearsal.texts import PageCommand, blocks

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


def test_commands_come_in_order_with_place_and_output() -> None:
    goto, check = blocks(PAGE, "page.md")
    assert goto == PageCommand("page.md:4", ("twinshop", "goto", "2"), ())
    assert (check.place, check.words[1:], len(check.output)) == ("page.md:5", ("check", "2"), 5)


def test_a_command_that_shows_nothing_is_content_with_anything() -> None:
    goto, _check = blocks(PAGE, "page.md")
    assert goto.shows("whatever")


def test_shown_output_is_compared_line_by_line() -> None:
    _goto, check = blocks(PAGE, "page.md")
    assert check.shows(SAID)
    assert check.shows(SAID.replace("met      a\nmet      b\n", ""))
    assert not check.shows(SAID.replace("2, Kill", "3, Kill"))
    assert not check.shows(SAID + "more\n")
    assert not check.shows(SAID.replace("next     all met: twinshop goto 3\n", ""))
    assert not check.shows("")
