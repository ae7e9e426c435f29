"""`twinshop workshop` and `twinshop goto`: two shops side by side, in a browser, before a class."""

from __future__ import annotations

import signal
import sys
import threading
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from loadtests.commands import options
from loadtests.running.console import interrupts_raise, json_text, tell
from shared.errors import EnvironmentNotReady, Interrupted, UsageError

if TYPE_CHECKING:
    from loadtests.running.progress import RunWatcher
    from loadtests.workshop.contract import Round
    from loadtests.workshop.host import WorkshopUrls

GOTO_WITHIN_S = 120.0
"""An episode is at its start within this: clusters of containers take longer than 30 s on a busy machine. A round that
cannot be started says so at once."""
LOOK_S = 0.05


@click.command(
    epilog="""\b
Examples:
  twinshop workshop                                 free play: sticky-memory beside redis
  twinshop workshop --episode 2                     the lesson's second episode
  twinshop workshop --room                          opened to this room's phones and laptops, with a join code
  twinshop workshop --listen 0.0.0.0 --port 8080    the same, on all addresses of this machine
  twinshop workshop --balancer envoy --balancer haproxy    one shop behind two balancers
  twinshop workshop --replay runs/latest            a finished round or run, to be looked at again
"""
)
@click.option(
    "--architecture", "architectures", multiple=True, metavar="NAME", shell_complete=options.completed,
    help="Left, then right, of free play.  [default: sticky-memory, redis]",
)  # fmt: skip
@click.option(
    "--balancer", "balancers", multiple=True, metavar="NAME", shell_complete=options.completed,
    help="In front of both shops; two of them: left, then right, of free play with one architecture.",
)  # fmt: skip
@click.option("--episode", default="", metavar="NAME|N", help="Begin with this episode of the lesson.")
@click.option(
    "--shoppers", type=options.WholeNumber(1, 500), help="How many people shop.  [default: the episode's, 24]"
)
@click.option("--nodes", type=options.WholeNumber(1, 9), help="Nodes of each shop.  [default: the episode's, 3]")
@click.option("--no-predict", is_flag=True, help="Episodes begin at once; nothing is covered.")
@click.option("--room", is_flag=True, help="Open it to the room: finds this machine's address in its network.")
@click.option(
    "--listen", "host", metavar="HOST",
    help="Open it at that address; 0.0.0.0: all.  [default: 127.0.0.1, no room to join]",
)  # fmt: skip
# At most 65533: the shops' two ports follow it.
@click.option("--port", type=options.WholeNumber(1024, 65533), help="Of the dashboard; the shops are at the next two.")
@click.option(
    "--seats-per-address", "seats", type=options.WholeNumber(1, 60), default=4, show_default=True,
    help="Browsers that may join from one address: more where the network shows all people as one.",
)  # fmt: skip
@click.option("--replay", type=click.Path(path_type=Path), metavar="RUN", help="Show a finished run; measure nothing.")
@click.option("--no-open", is_flag=True, help="Do not open a browser.")
@options.ENGINE_OPTION
@options.runs_option("Where the rounds' folders go.")
@options.JSON_OPTION
@options.QUIET_OPTION
@options.DEBUG_OPTION
def workshop(
    architectures: tuple[str, ...], balancers: tuple[str, ...], episode: str, shoppers: int | None,
    nodes: int | None, no_predict: bool, room: bool, host: str | None, port: int | None, seats: int,
    replay: Path | None, no_open: bool, engine_name: str, runs: Path, as_json: bool, quiet: bool,
) -> None:  # fmt: skip
    """Two shops side by side in a browser: predict, break something, see. Ends with Ctrl-C."""
    if replay is not None:
        _show_again(replay, architectures, port or 0, as_json=as_json, no_open=no_open)
        return
    from compose.engines.registry import engine_named
    from loadtests.running.progress import PlainLines, Silent
    from loadtests.workshop.episode_file import episode_named
    from loadtests.workshop.host import hold_workshop
    from loadtests.workshop.listen_addresses import LOOPBACK, listen_address, room_address
    from loadtests.workshop.round_spec import WorkshopRequest

    if room and host is not None:
        raise UsageError("--room finds the address, and --listen names it", next_step="say one of the two")
    listen = listen_address(room_address() if room else host or LOOPBACK, port or 0, seats)
    watcher = Silent() if quiet else PlainLines(sys.stderr)
    names, behind = _two(architectures, balancers, engine_name, watcher)
    first = episode_named(episode).name if episode else ""
    command = ["twinshop", "workshop", "--engine", engine_name]
    command += [word for name in dict.fromkeys(names) for word in ("--architecture", name)]
    command += [word for name in balancers for word in ("--balancer", name)]
    command += ["--shoppers", str(shoppers)] if shoppers else []
    command += ["--nodes", str(nodes)] if nodes else []
    command += ["--no-predict"] if no_predict else []
    request = WorkshopRequest(names, behind, shoppers, nodes, not no_predict, runs, tuple(command))
    engine = engine_named(engine_name)

    def announce(opened: WorkshopUrls) -> None:
        _announce(opened, as_json=as_json)
        if not no_open:
            _open_browser(opened.instructor_url)

    with _until_ctrl_c():
        hold_workshop(request, engine, listen, watcher, announce, first)


@contextmanager
def _until_ctrl_c() -> Iterator[None]:
    """Ctrl-C is how a workshop ends, and no accident; what ends it from elsewhere is one."""
    try:
        with interrupts_raise():
            yield
    except Interrupted as interrupted:
        if interrupted.by != signal.SIGINT:
            raise
        tell("The workshop is over; nothing of it is left running.", err=True)


def _open_browser(url: str) -> None:
    """In a thread: a browser that lives in this terminal would not come back."""
    threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()


def _show_again(run: Path, architectures: tuple[str, ...], port: int, *, as_json: bool, no_open: bool) -> None:
    """A finished run in the dashboard, until Ctrl-C."""
    from loadtests.workshop.served_recording import replayed

    with _until_ctrl_c(), replayed(run, architectures, port=port) as shown:
        tell(json_text({"url": shown.url}) if as_json else shown.url)
        sys.stdout.flush()
        if not no_open:
            _open_browser(shown.url)
        shown.process.wait()


def _two(
    architectures: tuple[str, ...], balancers: tuple[str, ...], engine: str, watcher: RunWatcher
) -> tuple[tuple[str, str], tuple[str, str]]:
    """The architectures of both shops, and the balancers in front of them; `watcher` hears of a substitute."""
    from compose.balancers import choose_balancer
    from loadtests.workshop.round_spec import WorkshopRequest, check_sides

    if len(architectures) > 2 or len(balancers) > 2:
        raise UsageError(
            f"a workshop has two shops, not {max(len(architectures), len(balancers))}",
            next_step="name two --architecture, or one and two --balancer",
        )
    choices = [choose_balancer(name, engine=engine) for name in balancers or ("",)]  # "" is the default
    for choice in choices:
        if choice.remark:
            watcher.say(choice.remark)
    left, right = WorkshopRequest().architectures
    names = architectures or ((left,) if len(balancers) == 2 else (left, right))
    both = (names[0], names[-1]), (choices[0].name, choices[-1].name)
    check_sides(*both, engine)
    return both


def _announce(opened: WorkshopUrls, *, as_json: bool) -> None:
    if as_json:
        tell(json_text(opened))
        sys.stdout.flush()  # whoever waits for it at the end of a pipe would wait until the workshop is over
        return
    tell(opened.instructor_url)
    tell("  That is the instructor's address: whoever has it may break things. Ctrl-C ends the workshop.", err=True)
    if opened.join_code:
        tell(
            f"  The room joins at {opened.room_url} with the code {opened.join_code}, as the dashboard shows.", err=True
        )


@click.command()
@click.argument("episode")
@options.DEBUG_OPTION
def goto(episode: str) -> None:
    """Bring the running workshop to the start of an EPISODE (its name or number)."""
    from compose.supervision.ledger import state_folder
    from loadtests.workshop.contract import Begin
    from loadtests.workshop.control import ask
    from loadtests.workshop.episode_file import episode_named
    from loadtests.workshop.host import running_workshop

    name = episode_named(episode).name
    address = running_workshop(state_folder())
    if address is None:
        raise UsageError("no workshop is running", next_step=f"twinshop workshop --episode {episode}")
    board = Path(address.workshop)
    before = _round(board).number  # before it is asked for: a round may be there before the answer is
    reply = ask(address.socket, address.key, Begin(name))
    if not reply.ok:
        raise UsageError(f"the workshop does not go to {name}", why=reply.why, next_step=reply.next_step)
    now = _reached(board, name, before)
    tell(f"{name}: round {now.number} is in {now.phase!r}")


def _reached(board: Path, name: str, before: int) -> Round:
    """The new round, once it is at its start.

    Raises:
        EnvironmentNotReady: it could not be started, or not in time.
    """
    until = time.monotonic() + GOTO_WITHIN_S
    while True:
        now = _round(board)
        # By its number, too: of an episode that begins anew, the round before has the same name.
        new = now.number > before and now.episode == name
        if new and now.phase in ("predict", "run"):
            return now
        if new and now.phase == "failed":
            raise EnvironmentNotReady(f"the round of {name} could not be started", why=now.why)
        if time.monotonic() > until:
            raise EnvironmentNotReady(
                f"the workshop is not at the start of {name} after {GOTO_WITHIN_S:.0f} s",
                why=f"round {now.number} is in {now.phase!r}",
                next_step="look at the window in which it runs",
            )
        time.sleep(LOOK_S)


def _round(board: Path) -> Round:
    from loadtests.workshop.contract import read_workshop

    return read_workshop(board).round
