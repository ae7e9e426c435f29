"""The dashboard's process: one gevent loop, a bounded number of connections, one greenlet that tells them what is new.

What could hold the loop up for long, a command to the harness and the disk, is done by a thread. Whoever reads or sends
nothing is cut off after a time: a connection cannot be kept for nothing.
"""

import os
import resource
import secrets
import signal
import socket
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import gevent
import msgspec
from flask import Flask, Response, redirect, request, session
from gevent.event import Event
from gevent.pool import Pool
from gevent.pywsgi import WSGIHandler, WSGIServer
from werkzeug.wrappers import Response as AnyResponse

from loadtests.workshop.contract import WORKSHOP_SCHEMA, Workshop
from loadtests.workshop.control import ask
from loadtests.workshop.dashboard.api import api
from loadtests.workshop.dashboard.broadcaster import Broadcaster, MakeLive
from loadtests.workshop.dashboard.pages import pages
from loadtests.workshop.dashboard.predictions import MOST_BODY_BYTES
from loadtests.workshop.dashboard.refusals import Refusal, answer_refusals, check_origin, protect, wants_json
from loadtests.workshop.dashboard.request_context import (
    EXTENSION,
    DoorKeys,
    JoinThrottle,
    RequestContext,
    SignedCookie,
    the_client,
    the_seat,
)
from loadtests.workshop.dashboard.seats import OWN_ADDRESSES, WHO_BYTES, Seats
from loadtests.workshop.dashboard.stream import Subscribers
from loadtests.workshop.dashboard_assignment import DashboardAssignment, DashboardReady, write_for_owner
from loadtests.workshop.live.picture import LivePicture
from loadtests.workshop.live.recorded import read_recording
from loadtests.workshop.predictions import append_prediction
from shared.errors import PortTaken
from shared.whole_file import write_whole

T = TypeVar("T")
# What whoever does not know the join code may ask for, beside the parts of pages.
WITHOUT_JOINING = frozenset({"pages.join", "pages.joined", "pages.what_you_do", "pages.healthz"})
SILENT_S = 30.0  # how long a connection may hang in one read or one write
REQUEST_WITHIN_S = 15.0  # how long it may take to say a whole request, its silence before that included
ANSWER_WITHIN_S = 60.0  # to send an answer, and to read what is left of the request, unless it is a stream
STREAM = "text/event-stream; charset=utf-8"
MOST_CONNECTIONS = 2000
MOST_UNHEARD = 800  # of these may be about to say something; beyond it the one that is at it for longest is closed
SHOP_COOKIES = "twinshop-"  # how the names of the shops' cookies begin
OF_ONE_BROWSER = 8  # connections: browsers open six, and one or two in reserve; as many times that as seats
BACKLOG = 128
STOP_WITHIN_S = 0.3  # streams never end by themselves
SAY_GOODBYE_S = 0.1  # so long a stream has to send its last event
LOOK_FOR_PARENT_S = 0.5
NICE = 5  # the shops come first: they are what is measured


def create_app(context: RequestContext) -> Flask:
    """The app."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MOST_BODY_BYTES
    app.session_interface = SignedCookie(context.keys.of_cookies)
    app.extensions[EXTENSION] = context
    app.register_blueprint(api)
    app.register_blueprint(pages)
    answer_refusals(app)

    @app.before_request
    def let_in() -> AnyResponse | None:
        check_origin(context.names)
        if request.endpoint == "static":
            return None  # a page's parts come several at once, and each would set another id
        if "who" not in session:
            session["who"] = secrets.token_urlsafe(WHO_BYTES)
        return _to_the_door(context)

    @app.after_request  # of refusals, too: they need the headers as much
    def send_off(answer: Response) -> Response:
        protect(answer)
        _take_back_cookies(answer, context)
        return answer

    return app


def _take_back_cookies(answer: Response, context: RequestContext) -> None:
    # Those of shops of earlier rounds: cookies ignore ports, so a browser sends them here, too, and would in the end be
    # refused for so many.
    workshop = context.broadcaster.workshop
    if request.endpoint != "pages.dashboard" or workshop is None or not workshop.round.run:
        return
    for name in request.cookies:
        if name.startswith(SHOP_COOKIES) and not name.endswith(workshop.round.run):
            answer.delete_cookie(name)


def _to_the_door(context: RequestContext) -> AnyResponse | None:
    joined = not context.listen.join_code or the_client().instructor or the_seat() is not None
    if joined or request.endpoint in WITHOUT_JOINING:
        return None
    if request.endpoint == "pages.dashboard" and request.args.get("key"):
        return None  # the instructor comes with a better key
    if wants_json():
        raise Refusal(
            403, "you have not joined", why="this workshop asks for a join code", next_step="open /join in your browser"
        )
    return redirect("/join", 303)


class _Handler(WSGIHandler):  # type: ignore[misc]
    """Says what it wants within a time, or is cut off; and what is no request is not worth a line in the log."""

    def __init__(self, sock: socket.socket, *rest: Any) -> None:
        sock.settimeout(SILENT_S)
        self._hurry: gevent.Timeout | None = None
        super().__init__(sock, *rest)

    def handle_one_request(self) -> Any:
        """Hear a request, silence before it included, and answer it."""
        self.server.unheard(self.socket)
        # A bound of the whole, beside that of each read: a byte now and then would keep a connection for ever.
        self._hurry = gevent.Timeout.start_new(REQUEST_WITHIN_S)
        try:
            return super().handle_one_request()
        except gevent.Timeout:
            return None
        finally:
            self._hurry.close()

    def start_response(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        """It was heard; an answer has its own time, and a stream as long as somebody watches."""
        assert self._hurry is not None
        self._hurry.close()
        if ("Content-Type", STREAM) not in headers:
            self._hurry = gevent.Timeout.start_new(ANSWER_WITHIN_S)
        self.server.heard(self.socket)
        return super().start_response(status, headers, exc_info)

    def handle_error(self, kind: Any, value: Any, trace: Any) -> None:
        """Whoever hangs up, or is too slow, gets no line of the log; our own mistakes get one from Flask."""
        self.close_connection = True
        if not issubclass(kind, (gevent.Timeout, OSError)):
            super().handle_error(kind, value, None)

    def log_error(self, msg: str, *args: Any) -> None:
        """A request that is none: told to whoever sent it, and to nobody else."""


class _Server(WSGIServer):  # type: ignore[misc]
    """Nobody holds more than their share of its connections, and those who say nothing make room for those who do."""

    def __init__(self, *args: Any, of_one_address: int, **more: Any) -> None:
        self._of_one_address = of_one_address
        self._open: Counter[str] = Counter()
        self._unheard: dict[socket.socket, None] = {}
        super().__init__(*args, **more)

    def handle(self, sock: socket.socket, address: tuple[Any, ...]) -> None:
        """Serve one connection to its end."""
        theirs = str(address[0])
        if theirs not in OWN_ADDRESSES and self._open[theirs] >= self._of_one_address:
            sock.close()  # without a word: an answer would wait for whoever does not read
            return
        self._open[theirs] += 1
        try:
            super().handle(sock, address)
        finally:
            self._unheard.pop(sock, None)
            self._open[theirs] -= 1
            self._open += Counter()  # without those that hold none

    def unheard(self, sock: socket.socket) -> None:
        """It has not said yet what it wants: where too many have not, the first of them has had its time."""
        self._unheard.pop(sock, None)
        self._unheard[sock] = None
        while len(self._unheard) > MOST_UNHEARD:
            first = next(iter(self._unheard))
            del self._unheard[first]
            with suppress(OSError):  # shut, and not closed: its own greenlet wakes, and closes it
                first.shutdown(socket.SHUT_RDWR)

    def heard(self, sock: socket.socket) -> None:
        """It has said what it wants."""
        self._unheard.pop(sock, None)


def serve(assignment: DashboardAssignment, make_live: MakeLive | None = None) -> None:
    """Serve until SIGTERM or SIGINT, or until the parent is gone.

    Raises:
        PortTaken: the address cannot be listened on.
        UsageError: there is nothing of the kind to be shown of a recorded run, or it is damaged.
    """
    os.nice(NICE)
    make_live = make_live or (_recorded_picture(assignment) if assignment.recorded else LivePicture)
    _open_more_files()
    seats = Seats(Path(assignment.workshop).with_name("participants.json"), assignment.listen.seats_of_one_address)
    broadcaster = Broadcaster(
        Path(assignment.workshop), Subscribers(assignment.max_watchers), seats, make_live,
        write=partial(_in_a_thread, append_prediction),
    )  # fmt: skip
    server = _server(assignment, broadcaster)
    over = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, over.set)
    broadcaster.look()  # before anybody is let in, so that the first one finds a workshop
    telling = gevent.spawn(broadcaster.run)
    watching = gevent.spawn(_watch_parent, assignment.parent, over)
    write_for_owner(Path(assignment.ready), DashboardReady(os.getpid(), assignment.listen.host, server.server_port))
    try:
        over.wait()
        broadcaster.tell_the_end()
        gevent.sleep(SAY_GOODBYE_S)
    finally:
        gevent.killall([telling, watching])
        server.stop(timeout=STOP_WITHIN_S)


def _server(assignment: DashboardAssignment, broadcaster: Broadcaster) -> _Server:
    listen = assignment.listen
    tell = partial(_in_a_thread, ask, assignment.control, assignment.control_key) if assignment.control else None
    context = RequestContext(
        broadcaster, DoorKeys(assignment.instructor_token, listen.join_code), JoinThrottle(), tell, listen,
        frozenset(name.lower() for name in listen.allowed_hosts), listen.room_url,
    )  # fmt: skip
    server = _Server(
        (listen.host, listen.port), create_app(context), backlog=BACKLOG, spawn=Pool(MOST_CONNECTIONS), log=None,
        handler_class=_Handler, of_one_address=OF_ONE_BROWSER * listen.seats_of_one_address,
    )  # fmt: skip
    try:
        server.start()
    except OSError as error:
        raise PortTaken(
            f"cannot listen on {listen.host}:{listen.port}", why=error.strerror or str(error),
            next_step="name another port, or end what has that one",
        ) from error  # fmt: skip
    return server


def _open_more_files() -> None:
    # Each connection is one; a process may often open a thousand only, though the system would grant more.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + 200
    if hard == resource.RLIM_INFINITY or hard > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted if hard < 0 else min(wanted, hard)), hard))


def _recorded_picture(assignment: DashboardAssignment) -> MakeLive:
    """Read the run, and write what a harness would have written."""
    left, right = assignment.architectures
    recording = read_recording(Path(assignment.recorded), left, right)
    workshop = Workshop(WORKSHOP_SCHEMA, 1, False, recording.round, ())
    write_whole(Path(assignment.workshop), msgspec.json.encode(workshop))
    return lambda _said: recording


def _in_a_thread(do: Callable[..., T], *args: Any) -> T:
    # A socket that does not answer, or an fsync, would hold up every stream of the room.
    answer: T = gevent.get_hub().threadpool.apply(do, args)
    return answer


def _watch_parent(parent: int, over: Event) -> None:
    while not parent or os.getppid() == parent:  # an orphan has another one: the harness was killed
        gevent.sleep(LOOK_FOR_PARENT_S)
    over.set()
