"""The house of a workshop: the machine, the ledger, the control socket and the dashboard, around its rounds.

Whatever ends it, nothing of it is left; and whatever kills it, `twinshop recover` finds all of it in the ledgers: the
session's own (dashboard, socket, files) and the round's (both clusters and their shoppers).
"""

from __future__ import annotations

import os
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from compose.engines.contract import Engine
from compose.running import new_run_id
from compose.supervision.child import Child, spawn
from compose.supervision.ledger import Ledger, hold_machine, recover, state_folder
from compose.supervision.waiting import not_ready
from loadtests.running.progress import Watcher
from loadtests.workshop.contract import Round
from loadtests.workshop.control import Address, ControlServer, read_address, write_address
from loadtests.workshop.dashboard_assignment import DashboardAssignment, DashboardReady, read_ready, write_assignment
from loadtests.workshop.episode_file import load_episodes
from loadtests.workshop.listen_addresses import Doors
from loadtests.workshop.session import Board, Session, WorkshopRequest

READY_WITHIN_S = 20.0
ENDS_WITHIN_S = 1.0
LOOK_S = 0.02


class Opened(msgspec.Struct, frozen=True):
    """How a workshop is reached."""

    url: str
    """The dashboard."""
    instructor_url: str
    """The same, for who teaches."""
    room_url: str
    """Where everybody else joins; "" if it was not opened to a room."""
    join_code: str
    control: str
    """The control socket."""
    workshop: str
    """`workshop.json`."""


def address_file(state: Path) -> Path:
    """Where a running workshop says how it is found."""
    return _folder(state) / "control.json"


def running_workshop(state: Path) -> Address | None:
    """The workshop that runs on this machine, or has died here; None if there is none."""
    return read_address(address_file(state))


def hold_workshop(
    request: WorkshopRequest, engine: Engine, doors: Doors, watcher: Watcher, announce: Callable[[Opened], None],
    first: str = "",
) -> None:  # fmt: skip
    """Hold a workshop, from the first round to its end; `announce` is called once its dashboard answers.

    Raises:
        Interrupted: Ctrl-C; nothing is left.
        TwinshopError: it could not be opened; nothing is left.
    """
    state = state_folder()
    doors.check()
    with hold_machine(state):
        for line in recover(state).lines():
            watcher.say(line)
        with _open_house(state, request, engine, doors, watcher) as (session, opened):
            announce(opened)
            session.run(first)


@contextmanager
def _open_house(
    state: Path, request: WorkshopRequest, engine: Engine, doors: Doors, watcher: Watcher
) -> Iterator[tuple[Session, Opened]]:
    """The session with all that is around it."""
    episodes = tuple(episode.name for episode in load_episodes())
    with ExitStack() as last:
        ledger = Ledger.open(state, new_run_id())
        last.callback(ledger.close)
        folder, sockets = _folder(state), Path(tempfile.gettempdir()) / f"twinshop-{ledger.run}"
        ledger.make_folder(folder)
        ledger.make_folder(sockets)  # not in the state folder: a socket's name must be shorter than many a path
        board = Board(folder, predict=request.predict, episodes=episodes)
        board.begin(Round(1, "starting"))
        session = Session(request, engine, state, board, watcher)
        key = secrets.token_urlsafe(24)
        control = ControlServer(sockets / "control", key, session.obey)
        last.callback(control.close)
        token = secrets.token_urlsafe(24)
        assignment = DashboardAssignment(
            workshop=str(board.path), ready=str(folder / "ready.json"), instructor_token=token, control=control.address,
            control_key=key, join_code=doors.join_code, host=doors.host, port=doors.port,
            allowed_hosts=doors.allowed_hosts, parent=os.getpid(),
        )  # fmt: skip
        child = _start_dashboard(ledger, folder, assignment)
        last.callback(_end_dashboard, child)
        ready = _await_dashboard(child, folder, assignment)
        write_address(address_file(state), Address(control.address, key, str(board.path)))
        yield session, _opened(doors, ready, token, control, board)


def _start_dashboard(ledger: Ledger, folder: Path, assignment: DashboardAssignment) -> Child:
    path = folder / "dashboard.json"
    write_assignment(path, assignment)
    args = [sys.executable, "-P", "-m", "loadtests.workshop.dashboard", str(path)]
    return spawn(ledger, "dashboard", args, env={"PYTHONUNBUFFERED": "1"}, log=folder / "dashboard.log", cwd=folder)


def _await_dashboard(child: Child, folder: Path, assignment: DashboardAssignment) -> DashboardReady:
    """Until it listens.

    Raises:
        NotReadyInTime: it has ended, or takes too long.
    """
    until = time.monotonic() + READY_WITHIN_S
    while (ready := read_ready(Path(assignment.ready))) is None:
        if child.exit_code is not None:
            raise not_ready("the dashboard", f"it ended with exit code {child.exit_code}", folder / "dashboard.log")
        if time.monotonic() > until:
            why = f"it does not answer after {READY_WITHIN_S:.0f} s"
            raise not_ready("the dashboard", why, folder / "dashboard.log")
        time.sleep(LOOK_S)
    return ready


def _end_dashboard(child: Child) -> None:
    child.terminate()
    if not child.gone(ENDS_WITHIN_S):
        child.kill()


def _opened(doors: Doors, ready: DashboardReady, token: str, control: ControlServer, board: Board) -> Opened:
    url = f"http://{doors.own_name}:{ready.port}"
    return Opened(
        url=url,
        instructor_url=f"{url}/?key={token}",
        room_url=f"http://{doors.room_name}:{ready.port}/join" if doors.join_code else "",
        join_code=doors.join_code,
        control=control.address,
        workshop=str(board.path),
    )


def _folder(state: Path) -> Path:
    """One at a time: whoever holds a workshop holds the machine."""
    return state / "workshop"
