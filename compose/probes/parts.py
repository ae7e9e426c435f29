"""What parts of a cluster answer for themselves, asked from outside at their own address, in words for an evidence."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import msgspec

from compose.changes import Reply
from compose.delay_proxy import WireStatus, host_and_port
from compose.probes.questions import Unanswered, ask, ask_server, facts, in_a_word

PROBE_S = 0.3  # one look: three of them make an observation, which may take at most 1 s
WITHIN_S = 2.8  # one question whose answer may be late: below the 3 s that may pass in all
MASTER = "shop"  # what the sentinel calls the store that is written to
_decode_wire_status = msgspec.json.Decoder(WireStatus).decode


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

    def look(host: str, port: int) -> tuple[str, str]:
        ask_server(host, port, "PING", within_s=PROBE_S)
        said = facts(ask_server(host, port, "INFO server replication", within_s=PROBE_S))
        # A copy says whether it hears its store; a store, how many copies it has.
        link = "master_link_status" if said["role"] == "slave" else "connected_slaves"
        return said["run_id"], f"PONG, role {said['role']}, {link} {said.get(link, '?')}"

    return _of_server(url, look)


def report_of_sentinel(url: str) -> SelfReport:
    """Ask a sentinel which start of it this is, and whom it calls the store."""

    def look(host: str, port: int) -> tuple[str, str]:
        boot = facts(ask_server(host, port, "INFO server", within_s=PROBE_S))["run_id"]
        watched = facts(ask_server(host, port, "INFO sentinel", within_s=PROBE_S)).get("master0", "watches nobody")
        return boot, f"PONG, {watched}"

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


def _of_server(url: str, look: Callable[[str, int], tuple[str, str]]) -> SelfReport:
    parts = urlsplit(url)
    where = f"{parts.hostname}:{parts.port}"
    try:
        boot, words = look(parts.hostname or "", parts.port or 0)
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
    parts = urlsplit(url)

    def question() -> tuple[bool, str, int]:
        said = ask_server(parts.hostname or "", parts.port or 0, "PING", within_s=WITHIN_S)
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
