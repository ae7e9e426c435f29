"""The dashboard's process: one gevent loop, a bounded number of connections, one greenlet that tells them what is new.

What could hold the loop up for long, a command to the harness and the disk, is done by a thread. Whoever reads or sends
nothing is cut off after a time: a connection cannot be kept for nothing.
"""

from __future__ import annotations

import os
import signal
import socket
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
import msgspec
from flask import Flask, Response, g, redirect, request
from gevent.event import Event
from gevent.pool import Pool
from gevent.pywsgi import WSGIHandler, WSGIServer
from werkzeug.wrappers import Response as AnyResponse

from loadtests.workshop.contract import Command, CommandReply, CommittedPrediction, Round
from loadtests.workshop.control import ask
from loadtests.workshop.dashboard.api import api
from loadtests.workshop.dashboard.broadcaster import Broadcaster, MakeLive, RoundPicture
from loadtests.workshop.dashboard.clients import Client, Clients, JoinThrottle
from loadtests.workshop.dashboard.origin_guard import OriginGuard, protect
from loadtests.workshop.dashboard.pages import pages
from loadtests.workshop.dashboard.predictions import MOST_BODY_BYTES
from loadtests.workshop.dashboard.refusals import Refusal, answer_refusals, wants_json
from loadtests.workshop.dashboard.request_context import EXTENSION, RequestContext, the_client
from loadtests.workshop.dashboard.stream import Subscribers
from loadtests.workshop.dashboard.workshop_file import WorkshopFile
from loadtests.workshop.dashboard_assignment import DashboardAssignment, DashboardReady, write_ready
from loadtests.workshop.live.picture import LivePicture
from loadtests.workshop.live.recorded import RecordedPicture, read_recording, recorded_workshop
from loadtests.workshop.predictions import append_prediction
from shared.errors import PortTaken
from shared.whole_file import write_whole

WITHOUT_JOINING = frozenset({"pages.join", "pages.joined", "pages.healthz", "static"})
"""What whoever does not know the join code may ask for."""
SILENT_S = 30.0
"""How long a connection may hang in one read or one write."""
MORE_CONNECTIONS = 200
"""Beside the watchers': pages, questions, browsers that keep one in reserve."""
OWN_ADDRESSES = frozenset({"127.0.0.1", "::1"})
MOST_OF_ONE_ADDRESS = 40
"""Connections from one other machine: nobody in the room can take everybody's places. This machine itself may."""
BACKLOG = 128
STOP_WITHIN_S = 0.3
"""Streams never end by themselves."""
LOOK_FOR_PARENT_S = 0.5
NICE = 5
"""The shops come first: they are what is measured."""


def create_app(context: RequestContext, guard: OriginGuard) -> Flask:
    """The app."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MOST_BODY_BYTES
    app.extensions[EXTENSION] = context
    app.register_blueprint(api)
    app.register_blueprint(pages)
    answer_refusals(app)

    @app.before_request
    def let_in() -> AnyResponse | None:
        guard.check(request)
        g.client = context.clients.of(request)
        return _to_the_door(context)

    @app.after_request
    def send_off(answer: Response) -> Response:
        protect(answer)
        client: Client | None = g.get("client")
        if client is not None and client.new and request.endpoint != "static":
            context.clients.remember(answer, client, request)
        return answer

    return app


def _to_the_door(context: RequestContext) -> AnyResponse | None:
    if request.endpoint in WITHOUT_JOINING or context.clients.may_come_in(the_client()):
        return None
    if request.endpoint == "pages.dashboard" and request.args.get("key"):
        return None  # the instructor comes with a better key
    if wants_json():
        raise Refusal(
            403, "you have not joined", why="this workshop asks for a join code", next_step="open /join in your browser"
        )
    return redirect("/join", 303)


class _Handler(WSGIHandler):  # type: ignore[misc]
    """A connection that hangs is cut off."""

    def __init__(self, sock: socket.socket, *rest: Any) -> None:
        sock.settimeout(SILENT_S)
        super().__init__(sock, *rest)


class _Server(WSGIServer):  # type: ignore[misc]
    """Nobody holds more than their share of its connections."""

    def __init__(self, *args: Any, **more: Any) -> None:
        self._open: Counter[str] = Counter()
        super().__init__(*args, **more)

    def handle(self, sock: socket.socket, address: tuple[Any, ...]) -> None:
        """Serve one connection to its end."""
        theirs = str(address[0])
        if theirs not in OWN_ADDRESSES and self._open[theirs] >= MOST_OF_ONE_ADDRESS:
            sock.close()
            return
        self._open[theirs] += 1
        try:
            super().handle(sock, address)
        finally:
            self._open[theirs] -= 1
            self._open += Counter()  # without those that hold none


def serve(assignment: DashboardAssignment, make_live: MakeLive | None = None) -> None:
    """Serve until SIGTERM or SIGINT, or until the parent is gone.

    Raises:
        PortTaken: the address cannot be listened on.
        UsageError: there is nothing of the kind to be shown of a recorded run, or it is damaged.
    """
    os.nice(NICE)
    make_live = make_live or (_recorded_picture(assignment) if assignment.recorded else _live_picture)
    broadcaster = Broadcaster(
        WorkshopFile(Path(assignment.workshop)), Subscribers(assignment.max_watchers), make_live, write=_write
    )
    server = _server(assignment, broadcaster)
    over = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, over.set)
    broadcaster.look()
    telling = gevent.spawn(broadcaster.run)
    watching = gevent.spawn(_watch_parent, assignment.parent, over)
    write_ready(Path(assignment.ready), DashboardReady(os.getpid(), assignment.host, server.server_port))
    try:
        over.wait()
    finally:
        gevent.killall([telling, watching])
        server.stop(timeout=STOP_WITHIN_S)


def _server(assignment: DashboardAssignment, broadcaster: Broadcaster) -> _Server:
    tell = _teller(assignment) if assignment.control else None
    context = RequestContext(
        broadcaster, Clients(assignment.instructor_token, assignment.join_code), JoinThrottle(), tell
    )
    server = _Server(
        (assignment.host, assignment.port), create_app(context, OriginGuard(assignment.allowed_hosts)), backlog=BACKLOG,
        spawn=Pool(assignment.max_watchers + MORE_CONNECTIONS), log=None, error_log=None, handler_class=_Handler,
    )  # fmt: skip
    try:
        server.start()
    except OSError as error:
        raise PortTaken(
            f"cannot listen on {assignment.host}:{assignment.port}", why=error.strerror or str(error),
            next_step="name another port, or end what has that one",
        ) from error  # fmt: skip
    return server


def _live_picture(said: Round) -> RoundPicture:
    return LivePicture(said, said.shoppers)


def _recorded_picture(assignment: DashboardAssignment) -> MakeLive:
    """Read the run, and write what a harness would have written."""
    left, right = assignment.architectures
    recording = read_recording(Path(assignment.recorded), left, right)
    write_whole(Path(assignment.workshop), msgspec.json.encode(recorded_workshop(recording)))
    return lambda _said: RecordedPicture(recording)


def _teller(assignment: DashboardAssignment) -> Callable[[Command], CommandReply]:
    def tell(command: Command) -> CommandReply:
        reply: CommandReply = gevent.get_hub().threadpool.apply(
            ask, (assignment.control, assignment.control_key, command)
        )
        return reply

    return tell


def _write(folder: Path, prediction: CommittedPrediction) -> None:
    gevent.get_hub().threadpool.apply(append_prediction, (folder, prediction))


def _watch_parent(parent: int, over: Event) -> None:
    while not parent or os.getppid() == parent:
        gevent.sleep(LOOK_FOR_PARENT_S)
    over.set()
