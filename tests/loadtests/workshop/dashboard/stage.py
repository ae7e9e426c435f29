"""The real dashboard with a made-up round behind it, and a harness that obeys: what browser tests are played on."""

from __future__ import annotations

import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from playwright.sync_api import Browser, BrowserContext, Page

from compose.supervision.ports import free_ports
from loadtests.workshop.contract import (
    Begin,
    Break,
    Close,
    Command,
    CommandReply,
    Heal,
    LiveFault,
    Phase,
    Release,
    Round,
)
from loadtests.workshop.control import ControlServer
from loadtests.workshop.listen_addresses import ListenAddress
from shared.whole_file import write_whole
from tests.loadtests.workshop.dashboard.made_up_round import workshop
from tests.loadtests.workshop.dashboard.process import TOKEN, Dashboard, dashboard
from tests.loadtests.workshop.rounds import results, side

SERVER = "tests.loadtests.workshop.dashboard.made_up_server"
EPISODE = "kill-one-of-three"
NETWORK_CHANGED = "ERR_NETWORK_CHANGED"
"""Chromium drops what it is loading when tests of the Docker engine make a network: the page must get over it."""
SHOPPED_MS = 11_000
"""How long people have shopped: n2 is dead by then, and everybody who was hit has come back."""


class Stage:
    """What the harness would do, at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.round_folder = folder / "round"
        self.round_folder.mkdir(parents=True)
        self.told: list[Command] = []
        self.refusal: CommandReply | None = None
        self._version = 0
        self._round: Round | None = None

    def goes_to(
        self,
        phase: Phase,
        episode: str = EPISODE,
        *,
        until_ms: int = SHOPPED_MS,
        broken: tuple[LiveFault, ...] = (),
        **more: object,
    ) -> None:
        """The harness writes `workshop.json`."""
        self._version += 1
        said = workshop(
            phase, version=self._version, episode=episode, folder=str(self.round_folder), until_ms=until_ms, **more
        )  # type: ignore[arg-type]
        before = self._round
        epoch_us = before.epoch_us if before is not None and before.epoch_us else said.round.epoch_us
        self._round = msgspec.structs.replace(said.round, broken=broken, epoch_us=epoch_us)
        write_whole(
            self.folder / "workshop.json", msgspec.json.encode(msgspec.structs.replace(said, round=self._round))
        )

    def handle(self, command: Command) -> CommandReply:
        """As the harness does, only that nothing takes time."""
        self.told.append(command)
        if self.refusal is not None:
            return self.refusal
        match command:
            case Release():
                self.goes_to("run")
            case Break(kind=kind, sides=sides, victim=victim):
                self.goes_to(*self._now(), broken=(LiveFault(0, sides, kind, victim or "n1"),))
            case Heal():
                self.goes_to(*self._now())
            case Close():
                self._judged()
                self.goes_to("explain")
            case Begin(episode=episode):
                self._round = None
                self.goes_to("predict", episode, number=2)
            case _:
                pass
        return CommandReply(True)

    def _now(self) -> tuple[Phase, str]:
        assert self._round is not None
        return self._round.phase, self._round.episode

    def _judged(self) -> None:
        found = results(sticky_memory=side(logged_out=10), redis=side(logged_out=0))
        write_whole(self.round_folder / "results.json", msgspec.json.encode(found))
        write_whole(self.round_folder / "report.html", b"<!doctype html><title>Report</title><p>The round's report.")


class Played:
    """A stage with its dashboard."""

    def __init__(self, stage: Stage, dashboard: Dashboard) -> None:
        self.stage = stage
        self._dashboard = dashboard
        self.home = f"http://127.0.0.1:{dashboard.port}"
        self.asked: list[str] = []
        self.said: list[str] = []

    def open(
        self, browser: Browser, *, key: bool = False, width: int = 1280, height: int = 900, dark: bool = False,
        motion: bool = False, path: str = "/",
    ) -> Page:  # fmt: skip
        """The page in a browser of its own; with `key` as the instructor."""
        context: BrowserContext = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="no-preference" if motion else "reduce",
        )
        page = context.new_page()
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("console", lambda message: self._hear(message.text))
        page.on("pageerror", lambda error: self._hear(str(error)))
        if key:
            page.goto(f"{self.home}/?key={TOKEN}")
        if not key or path != "/":
            page.goto(self.home + path)
        return page

    def ends(self) -> None:
        """The harness ends the dashboard."""
        self._dashboard.process.send_signal(signal.SIGTERM)
        self._dashboard.process.wait(60)

    def _hear(self, text: str) -> None:
        if NETWORK_CHANGED not in text:
            self.said.append(text)


@contextmanager
def on_stage(folder: Path, phase: Phase, *, join_code: str = "", **more: object) -> Iterator[Played]:
    """Begin in that phase."""
    stage = Stage(folder)
    stage.goes_to(phase, **more)  # type: ignore[arg-type]
    harness = ControlServer(Path(tempfile.gettempdir()) / "c.sock", "key", stage.handle)
    try:
        (port,) = free_ports(1)  # a room is told it
        listen = ListenAddress(port=port, join_code=join_code, shop_ports=(1, 2))
        with dashboard(folder, SERVER, control=harness.address, control_key="key", listen=listen) as running:
            played = Played(stage, running)
            try:
                yield played
            except BaseException:
                sys.stdout.write("\n".join([*played.said, running.log.read_text()]))  # pytest shows it
                raise
    finally:
        harness.close()
