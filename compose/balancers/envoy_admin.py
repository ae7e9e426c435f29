"""What the balancer says of the nodes, asked through its admin API."""

from __future__ import annotations

import msgspec

from compose.balancers.envoy_routes import IN_TURN
from compose.balancers.envoy_words import CLUSTER
from compose.changes import Balancing
from compose.probes.http import ask


class HostState(msgspec.Struct, frozen=True):
    """One node, by the balancer's word."""

    address: str
    """host:port"""
    trouble: tuple[str, ...]
    """Why it is out of rotation, in Envoy's words (failed_active_health_check, …); empty: it is in."""

    @property
    def in_rotation(self) -> bool:
        """Whether the balancer sends shoppers there."""
        return not self.trouble


class _Socket(msgspec.Struct):
    address: str
    port_value: int


class _Address(msgspec.Struct):
    socket_address: _Socket


class _Host(msgspec.Struct):
    address: _Address
    health_status: dict[str, bool | str]


class _Cluster(msgspec.Struct):
    name: str
    host_statuses: list[_Host] = msgspec.field(default_factory=list)


class _Clusters(msgspec.Struct):
    cluster_statuses: list[_Cluster] = msgspec.field(default_factory=list)


class _Retries(msgspec.Struct):
    num_retries: int = 0


class _Action(msgspec.Struct):
    retry_policy: _Retries = msgspec.field(default_factory=_Retries)


class _Metadata(msgspec.Struct):
    filter_metadata: dict[str, dict[str, object]] = {}


class _Route(msgspec.Struct):
    route: _Action | None = None
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)


class _VirtualHost(msgspec.Struct):
    routes: list[_Route] = []


class _RouteConfig(msgspec.Struct):
    virtual_hosts: list[_VirtualHost] = []


class _Dumped(msgspec.Struct):
    route_config: _RouteConfig = msgspec.field(default_factory=_RouteConfig)


class _Dump(msgspec.Struct):
    configs: list[_Dumped] = []


def balancing_now(admin_url: str, *, within_s: float = 0.3) -> Balancing | None:
    """How the balancer says that it routes, retries as a number; None if it has no routes yet.

    Raises:
        Unanswered: the balancer's admin address does not answer.
    """
    answer = ask(f"{admin_url}/config_dump?resource=dynamic_route_configs", within_s=within_s)
    dump = msgspec.json.decode(answer.body, type=_Dump)
    hosts = [host for config in dump.configs for host in config.route_config.virtual_hosts]
    for route in [route for host in hosts for route in host.routes]:
        if route.route is not None:
            in_turn = route.metadata.filter_metadata.get("twinshop", {}).get(IN_TURN, False)
            return Balancing(not in_turn, route.route.retry_policy.num_retries)
    return None


def host_states(admin_url: str, *, within_s: float = 0.3) -> dict[str, HostState]:
    """Every node that the balancer knows, by its address (host:port).

    Raises:
        Unanswered: the balancer's admin address does not answer.
    """
    answer = ask(f"{admin_url}/clusters?format=json", within_s=within_s)
    document = msgspec.json.decode(answer.body, type=_Clusters)
    hosts = [host for cluster in document.cluster_statuses if cluster.name == CLUSTER for host in cluster.host_statuses]
    states = [_state(host) for host in hosts]
    return {state.address: state for state in states}


def _state(host: _Host) -> HostState:
    socket = host.address.socket_address
    flags = [name for name, value in host.health_status.items() if value is True]
    named = host.health_status.get("eds_health_status", "HEALTHY")
    if named != "HEALTHY":
        flags.append(str(named).lower())
    return HostState(f"{socket.address}:{socket.port_value}", tuple(flags))
