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
from compose.supervision.ledger import Ledger
from shared.errors import EnvironmentNotReady

_TRIES = 5
_FIRST = 10
"""The first address we hand out: those below are the gateway's."""


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
            return str(ipaddress.ip_network(self.range)[_FIRST + number])
        except IndexError:
            raise EnvironmentNotReady(
                f"the network {self.name} has no address left",
                why=f"its range is {self.range}",
                next_step="give Docker larger ranges: `default-address-pools` in its daemon.json",
            ) from None


def find_network(engine: docker.APIClient, name: str) -> Network:
    """The network of that name, made earlier.

    Raises:
        EnvironmentNotReady: there is none.
    """
    with asking(f"describe the network {name}"):
        return Network(name, str(engine.inspect_network(name)["IPAM"]["Config"][0]["Subnet"]))


def make_network(engine: docker.APIClient, ledger: Ledger, address: str, *, cluster: str) -> Network:
    """Make the network of that cluster.

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
        return Network(name, str(config["Subnet"]))
    raise AssertionError("unreachable")
