"""Where a workshop's dashboard listens, and who may come in: this machine alone, or a room with a join code."""

from __future__ import annotations

import errno
import ipaddress
import secrets
import socket

import msgspec
import psutil

from shared.errors import EnvironmentNotReady, PortTaken

LOOPBACK = "127.0.0.1"
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that are taken for each other when somebody reads them from a wall."""
CODE_LENGTH = 6


class ListenAddress(msgspec.Struct, frozen=True):
    """Where it listens, and what everybody but the instructor must know."""

    host: str = LOOPBACK
    port: int = 0
    """0: any that is free."""
    join_code: str = ""
    """ "": nothing; only this machine can ask."""

    @property
    def everywhere(self) -> bool:
        """It listens on all addresses of this machine."""
        return self.host in ("0.0.0.0", "::")

    @property
    def own_name(self) -> str:
        """By which a browser on this machine calls it."""
        return LOOPBACK if self.everywhere else self.host

    @property
    def room_name(self) -> str:
        """By which a browser of the room calls it."""
        return next(iter(_addresses()), LOOPBACK) if self.everywhere else self.host

    @property
    def allowed_hosts(self) -> tuple[str, ...]:
        """All names by which browsers may call it."""
        room = (*_addresses(), socket.gethostname()) if self.everywhere else (self.host,)
        return tuple(dict.fromkeys((LOOPBACK, "localhost", "[::1]", *room)))

    def check(self) -> None:
        """Make sure that one can listen there.

        Raises:
            PortTaken: somebody else does.
            EnvironmentNotReady: this machine has no such address, or not for us.
        """
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        with socket.socket(family) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((self.host, self.port))
            except OSError as error:
                raise self._cannot_listen(error) from error

    def _cannot_listen(self, error: OSError) -> EnvironmentNotReady:
        if error.errno == errno.EADDRINUSE:
            return PortTaken(
                f"port {self.port}, meant for the dashboard, is taken",
                why=f"something listens on {self.host}:{self.port} already",
                next_step=f"stop it, or choose another port; `lsof -i :{self.port}` names it",
            )
        return EnvironmentNotReady(
            f"the dashboard cannot listen on {self.host}:{self.port}",
            why=error.strerror or str(error),
            next_step="name an address of this machine: --listen 0.0.0.0 for all of them",
        )


def listen_address(host: str, port: int) -> ListenAddress:
    """That address; opened to a room, they have a new join code."""
    return ListenAddress(
        host, port, "" if is_loopback(host) else "".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH))
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine can ask there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _addresses() -> tuple[str, ...]:
    """This machine's IPv4 addresses, without those that only itself can reach."""
    found = [
        address.address
        for addresses in psutil.net_if_addrs().values()
        for address in addresses
        if address.family == socket.AF_INET and not is_loopback(address.address)
    ]
    return tuple(found)
