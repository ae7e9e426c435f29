"""The network of a cluster: one of its own, with addresses that we may choose.

Docker gives a container an address of our choice only in a network whose range we chose. Which range is free, Docker
knows better than we do (other networks, routes of the machine), so it is asked for one first.
"""

from __future__ import annotations

import ipaddress

import docker
import msgspec
from docker.errors import APIError
from docker.types import IPAMConfig, IPAMPool

from compose.containers.api import asking
from compose.containers.labels import labels
from compose.ledger import Ledger

_TRIES = 5
_FIRST = 10
"""The first address we hand out: those below are the gateway's."""


class Network(msgspec.Struct, frozen=True):
    """A network, and the addresses in it."""

    name: str
    addresses: tuple[str, ...]


def make_network(engine: docker.APIClient, ledger: Ledger, address: str, *, cluster: str, count: int) -> Network:
    """Make the network of that cluster, with addresses for that many parts.

    Raises:
        EnvironmentNotReady: the engine refuses, or has no range left.
    """
    name = f"twinshop-{ledger.run}-{cluster}"
    marks = labels(ledger.run, cluster, "network")
    for attempt in range(_TRIES):
        ledger.making(f"network {name}", address)
        with asking("make a network"):
            made = engine.create_network(name, driver="bridge", labels=marks, check_duplicate=True)
            config = engine.inspect_network(made["Id"])["IPAM"]["Config"][0]
            engine.remove_network(made["Id"])
            try:
                pool = IPAMPool(subnet=config["Subnet"], gateway=config.get("Gateway"))
                ipam = IPAMConfig(pool_configs=[pool])
                engine.create_network(name, driver="bridge", labels=marks, check_duplicate=True, ipam=ipam)
            except APIError as error:
                if "overlaps" in str(error.explanation) and attempt + 1 < _TRIES:
                    ledger.made(f"network {name}")  # somebody else took the range in between: again
                    continue
                raise
        ledger.made(f"network {name}")
        first = ipaddress.ip_network(config["Subnet"])[_FIRST]
        return Network(name, tuple(str(first + number) for number in range(count)))
    raise AssertionError("unreachable")
