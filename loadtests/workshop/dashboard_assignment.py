"""What the dashboard's process is told, and what it tells back: two small files of the harness, for its owner only.

    harness ── dashboard.json (`DashboardAssignment`, 0600) ──> python -m loadtests.workshop.dashboard dashboard.json
    harness <── `DashboardAssignment.ready` (`DashboardReady`), written once it listens ── dashboard

A file and not the command line or the environment: other accounts of the machine can read a command line, and a
program that is started later inherits an environment.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from compose.supervision.waiting import not_ready
from loadtests.model.run_folder import read_document
from loadtests.workshop.contract import SEATS
from loadtests.workshop.listen_addresses import ListenAddress
from shared.whole_file import write_whole

MOST_WATCHERS = 2 * SEATS  # each may look at it in a second tab
LOOK_S = 0.02


class DashboardAssignment(msgspec.Struct, frozen=True):
    """One dashboard's part of a workshop."""

    workshop: str
    """The path of `workshop.json`; it may appear later."""
    ready: str
    """The path where it writes `DashboardReady`, whole."""
    instructor_token: str
    """Who has it may give commands: `http://HOST:PORT/?key=TOKEN`. At least 22 characters of chance."""
    control: str = ""
    """Where the harness answers commands; "": nobody does (a recorded run)."""
    control_key: str = ""
    """Proves to the harness that a command comes from the dashboard."""
    listen: ListenAddress = ListenAddress()
    max_watchers: int = MOST_WATCHERS
    recorded: str = ""
    """The folder of a finished run to be shown in place of a workshop; `workshop` is then written by the dashboard."""
    architectures: tuple[str, ...] = ()
    """The two of it that are shown, left and right."""
    parent: int = 0
    """It ends when the process with this id is not its parent any more; 0: it does not look."""


class DashboardReady(msgspec.Struct, frozen=True):
    """The dashboard listens."""

    pid: int
    host: str
    port: int


def write_for_owner(path: Path, document: object) -> None:
    """Write it as JSON, whole, readable to its owner only: passwords and keys are in what a workshop writes down."""
    write_whole(path, msgspec.json.encode(document), mode=0o600)


def dashboard_command(folder: Path, assignment: DashboardAssignment) -> list[str]:
    """Tell a dashboard so in that folder, and return the command that starts it."""
    path = folder / "dashboard.json"
    write_for_owner(path, assignment)
    # -P: it may run in that folder, and must import nothing that lies in there.
    return [sys.executable, "-P", "-m", "loadtests.workshop.dashboard", str(path)]


def read_ready(path: Path) -> DashboardReady | None:
    """What the dashboard has told; None: it does not listen yet."""
    return read_document(path, DashboardReady) if path.is_file() else None


def await_ready(path: Path, exit_code: Callable[[], int | None], within_s: float, log: Path) -> DashboardReady:
    """What the dashboard tells once it listens; `exit_code` is its process's, None as long as it lives.

    Raises:
        NotReadyInTime: it has ended, or takes too long; with the last words of its log.
    """
    until = time.monotonic() + within_s
    while (ready := read_ready(path)) is None:  # written whole: half of it is never read
        if (code := exit_code()) is not None:
            raise not_ready("the dashboard", f"it ended with exit code {code}", log)
        if time.monotonic() > until:
            raise not_ready("the dashboard", f"it does not answer after {within_s:.0f} s", log)
        time.sleep(LOOK_S)
    return ready
