"""Addresses: of the parts of a cluster, and free ports of 127.0.0.1 for them."""

from __future__ import annotations

import errno
import random
import socket
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from shared.errors import EnvironmentNotReady, PortTaken

HOST = "127.0.0.1"
_LOWEST = 15_000
_TRIES = 2_000


class Listen(msgspec.Struct, frozen=True):
    """An address: 127.0.0.1 and a port here, other hosts in containers."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """As a client of HTTP writes it."""
        return f"http://{self}"

    @classmethod
    def at(cls, url: str) -> Listen:
        """The address in a URL."""
        parts = urlsplit(url)
        return cls(parts.hostname or "", parts.port or 80)


def _highest() -> int:
    """Below the ports that the system lends to outgoing connections."""
    # Otherwise, while a node is dead, a connection could borrow its port, and the node could not come back to it.
    try:
        lent_from = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except (OSError, ValueError):
        lent_from = 32_768  # Linux lends from there on unless told otherwise; macOS from 49,152
    return lent_from if lent_from - _LOWEST >= 1_000 else 60_000


def free_ports(count: int) -> list[int]:
    """That many different ports on which nobody listens.

    Raises:
        EnvironmentNotReady: there are not so many.
    """
    found: list[int] = []
    choose = random.SystemRandom()  # not the plan's generator: ports are not part of a plan
    with ExitStack() as held:
        for _ in range(_TRIES):
            if len(found) == count:
                return found
            port = choose.randrange(_LOWEST, _highest())
            # Held until all are found, or the same one could be found twice.
            trial = held.enter_context(socket.socket())
            with suppress(OSError):
                trial.bind((HOST, port))
                found.append(port)
    raise EnvironmentNotReady(
        f"cannot find {count} free ports on {HOST}",
        why=f"{_TRIES} ports were tried",
        next_step="twinshop recover",
    )


def port_of(url: str) -> int:
    """The port in a URL of ours."""
    port = urlsplit(url).port
    assert port is not None
    return port


def answers(port: int, *, within_s: float = 0.3) -> bool:
    """Whether anything accepts a connection there."""
    try:
        socket.create_connection((HOST, port), timeout=within_s).close()
    except OSError:
        return False
    return True


def preflight(port: int, part: str) -> None:
    """Make sure that nobody listens where a part of the cluster is to listen.

    Raises:
        PortTaken: something answers there.
    """
    # By connecting: a server that binds with SO_REUSEPORT would share its port with one of ours without a word, and
    # answer half of our requests.
    if answers(port):
        raise _taken(port, part, f"something answers on {HOST}:{port} already")


def _taken(port: int, part: str, why: str) -> PortTaken:
    next_step = f"stop it, or choose another port; `lsof -i :{port}` names it"
    return PortTaken(f"port {port}, meant for the {part}, is taken", why=why, next_step=next_step)


def bindable(host: str, port: int, part: str) -> None:
    """Make sure that a part can listen at that address of this machine, which may be any of its own.

    Raises:
        PortTaken: somebody else does.
        EnvironmentNotReady: this machine has no such address, or not for us.
    """
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as trial:
        # As servers do: connections of an earlier cluster that linger there (TIME_WAIT) keep nobody out.
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            raise _cannot_listen(host, port, part, error) from error


def _cannot_listen(host: str, port: int, part: str, error: OSError) -> EnvironmentNotReady:
    if error.errno == errno.EADDRINUSE:
        return _taken(port, part, f"something listens on {host}:{port} already")
    return EnvironmentNotReady(
        f"the {part} cannot listen on {host}:{port}",
        why=error.strerror or str(error),
        next_step="name an address of this machine: --listen 0.0.0.0 for all of them",
    )
