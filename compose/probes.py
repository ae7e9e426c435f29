"""What parts of a cluster answer for themselves, asked from outside of whatever was done to them, within a bound.

A *question* is one exchange with one of our own servers (HTTP, or a Redis-compatible one); a *report* is what a part
answers at its own address, in words for an evidence.
"""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import msgspec

from compose.cluster import Reply
from compose.supervision.ports import Listen
from compose.wires import WireStatus, host_and_port

PROBE_S = 0.3  # one look: three of them make an observation, which may take at most 1 s
WITHIN_S = 2.8  # one question whose answer may be late: below the 3 s that may pass in all
MASTER = "shop"  # what the sentinel calls the store that is written to
_PIECE = 65_536
_decode_wire_status = msgspec.json.Decoder(WireStatus).decode


class Unanswered(Exception):
    """No answer came; `reason` says why in a word: refused, timeout, reset, …"""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class HttpAnswer(msgspec.Struct, frozen=True):
    """What came back."""

    status: int
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes


def ask(
    url: str, *, headers: Mapping[str, str] | None = None, within_s: float = 0.3, put: bytes | None = None,
    method: str = "",
) -> HttpAnswer:  # fmt: skip
    """GET that URL, or PUT that JSON there, or send nothing by another `method`.

    The bound holds for connecting and for each read.

    Raises:
        Unanswered: refused, timeout, reset, or not HTTP.
    """
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=within_s)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    sent = dict(headers or {}) | ({} if put is None else {"Content-Type": "application/json"})
    try:
        connection.request(method or ("GET" if put is None else "PUT"), path, body=put, headers=sent)
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise Unanswered(in_a_word(error)) from error
    finally:
        connection.close()
    return HttpAnswer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)


def in_a_word(error: Exception) -> str:
    """Why no answer came."""
    match error:
        case ConnectionRefusedError():
            return "refused"
        case TimeoutError():
            return "timeout"
        case ConnectionResetError():  # http.client's RemoteDisconnected is one, too
            return "reset"
        case _:
            return type(error).__name__


def ask_server(url: str, command: str, *, within_s: float) -> str:
    """What the server there answers to that command of a line ("PING", "INFO server"): a status, a number or a text.

    The bound is for all of it.

    Raises:
        Unanswered: refused, timeout, reset, or the error that the server answered with.
    """
    at, deadline = Listen.at(url), time.monotonic() + within_s
    try:
        with socket.create_connection((at.host, at.port), timeout=within_s) as connection:
            connection.sendall(command.encode() + b"\r\n")
            answer = b""
            while (said := _whole(answer)) is None:
                # At each read, or a server that sends a byte now and then would hold us; 0 would mean: do not wait.
                connection.settimeout(max(deadline - time.monotonic(), 0.001))
                piece = connection.recv(_PIECE)
                if not piece:
                    raise Unanswered("reset")
                answer += piece
    except OSError as error:
        raise Unanswered(in_a_word(error)) from error
    return said


def _whole(answer: bytes) -> str | None:
    """The answer without its wrapping; None while there is more to come.

    Raises:
        Unanswered: it is an error, or none of the kinds we ask for.
    """
    first, ended, rest = answer.partition(b"\r\n")
    if not ended:
        return None
    # RESP: the first byte names the kind: + a status, : a number, - an error, $ a text, after its length in bytes.
    kind, words = first[:1], first[1:].decode(errors="replace")
    if kind in (b"+", b":"):
        return words
    if kind == b"-":
        raise Unanswered(words)
    if kind != b"$" or int(words) < 0:  # a length of -1 stands for nothing
        raise Unanswered(f"an answer of another kind: {first!r}")
    # Two more: the text ends with a line break of its own.
    return rest[: int(words)].decode(errors="replace") if len(rest) >= int(words) + 2 else None


def info(url: str, section: str = "", *, within_s: float) -> dict[str, str]:
    """What the server at that address says of itself in that section of INFO ("": in the usual ones), by name.

    Raises:
        Unanswered: as `ask_server`.
    """
    said = ask_server(url, f"INFO {section}".rstrip(), within_s=within_s)
    pairs = (line.partition(":") for line in said.splitlines() if not line.startswith("#"))
    return {name: value for name, colon, value in pairs if colon}


class SelfReport(msgspec.Struct, frozen=True):
    """What a part's own address answered."""

    answers: bool
    """As it should; a node: that it is well, with our run's id."""
    boot: str | None
    """A new one with each start of the part, by its own word."""
    words: str
    foreign: bool = False
    """Something answers, but it is not ours."""

    @classmethod
    def silence(cls, where: str, silence: Unanswered) -> SelfReport:
        """Nobody answers at that address (host:port)."""
        return cls(False, None, f"connect to {where}: {silence.reason}")

    @classmethod
    def by(cls, url: str, page: str, look: Callable[[], tuple[str | None, str]]) -> SelfReport:
        """What looking at that page of that address gives: which start of the part it is (None: no word of it), and
        the same in words."""
        where = urlsplit(url).netloc
        try:
            boot, words = look()
        except Unanswered as silence:
            return cls.silence(where, silence)
        except msgspec.DecodeError as error:
            return cls(False, None, f"{where}{page}: {error}")
        return cls(boot is not None, boot, f"{where}{page}: {words}")


def report_of_store(url: str) -> SelfReport:
    """PING a session store or its replica, and ask which start of it this is, and whether it is written to."""

    def look() -> tuple[str, str]:
        ask_server(url, "PING", within_s=PROBE_S)
        said = info(url, "server replication", within_s=PROBE_S)
        # A copy says whether it hears its store; a store, how many copies it has.
        link = "master_link_status" if said["role"] == "slave" else "connected_slaves"
        return said["run_id"], f"PONG, role {said['role']}, {link} {said.get(link, '?')}"

    return _of_server(url, look)


def report_of_sentinel(url: str) -> SelfReport:
    """Ask a sentinel which start of it this is, and whom it calls the store."""

    def look() -> tuple[str, str]:
        boot = info(url, "server", within_s=PROBE_S)["run_id"]
        return boot, f"PONG, {info(url, 'sentinel', within_s=PROBE_S).get('master0', 'watches nobody')}"

    return _of_server(url, look)


def report_of_wires(address: str) -> SelfReport:
    """Ask the wires how they are; they say it to whoever connects."""
    where = urlsplit(address).netloc
    try:
        with socket.create_connection(host_and_port(where), timeout=PROBE_S) as connection:
            status = _decode_wire_status(connection.makefile("rb").readline())
    except OSError as error:
        return SelfReport.silence(where, Unanswered(in_a_word(error)))
    except msgspec.DecodeError as error:
        return SelfReport(False, None, f"{where}: {error}")
    return SelfReport(True, status.boot, f"{where}: {status.words()}, boot {status.boot}")


def _of_server(url: str, look: Callable[[], tuple[str, str]]) -> SelfReport:
    where = urlsplit(url).netloc
    try:
        boot, words = look()
    except Unanswered as silence:
        return SelfReport.silence(where, silence)
    except KeyError as error:  # it answers, in the right protocol, without what every such server says of itself
        return SelfReport(False, None, f"{where} is no such server: it does not say its {error}", foreign=True)
    return SelfReport(True, boot, f"{where}: {words}, boot {boot[:12]}")


def ask_page(url: str, path: str, headers: dict[str, str]) -> Reply:
    """GET a page of a node; ok if it answers 200."""

    def question() -> tuple[bool, str, int]:
        status = ask(f"{url}{path}", headers=headers, within_s=WITHIN_S).status
        return status == 200, str(status), status

    return _timed(f"GET {path}", question)


def ping(url: str) -> Reply:
    """PING the server at that address; ok if it answers PONG."""

    def question() -> tuple[bool, str, int]:
        said = ask_server(url, "PING", within_s=WITHIN_S)
        return said == "PONG", said, 0

    return _timed("PING", question)


def _timed(asked: str, question: Callable[[], tuple[bool, str, int]]) -> Reply:
    began = time.monotonic()
    try:
        ok, words, status = question()
    except Unanswered as silence:
        ok, words, status = False, silence.reason, 0
    took_ms = (time.monotonic() - began) * 1000
    return Reply(ok, took_ms, f"{asked}: {words} after {took_ms:.0f} ms", status)
