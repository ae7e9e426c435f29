"""What a person sees while a run goes on: a live table on a terminal, plain lines when piped, nothing when quiet.

All of it goes to stderr; stdout belongs to the results.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, TextIO, cast

import msgspec

from loadtests.running.console import GuardedOutput

if TYPE_CHECKING:
    from rich.table import Table


class Moment(msgspec.Struct, frozen=True):
    """One architecture's state, as the watcher shows it."""

    architecture: str
    phase: str
    """"starting", "load", "fault", "audit", "stopping", "measured"."""
    left_s: float = 0.0
    """Until the end of the load window."""
    logged_out: int = 0
    shoppers: int = 0
    detail: str = ""


class RunWatcher:
    """Is told what happens; those below show it."""

    def say(self, message: str) -> None:
        """A line that stays."""

    def moment(self, moment: Moment) -> None:
        """The newest state of one architecture."""

    def close(self) -> None:
        """No more will come."""


class Silent(RunWatcher):
    """Shows nothing."""


class PlainLines(RunWatcher):
    """A line when a phase changes, and every few seconds in between: for pipes, logs and NO_COLOR."""

    EVERY_S = 5.0

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._shown: tuple[str, str] = ("", "")
        self._shown_at = 0.0

    def say(self, message: str) -> None:
        """Print it."""
        self._out.write(message + "\n")
        self._out.flush()

    def moment(self, moment: Moment) -> None:
        """Print it if the phase is new or the last line is old."""
        now = time.monotonic()
        phase = (moment.architecture, moment.phase)
        if phase == self._shown and now - self._shown_at < self.EVERY_S:
            return
        self._shown, self._shown_at = phase, now
        self.say(f"{moment.architecture:<18} {describe(moment)}")


def describe(moment: Moment) -> str:
    """The moment in words."""
    parts = [moment.phase]
    if moment.phase in ("load", "fault"):
        parts.append(f"{moment.left_s:.0f} s left")
    if moment.phase != "starting" and moment.shoppers:
        parts.append(f"logged out: {moment.logged_out} of {moment.shoppers}")
    if moment.detail:
        parts.append(moment.detail)
    return ", ".join(parts)


class LiveTable(RunWatcher):
    """One line for each architecture, redrawn in place (rich)."""

    def __init__(self, out: TextIO, architectures: tuple[str, ...]) -> None:
        from rich.console import Console
        from rich.live import Live

        self._moments = {name: Moment(name, "waiting") for name in architectures}
        self._console = Console(file=out, highlight=False)
        # Transient: what stays on the terminal is the summary, which says more than the last state of this.
        self._live = Live(self._table(), console=self._console, refresh_per_second=8, transient=True)
        self._live.start()

    def say(self, message: str) -> None:
        """Print it above the table."""
        self._console.print(message, markup=False)  # a path may have brackets, which rich would take for markup

    def moment(self, moment: Moment) -> None:
        """Redraw its line."""
        self._moments[moment.architecture] = moment
        self._live.update(self._table())

    def close(self) -> None:
        """Take the table away."""
        self._live.stop()

    def _table(self) -> Table:
        from rich.table import Table

        table = Table(box=None, pad_edge=False)
        for column in ("architecture", "phase", "left", "logged out"):
            table.add_column(column, justify="right" if column in ("left", "logged out") else "left")
        for moment in self._moments.values():
            left = f"{moment.left_s:.0f} s" if moment.phase in ("load", "fault") else ""
            out = f"{moment.logged_out} of {moment.shoppers}" if moment.shoppers else ""
            phase = f"{moment.phase} ({moment.detail})" if moment.detail else moment.phase
            table.add_row(moment.architecture, phase, left, out)
        return table


def watcher_for(out: TextIO | None, architectures: tuple[str, ...], *, quiet: bool) -> RunWatcher:
    """The watcher that fits where stderr leads; it goes on when nobody reads any more."""
    if quiet or out is None:
        return Silent()
    # Before anything asks what it is: rich would end the run with an error when a terminal is closed.
    out = cast("TextIO", GuardedOutput(out))
    if out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb":
        return LiveTable(out, architectures)
    return PlainLines(out)
