"""People without a screen: a participant who joins, predicts and shops, and a browser that listens, too.

`DashboardClient` opens the dashboard with the instructor's key, and sends what a page would.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import msgspec
import requests
from requests.adapters import DEFAULT_POOLSIZE, HTTPAdapter

from compose.applications import SHIPPED
from loadtests.load.calls import request_for
from loadtests.workshop.contract import (
    LIVE_PHASES,
    SIDES,
    Command,
    Frame,
    Guest,
    LiveCounts,
    Phase,
    Picture,
    RoundSide,
    SideName,
    Workshop,
    applied,
    empty_picture,
)
from loadtests.workshop.rehearsal.other_device import OtherDevice
from shared.errors import NotReadyInTime, TwinshopError

_workshop = msgspec.json.Decoder(Workshop).decode
_picture = msgspec.json.Decoder(Picture).decode
_frame = msgspec.json.Decoder(Frame).decode

SILENT_AT_MOST_S = 30.0  # the dashboard says something at least every 10 s
CHUNK = 65_536
ANSWER_WITHIN_S = 30.0
Call = Callable[[Callable[[], requests.Response]], requests.Response]


class RoomVisitor:
    """One person with one cookie jar, at one address of another device (or of this one, where there is no other)."""

    def __init__(self, home: str, address: str = "", device: OtherDevice | None = None) -> None:
        self.home = home
        self.address = address
        self.node = ""
        """Of the shop that was asked last: who answered."""
        self.session = requests.Session()
        self.session.trust_env = False  # no proxy may stand between a machine and itself
        adapter = HTTPAdapter()
        adapter.init_poolmanager(DEFAULT_POOLSIZE, DEFAULT_POOLSIZE, source_address=(address, 0))  # "": any
        self.session.mount("http://", adapter)
        self._call: Call = device.call if device else lambda do: do()

    def ask(self, method: str, path: str, *, to: str = "", **more: Any) -> requests.Response:
        """As a program asks; `to`: another server than the dashboard."""
        headers = {"Accept": "application/json", **more.pop("headers", {})}
        prepared = self.session.prepare_request(requests.Request(method, self.home, headers=headers, **more))
        prepared.url = (to or self.home) + path  # as it was typed: nobody tidies it up on the way
        return self._call(lambda: self.session.send(prepared, timeout=ANSWER_WITHIN_S, allow_redirects=False))

    def get(self, path: str, **more: Any) -> requests.Response:
        """Ask for something."""
        return self.ask("GET", path, **more)

    def post(self, path: str, body: object, **more: Any) -> requests.Response:
        """Send something, as a page of that server does."""
        headers = {"Origin": more.get("to") or self.home, **more.pop("headers", {})}
        return self.ask("POST", path, json=body, headers=headers, **more)

    def joins(self, code: str, name: str = "") -> requests.Response:
        """Through the door; where none is asked for a code, by opening the page."""
        return self.post("/join", {"code": code, "name": name}) if code else self.get("/")

    def predicts(self, answers: Mapping[str, str], reason: str = "so") -> requests.Response:
        """Commit a prediction."""
        return self.post("/api/predictions", {"answers": dict(answers), "reason": reason})

    def me(self) -> dict[str, Any]:
        """What the dashboard says of them."""
        told: dict[str, Any] = self.get("/api/me").json()
        return told

    def account(self) -> Guest:
        """Their own, in both shops.

        Raises:
            TwinshopError: nobody can enter them now.
        """
        me = self.me()
        if not me["password"]:
            raise TwinshopError("the shops cannot be entered", why="results are covered, or nobody shops")
        return Guest(me["user"], me["password"])

    def logs_in(self, shop: str) -> requests.Response:
        """To that shop, with the account that the dashboard has told."""
        account = self.account()
        return self.asks_shop(shop, "login", user=account.user, password=account.password)

    def is_known(self, side: RoundSide) -> bool | None:
        """Whether that shop knows them; None: it does not say."""
        status = self.asks_shop(side.shop_url, "cart").status_code
        return {requests.codes.ok: True, requests.codes.unauthorized: False}.get(status)

    def asks_shop(self, shop: str, what: str, **words: str | int) -> requests.Response:
        """What a shopper would do there, as a page of that shop sends it."""
        sent = request_for(SHIPPED.interface, what, **words)
        origin = {"Origin": shop} if sent.body else {}
        answer = self.ask(sent.method, sent.path, to=shop, headers=sent.headers | origin, data=sent.body)
        self.node = answer.headers.get(SHIPPED.http.node_header, self.node)
        return answer

    def close(self) -> None:
        """Leave without a word."""
        self.session.close()


class DashboardView:
    """All that was sent so far. `gaps` are ids that did not follow on the one before."""

    def __init__(self) -> None:
        self.workshop: Workshop | None = None
        self.picture = empty_picture(0)
        self.names_of_round: list[str] = []
        """Of the events since the present round was first told."""
        self.gaps: list[tuple[int, int]] = []
        self._last_id: int | None = None

    @property
    def phase(self) -> Phase | None:
        """Of the present round; None before anything is known."""
        return self.workshop.round.phase if self.workshop else None

    def add(self, name: str, data: bytes, number: int | None) -> None:
        """One event."""
        self.names_of_round.append(name)
        self._follow(number, name)
        if name == "workshop":
            self._begin_or_go_on(_workshop(data))
        elif name == "picture":
            self.picture = _picture(data)
        elif name == "frame":
            self.picture = applied(self.picture, _frame(data))

    def values(self) -> Mapping[str, float]:
        """The numbers by name, for rules."""
        values: dict[str, float] = {"U": 0, "N": 0}
        if self.workshop:
            now = self.workshop.round
            values = {"U": now.shoppers, "N": max((len(side.nodes) for side in now.sides), default=0)}
        for side in SIDES:
            values.update({f"{side}.{name}": value for name, value in self._of_side(side).items()})
        return values

    def _of_side(self, side: SideName) -> dict[str, float]:
        seen = self.picture.left if side == "left" else self.picture.right
        counts, broken = seen.counts or LiveCounts(), self.workshop.round.broken if self.workshop else ()
        return {
            "logged_out": counts.logged_out,
            "carts_lost": counts.carts_lost,
            "failed": counts.failed,
            "unknown": counts.unknown,
            "shopping": sum(view.state == "shopping" for view in seen.shoppers),
            "dead": sum(node.state == "dead" for node in seen.nodes or ()),
            "broken": sum(side in fault.sides for fault in broken),
            "losses": len(seen.losses),
            "ended": self.phase not in LIVE_PHASES,
        }

    def _begin_or_go_on(self, workshop: Workshop) -> None:
        if self.workshop is None or self.workshop.round.number != workshop.round.number:
            self.picture = empty_picture(0)
            self.names_of_round.clear()
        self.workshop = workshop

    def _follow(self, number: int | None, name: str) -> None:
        # A picture begins anew, what is told again has the same id; all other events follow each other by one.
        if number is None:
            return
        if self._last_id is not None and name != "picture" and number - self._last_id not in (0, 1):
            self.gaps.append((self._last_id, number))
        self._last_id = number


class DashboardClient(RoomVisitor):
    """One visitor who listens; `seen` is what they know. Use it as a context, or `close` it."""

    def __init__(self, url_with_key: str) -> None:
        home, query, key = url_with_key.partition("/?")
        super().__init__(home.rstrip("/"))
        self.seen = DashboardView()
        self._changed = threading.Condition()
        self._why_gone = ""
        self._gone = False
        self.get(f"{query}{key}" or "/").raise_for_status()
        # Not by the session: `close` has to shut the socket under whoever reads from it.
        self._stream = HTTPConnection(urlsplit(self.home).netloc, timeout=SILENT_AT_MOST_S)
        self._stream.connect()
        self._listener = threading.Thread(target=self._listen, name="watcher", daemon=True)
        self._listener.start()

    def __enter__(self) -> DashboardClient:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening."""
        self._gone = True
        with suppress(OSError):  # it may have gone before us; a shut socket wakes whoever reads from it
            self._stream.sock.shutdown(socket.SHUT_RDWR)
        self._listener.join(SILENT_AT_MOST_S)
        self._stream.close()
        super().close()

    def command(self, command: Command) -> None:
        """Tell the harness something.

        Raises:
            TwinshopError: it was refused.
        """
        answer = self.post("/api/commands", msgspec.to_builtins(command))
        said = answer.json()
        if not (answer.ok and said.get("ok")):
            raise TwinshopError(f"refused: {msgspec.json.encode(command).decode()}", why=str(said.get("why") or said))

    def wait_until(self, what: str, come: Callable[[DashboardView], bool], within_s: float) -> None:
        """Until the dashboard shows it.

        Raises:
            NotReadyInTime: it did not in time, or the dashboard is gone.
        """
        with self._changed:
            # Also until it can never come: who waits is told at once, and why.
            self._changed.wait_for(lambda: self._why_gone or self._failed() or come(self.seen), timeout=within_s)
            if not come(self.seen):
                raise NotReadyInTime(
                    f"the dashboard did not show it within {within_s:g} s: {what}",
                    why=self._why_gone or self._failed() or self._now(),
                    next_step="look into the round's folder: its events.ndjson says what happened when",
                )

    def _failed(self) -> str:
        workshop = self.seen.workshop
        return f"the round failed: {workshop.round.why}" if workshop and workshop.round.phase == "failed" else ""

    def _now(self) -> str:
        shown = ", ".join(f"{name} {value:g}" for name, value in self.seen.values().items() if value)
        return f"it shows phase {self.seen.phase}, {shown}"

    def _listen(self) -> None:
        try:
            for name, data, number in events(self._pieces()):
                with self._changed:
                    self.seen.add(name, data, number)
                    self._changed.notify_all()
            self._end("the dashboard ended its events")
        except Exception as error:  # noqa: BLE001 - whatever ends the listening, the one who waits must hear of it
            self._end(f"the dashboard's events broke off: {error}")

    def _pieces(self) -> Iterator[bytes]:
        cookie = "; ".join(f"{name}={value}" for name, value in self.session.cookies.items())
        self._stream.request("GET", "/events", headers={"Cookie": cookie, "Accept": "text/event-stream"})
        answer = self._stream.getresponse()
        if answer.status != requests.codes.ok:
            raise OSError(f"status {answer.status}: {answer.read(CHUNK).decode(errors='replace')}")
        while piece := answer.read1(CHUNK):  # what there is; `read` would wait until so much has come
            yield piece

    def _end(self, why: str) -> None:
        with self._changed:
            self._why_gone = "" if self._gone else why  # we closed it ourselves
            self._changed.notify_all()


def events(pieces: Iterator[bytes]) -> Iterator[tuple[str, bytes, int | None]]:
    """The server-sent events in a stream of bytes: name, data and id; comments are left out."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n\n")
        for block in whole:
            fields = dict(
                line.split(b": ", 1) for line in block.split(b"\n") if b": " in line and not line.startswith(b":")
            )
            if b"data" in fields:
                number = int(fields[b"id"]) if b"id" in fields else None
                yield fields.get(b"event", b"message").decode(), fields[b"data"], number
