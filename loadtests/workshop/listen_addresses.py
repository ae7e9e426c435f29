"""Where a workshop listens, and who may come in: this machine alone, or a room with a join code.

One address with three ports: the dashboard's, and each shop's. Cookies know of names and not of ports; so all three
name their cookies differently.
"""

import ipaddress
import secrets
import socket

import msgspec
import psutil

from compose.cluster import PublicListener
from compose.supervision.ports import bindable, free_ports
from loadtests.workshop.contract import SIDES, SideName
from shared.errors import EnvironmentNotReady, PortTaken, UsageError

SEATS_OF_ONE_ADDRESS = 4  # browsers that may join from one other machine: in a room each has an address of its own
LOOPBACK, EVERYWHERE = "127.0.0.1", ("0.0.0.0", "::")
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another one when it is read from a wall
CODE_LENGTH = 6  # 900 million codes, and ten wrong ones a minute: see `JoinThrottle`
ROOM_PORTS = range(8080, 9000, 100)  # the first of three that are free; round ones, since a room types it
OF_CONTAINERS = ("docker", "br-", "veth", "virbr", "cni", "podman")  # interfaces that lead to no room
ELSEWHERE = "192.0.2.1"  # documentation's own (RFC 5737): nothing is sent there, only asked which way it would go


class ListenAddress(msgspec.Struct, frozen=True):
    """Where it listens, and what everybody but the instructor must know."""

    host: str = LOOPBACK
    port: int = 0
    """The dashboard's; 0: any that is free."""
    join_code: str = ""
    """ "": nothing; only this machine can ask."""
    shop_ports: tuple[int, ...] = ()
    """Left, then right, all rounds long; none of a recorded run."""

    seats_of_one_address: int = SEATS_OF_ONE_ADDRESS
    """How many browsers of one other machine may join."""

    @property
    def room_url(self) -> str:
        """Where a room joins; "" if it was not opened to one."""
        return f"http://{self.room_name}:{self.port}/join" if self.join_code else ""

    @property
    def room_name(self) -> str:
        """By which a browser of the room calls it."""
        return next(iter(_addresses()), LOOPBACK) if self.host in EVERYWHERE else _in_a_url(self.host)

    @property
    def allowed_hosts(self) -> tuple[str, ...]:
        """All names by which browsers may call it."""
        room = (*_addresses(), socket.gethostname()) if self.host in EVERYWHERE else (_in_a_url(self.host),)
        return tuple(dict.fromkeys((LOOPBACK, "localhost", "[::1]", *room)))

    def shop(self, side: SideName) -> PublicListener:
        """Where people reach that side's shop."""
        return PublicListener(self.host, self.shop_ports[SIDES.index(side)], self.allowed_hosts, f"{side} shop")

    def check(self) -> None:
        """Make sure that one can listen there.

        Raises:
            PortTaken: somebody else does.
            EnvironmentNotReady: this machine has no such address, or not for us.
        """
        bindable(self.host, self.port, "dashboard")
        for port in self.shop_ports:
            bindable(self.host, port, "shop")


def listen_address(host: str, port: int = 0, seats_of_one_address: int = SEATS_OF_ONE_ADDRESS) -> ListenAddress:
    """That address; opened to a room, they have a new join code. The shops are at the two ports behind the dashboard's.

    Raises:
        UsageError: a port beyond the last one.
    """
    if port > 65_533:  # the two behind it are the shops'
        raise UsageError(f"port {port} leaves none for the shops", next_step="choose one up to 65533")
    if is_loopback(host):
        # Chosen now, and not by the system in each round: an open tab keeps its shop all workshop long.
        return ListenAddress(host, port, "", (port + 1, port + 2) if port else tuple(free_ports(len(SIDES))))
    code = new_code(CODE_LENGTH)
    first = port or _first_port(host)
    return ListenAddress(host, first, code, (first + 1, first + 2), seats_of_one_address)


def room_address() -> str:
    """The address by which other devices reach this machine: where its way out begins, or the only network it has.

    Raises:
        EnvironmentNotReady: it has none.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            asked.connect((ELSEWHERE, 9))  # of UDP: sends nothing, and binds the address that it would be sent from
            found = str(asked.getsockname()[0])
        except OSError:  # no way out: a room without internet
            found = ""
    if found and not is_loopback(found):
        return found
    for address in _addresses():
        return address
    raise EnvironmentNotReady(
        "this machine is in no network that other devices could reach",
        why="it has no address but its own",
        next_step="join the room's network, or open a hotspot; or name an address: --listen ADDRESS",
    )


def own_name(host: str) -> str:
    """By which a browser on this machine calls what listens at that address."""
    return LOOPBACK if host in EVERYWHERE else _in_a_url(host)


def new_code(length: int) -> str:
    """So many letters of chance, to be read from a wall and typed on a phone."""
    return "".join(secrets.choice(LETTERS) for _ in range(length))


def is_loopback(host: str) -> bool:
    """Whether only this machine can ask there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _first_port(host: str) -> int:
    for first in ROOM_PORTS:
        try:
            for port in range(first, first + 1 + len(SIDES)):
                bindable(host, port, "workshop")
        except PortTaken:  # anything else (no such address) is wrong at every port
            continue
        return first
    raise PortTaken(
        "no three ports in a row are free", why=f"{ROOM_PORTS[0]} to {ROOM_PORTS[-1]} were tried",
        next_step="name the first one: --port N",
    )  # fmt: skip


def _in_a_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _addresses() -> tuple[str, ...]:
    """This machine's IPv4 addresses, without those that only itself or its containers can reach."""
    found = [
        address.address
        for name, addresses in psutil.net_if_addrs().items()
        if not name.startswith(OF_CONTAINERS)
        for address in addresses
        if address.family == socket.AF_INET and not is_loopback(address.address)
    ]
    return tuple(found)
