"""What each kind of part answers for itself, asked at its own address: is it there, and is it the same start of it?"""

from __future__ import annotations

import socket
from collections.abc import Callable
from urllib.parse import urlsplit

import msgspec

from compose.links.link_file import WireStatus, host_and_port
from compose.probes.http import Answer, Unanswered, ask, in_a_word
from compose.probes.server import ask_server, facts

PROBE_S = 0.3
"""One look: three of them make an observation, which may take at most 1 s."""
MASTER = "shop"
"""What the sentinel calls the store that is written to."""


class _Health(msgspec.Struct):
    boot: str


class _Dumped(msgspec.Struct):
    last_updated: str = ""


class _Dump(msgspec.Struct):
    configs: list[_Dumped] = msgspec.field(default_factory=list)


class Voice(msgspec.Struct, frozen=True):
    """What a part's own address answered."""

    answers: bool
    """As it should; a node: 200, with our run's id."""
    boot: str | None
    words: str
    foreign: bool = False
    """Something answers, but it is not ours."""


def is_ours(answer: Answer, run: str) -> bool:
    """Whether an answer carries our run's id."""
    return answer.headers.get("x-run") == run


def listen_to(url: str, run: str) -> Voice:
    """Ask a node for its health, past the balancer."""
    where = urlsplit(url).netloc
    try:
        answer = ask(f"{url}/healthz", within_s=PROBE_S)
    except Unanswered as silence:
        return _silence(where, silence)
    if not is_ours(answer, run):
        return Voice(False, None, f"{where} is not ours: its X-Run is {answer.headers.get('x-run')!r}", foreign=True)
    if answer.status != 200:
        return Voice(False, None, f"{where}/healthz: {answer.status}")
    try:
        boot = msgspec.json.decode(answer.body, type=_Health).boot
    except msgspec.DecodeError as error:
        return Voice(False, None, f"{where}/healthz: {error}")
    return Voice(True, boot, f"{where}/healthz: 200, boot {boot}")


def listen_to_balancer(admin_url: str) -> Voice:
    """Ask the balancer when it read its configuration, which it does once in its life."""
    where = urlsplit(admin_url).netloc
    try:
        answer = ask(f"{admin_url}/config_dump?mask=last_updated", within_s=PROBE_S)
        dump = msgspec.json.decode(answer.body, type=_Dump)
    except Unanswered as silence:
        return _silence(where, silence)
    except msgspec.DecodeError as error:
        return Voice(False, None, f"{where}/config_dump: {error}")
    boot = next((one.last_updated for one in dump.configs if one.last_updated), None)
    return Voice(boot is not None, boot, f"{where}/config_dump: {answer.status}, started {boot}")


def listen_to_store(url: str) -> Voice:
    """PING a session store or its replica, and ask which start of it this is, and whether it is written to."""

    def look(host: str, port: int) -> tuple[str, str]:
        ask_server(host, port, "PING", within_s=PROBE_S)
        said = facts(ask_server(host, port, "INFO server replication", within_s=PROBE_S))
        link = "master_link_status" if said["role"] == "slave" else "connected_slaves"
        return said["run_id"], f"PONG, role {said['role']}, {link} {said.get(link, '?')}"

    return _of_server(url, look)


def listen_to_sentinel(url: str) -> Voice:
    """Ask a sentinel which start of it this is, and whom it calls the store."""

    def look(host: str, port: int) -> tuple[str, str]:
        boot = facts(ask_server(host, port, "INFO server", within_s=PROBE_S))["run_id"]
        watched = facts(ask_server(host, port, "INFO sentinel", within_s=PROBE_S)).get("master0", "watches nobody")
        return boot, f"PONG, {watched}"

    return _of_server(url, look)


def listen_to_wires(address: str) -> Voice:
    """Ask the wires how they are; they say it to whoever connects."""
    where = urlsplit(address).netloc
    try:
        with socket.create_connection(host_and_port(where), timeout=PROBE_S) as connection:
            status = msgspec.json.decode(connection.makefile("rb").readline(), type=WireStatus)
    except OSError as error:
        return _silence(where, Unanswered(in_a_word(error)))
    except msgspec.DecodeError as error:
        return Voice(False, None, f"{where}: {error}")
    return Voice(True, status.boot, f"{where}: {status.words()}, boot {status.boot}")


def _of_server(url: str, look: Callable[[str, int], tuple[str, str]]) -> Voice:
    parts = urlsplit(url)
    where = f"{parts.hostname}:{parts.port}"
    try:
        boot, words = look(parts.hostname or "", parts.port or 0)
    except Unanswered as silence:
        return _silence(where, silence)
    except KeyError as error:
        return Voice(False, None, f"{where} is no such server: it does not say its {error}", foreign=True)
    return Voice(True, boot, f"{where}: {words}, boot {boot[:12]}")


def _silence(where: str, silence: Unanswered) -> Voice:
    return Voice(False, None, f"connect to {where}: {silence.reason}")
