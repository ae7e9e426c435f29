"""Where each part is inside of a cluster's network, and where the wires listen."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Mapping

import msgspec

from compose.cluster import BALANCER, REPLICA, SENTINEL, STORE, WIRES, ClusterSpec, wire_ends
from compose.engines.cluster_file import server_url
from compose.supervision.ports import Listen
from shared.errors import EnvironmentNotReady, UsageError

DATABASE = "database"  # a container too, but no part that can be struck: both twins rest on it alike
BALANCER_PORT, PUBLIC_PORT, ADMIN_PORT, NODE_PORT, STORE_PORT, DATABASE_PORT = 8080, 8081, 9901, 8000, 6379, 5432
SENTINEL_PORT, WIRES_PORT, PEER_PORT = 26379, 8002, 8001
FIRST_WIRE_PORT = 7000
SPARE_WIRES = 3  # so many nodes can be added to a cluster with wires
FIRST_ADDRESS = 10  # in the network: those below are the gateway's, and of what a service rests on
_NUMBERS = {BALANCER: 0, DATABASE: 1, STORE: 2, REPLICA: 3, SENTINEL: 4, WIRES: 5}
_PORTS = {BALANCER: BALANCER_PORT, DATABASE: DATABASE_PORT, STORE: STORE_PORT, REPLICA: STORE_PORT}
_PORTS |= {SENTINEL: SENTINEL_PORT, WIRES: WIRES_PORT}


class Network(msgspec.Struct, frozen=True):
    """A network, and the addresses in it."""

    name: str
    range: str
    """As in "172.20.0.0/16"."""

    def address(self, number: int) -> str:
        """The address of that number, from 0 on.

        Raises:
            EnvironmentNotReady: the engine gives out ranges too small for so many.
        """
        try:
            return str(ipaddress.ip_network(self.range)[FIRST_ADDRESS + number])
        except IndexError:
            raise EnvironmentNotReady(
                f"the network {self.name} has no address left",
                why=f"its range is {self.range}",
                next_step="give Docker larger ranges: `default-address-pools` in its daemon.json",
            ) from None


def node_port(spec: ClusterSpec) -> int:
    """Where a node listens inside of its container."""
    described = spec.application
    return described.service.port if described is not None and described.service is not None else NODE_PORT


def inside(network: Network, part: str, spec: ClusterSpec) -> str:
    """Where other parts reach that one, as a URL: the same for the life of the cluster."""
    if part in _NUMBERS:
        return Listen(network.address(_NUMBERS[part]), _PORTS[part]).url
    # Behind all that may be there, so that it does not depend on which architecture has which parts.
    return Listen(network.address(len(_NUMBERS) + int(part.removeprefix("n"))), node_port(spec)).url


def peers(spec: ClusterSpec, inside_urls: Mapping[str, str], nodes: Iterable[str]) -> dict[str, str]:
    """Where these nodes listen for each other (host:port), if they tell each other of sessions."""
    if spec.architecture.store != "replicated":
        return {}
    return {node: f"{Listen.at(inside_urls[node]).host}:{PEER_PORT}" for node in nodes}


def wire_port(end: str) -> int:
    """Where the wires listen for that end, inside."""
    return FIRST_WIRE_PORT + (0 if end == REPLICA else int(end.removeprefix("n")))


def spare_wires(spec: ClusterSpec) -> list[int]:
    """The ports inside of wires for nodes that may be added; none where nodes have no wires."""
    new = [f"n{spec.nodes + more}" for more in range(1, SPARE_WIRES + 1)]
    return [wire_port(node) for node in new if node in wire_ends(spec, new)]


def new_wire(spec: ClusterSpec, node: str, published: Callable[[str, int], int | None]) -> dict[str, str]:
    """Where a node that is being added reaches the store, if through a wire, by its name.

    `published`: the port of this machine that leads to that one of a part's container.

    Raises:
        UsageError: no wire is spare.
    """
    if node not in wire_ends(spec, [node]):
        return {}
    port = published(WIRES, wire_port(node))
    if port is None:
        raise UsageError(
            f"there is no wire for {node}",
            why=f"{SPARE_WIRES} are spare: a container's ports are chosen when it is made",
            next_step="start a cluster with more nodes",
        )
    return {node: server_url(port)}
