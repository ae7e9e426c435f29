from __future__ import annotations

import io
import os

import pytest

from loadtests.running.progress import LiveTable, Moment, PlainLines, Silent, watcher_for


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_plain_lines_come_when_the_phase_changes() -> None:
    out = io.StringIO()
    watcher = PlainLines(out)
    for left in (10.0, 9.5, 9.0):
        watcher.moment(Moment("redis", "load", left, 0, 60))
    watcher.moment(Moment("redis", "fault", 5.0, 3, 60, "kill n2"))
    lines = out.getvalue().splitlines()
    assert len(lines) == 2
    assert "load, 10 s left, logged out: 0 of 60" in lines[0]
    assert "fault, 5 s left, logged out: 3 of 60, kill n2" in lines[1]
    assert "\x1b" not in out.getvalue()


def test_piped_is_plain_and_quiet_is_silent() -> None:
    assert isinstance(watcher_for(io.StringIO(), ("redis",), quiet=False), PlainLines)
    assert isinstance(watcher_for(Terminal(), ("redis",), quiet=True), Silent)


@pytest.mark.parametrize(("variable", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_no_animation_where_it_is_not_wanted(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    assert isinstance(watcher_for(Terminal(), ("redis",), quiet=False), PlainLines)


def test_a_terminal_gets_the_live_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    out = Terminal()
    watcher = watcher_for(out, ("redis",), quiet=False)
    assert isinstance(watcher, LiveTable)
    watcher.moment(Moment("redis", "load", 10.0, 7, 60))
    watcher.say("a line that stays")
    watcher.close()
    assert "7 of 60" in out.getvalue()
    assert "a line that stays" in out.getvalue()


@pytest.mark.parametrize("live", [False, True])
def test_a_reader_who_leaves_does_not_end_the_run(live: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as out:
        monkeypatch.setattr(out, "isatty", lambda: live)
        watcher = watcher_for(out, ("redis",), quiet=False)
        os.close(reading)
        watcher.say("nobody reads this")
        watcher.moment(Moment("redis", "load", 10.0, 7, 60))
        watcher.close()


def test_without_stderr_nothing_is_shown() -> None:
    assert isinstance(watcher_for(None, ("redis",), quiet=False), Silent)
