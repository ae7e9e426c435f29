"""The house of a workshop: the machine, the ledger, the control socket and the dashboard, around its rounds.

Whatever ends it, nothing of it is left; and whatever kills it, `twinshop recover` finds all of it in the ledgers: the
session's own (dashboard, socket, files) and the round's (both clusters and their shoppers).
"""

import os
import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from compose.engines.contract import Engine
from compose.running import new_run_id
from compose.supervision.child import Child, spawn
from compose.supervision.ledger import Ledger, hold_machine, recover, state_folder
from loadtests.running.progress import RunWatcher
from loadtests.workshop.contract import Round
from loadtests.workshop.control import ControlAddress, ControlServer, read_address
from loadtests.workshop.dashboard_assignment import DashboardAssignment, await_ready, dashboard_command, write_for_owner
from loadtests.workshop.episode_file import load_episodes
from loadtests.workshop.listen_addresses import ListenAddress, own_name
from loadtests.workshop.round_spec import WorkshopRequest
from loadtests.workshop.runner import StateFile, WorkshopRunner

READY_WITHIN_S = 60.0
ENDS_WITHIN_S = 1.0


class WorkshopUrls(msgspec.Struct, frozen=True):
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


def running_workshop(state: Path) -> ControlAddress | None:
    """The workshop that runs on this machine, or has died here; None if there is none."""
    return read_address(address_file(state))


def hold_workshop(
    request: WorkshopRequest, engine: Engine, listen: ListenAddress, watcher: RunWatcher,
    announce: Callable[[WorkshopUrls], None], first: str = "",
) -> None:  # fmt: skip
    """Hold a workshop, from the first round to its end; `announce` is called once its dashboard answers.

    Raises:
        Interrupted: Ctrl-C; nothing is left.
        TwinshopError: it could not be opened; nothing is left.
    """
    state = state_folder()
    listen.check()
    with hold_machine(state):
        for line in recover(state).lines():
            watcher.say(line)
        with _open_house(state, request, engine, listen, watcher) as (session, opened):
            announce(opened)
            session.run(first)


@contextmanager
def _open_house(
    state: Path, request: WorkshopRequest, engine: Engine, listen: ListenAddress, watcher: RunWatcher
) -> Iterator[tuple[WorkshopRunner, WorkshopUrls]]:
    """The session with all that is around it."""
    episodes = tuple(episode.name for episode in load_episodes())
    with ExitStack() as last:  # ended in reverse: the ledger last, by which `recover` finds the others
        ledger = Ledger.open(state, new_run_id())
        last.callback(ledger.close)
        folder, sockets = _folder(state), Path(tempfile.gettempdir()) / f"twinshop-{ledger.run}"
        ledger.make_folder(folder)
        ledger.make_folder(sockets)  # not in the state folder: a socket's name must be shorter than many a path
        state_file = StateFile(folder, predict=request.predict, episodes=episodes)
        state_file.begin(Round(1, "starting"))  # so that the first browser is told something
        session = WorkshopRunner(request, engine, state, state_file, watcher, listen)
        key = secrets.token_urlsafe(24)
        control = ControlServer(sockets / "control", key, session.handle)
        last.callback(control.close)
        token = secrets.token_urlsafe(24)
        assignment = DashboardAssignment(
            str(state_file.path), str(folder / "ready.json"), token, control.address, key, listen, parent=os.getpid()
        )
        child = _start_dashboard(ledger, folder, assignment)
        last.callback(_end_dashboard, child)
        ready = await_ready(Path(assignment.ready), lambda: child.exit_code, READY_WITHIN_S, folder / "dashboard.log")
        # Last: whoever finds the workshop by this file finds all of it.
        write_for_owner(address_file(state), ControlAddress(control.address, key, str(state_file.path)))
        url, board = f"http://{own_name(listen.host)}:{ready.port}", str(state_file.path)
        opened = WorkshopUrls(url, f"{url}/?key={token}", listen.room_url, listen.join_code, control.address, board)
        yield session, opened


def _start_dashboard(ledger: Ledger, folder: Path, assignment: DashboardAssignment) -> Child:
    args, log = dashboard_command(folder, assignment), folder / "dashboard.log"
    # Unbuffered: of one that dies, the log has its last words.
    return spawn(ledger, "dashboard", args, env={"PYTHONUNBUFFERED": "1"}, log=log, cwd=folder)


def _end_dashboard(child: Child) -> None:
    child.terminate()
    if not child.gone(ENDS_WITHIN_S):
        child.kill()


def _folder(state: Path) -> Path:
    return state / "workshop"  # one at a time, so one name: whoever holds a workshop holds the machine
