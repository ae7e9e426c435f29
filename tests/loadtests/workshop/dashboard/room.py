"""A dashboard without sockets: Flask's own client asks, and time goes on when the test says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from flask.testing import FlaskClient

from loadtests.workshop.contract import Command, CommandReply, Phase
from loadtests.workshop.dashboard.broadcaster import Broadcaster
from loadtests.workshop.dashboard.request_context import DoorKeys, JoinThrottle, RequestContext
from loadtests.workshop.dashboard.seats import Seats
from loadtests.workshop.dashboard.server import create_app
from loadtests.workshop.dashboard.stream import EventStream, Subscribers
from loadtests.workshop.listen_addresses import ListenAddress
from tests.loadtests.workshop.dashboard.scripted import ScriptedPicture, a_round, a_workshop, write_workshop

TOKEN = "an-instructors-token-of-much-chance"
PORT = 8080
HOME = f"http://127.0.0.1:{PORT}"
ANSWERS = {"left": "10", "right": "0", "you": "right"}


class Room:
    """One workshop, and people in it."""

    def __init__(self, folder: Path, *, join_code: str = "", harness: bool = True, most: int = 60) -> None:
        self.folder = folder / "run"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "workshop.json"
        self.told: list[Command] = []
        self.reply = CommandReply(True)
        self.version = 0
        self.clock_s = 1000.0
        self.broadcaster = Broadcaster(
            self.file, Subscribers(most),
            Seats(folder / "participants.json", of_one_address=4, clock_s=lambda: self.clock_s),
            ScriptedPicture,
        )  # fmt: skip
        self.broadcaster.stream = EventStream(first_id=100)
        throttle = JoinThrottle(lambda: self.clock_s)
        listen = ListenAddress("teacher.local", PORT, join_code, (8081, 8082))
        context = RequestContext(
            self.broadcaster, DoorKeys(TOKEN, join_code), throttle, self._tell if harness else None,
            listen, frozenset(listen.allowed_hosts), listen.room_url,
        )  # fmt: skip
        self._join_code = join_code
        self.app = create_app(context)

    def _tell(self, command: Command) -> CommandReply:
        self.told.append(command)
        return self.reply

    def goes_to(self, phase: Phase, *, predict: bool = True, **fields: Any) -> None:
        """The harness writes, the dashboard looks."""
        self.version += 1
        said = a_round(fields.pop("folder", self.folder), phase, **fields)
        write_workshop(self.file, a_workshop(said, version=self.version, predict=predict))
        self.broadcaster.look()

    def somebody(self) -> FlaskClient:
        """A browser of its own; where nobody needs a code, it has opened the page."""
        client = self.app.test_client()
        if not self._join_code:
            assert client.get("/", base_url=HOME).status_code == 200
        return client

    def instructor(self) -> FlaskClient:
        """One that has shown the instructor's token."""
        client = self.app.test_client()
        assert client.get(f"/?key={TOKEN}", base_url=HOME).status_code == 303
        return client


def get(client: FlaskClient, path: str, **more: Any) -> Any:
    """As a script of the page asks."""
    return client.get(path, base_url=more.pop("base_url", HOME), **more)


def post(client: FlaskClient, path: str, body: object, **more: Any) -> Any:
    """As a script of the page sends."""
    data = body if isinstance(body, bytes) else msgspec.json.encode(body)
    headers = {"Content-Type": "application/json", "Origin": HOME, **more.pop("headers", {})}
    return client.post(path, base_url=more.pop("base_url", HOME), data=data, headers=headers, **more)


def commit(client: FlaskClient, **fields: Any) -> Any:
    """A whole prediction."""
    return post(client, "/api/predictions", {"answers": ANSWERS, "reason": "Sessions die with their node.", **fields})
