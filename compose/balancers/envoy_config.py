"""The balancer's configuration, as data: the same for every engine. Field names are Envoy's v3 API (1.40).

Membership is a file of its own (`endpoints`), which Envoy watches: to change it, write a new one and rename it. Where
nobody is there to write it (the compose files by hand), it is a name, looked up every second.
Envoy adds nothing of its own to what is measured: no retries, no limits on connections, no panic mode.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from compose.balancers.access_log import FORMAT
from compose.balancers.envoy_routes import AFFINITY_FILTER, NAME, affinity_cookie, routes
from compose.balancers.envoy_words import CLUSTER, TYPE, Json, seconds
from compose.changes import Balancing
from compose.cluster import ClusterSpec

__all__ = ["CLUSTER", "ENDPOINTS_FILE", "ROUTES_FILE", "Endpoint", "Listen", "configuration", "endpoints"]

ENDPOINTS_FILE, ROUTES_FILE = "endpoints.json", "routes.json"
"""The files that Envoy watches, in one folder."""
_NO_LIMIT = 1_000_000
_POLICIES = {"least-request": "LEAST_REQUEST", "hash": "RING_HASH", "address": "RING_HASH"}


class Listen(msgspec.Struct, frozen=True):
    """An address: 127.0.0.1 and a port here, other hosts in containers."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """As a client writes it."""
        return f"http://{self.host}:{self.port}"

    @classmethod
    def at(cls, url: str) -> Listen:
        """The address in a URL."""
        parts = urlsplit(url)
        return cls(parts.hostname or "", parts.port or 80)


class Endpoint(msgspec.Struct, frozen=True):
    """A node as the balancer reaches it."""

    node: str
    address: Listen
    draining: bool = False
    """Nobody is sent there whose affinity does not name it."""
    weight: int = 1


def configuration(
    spec: ClusterSpec,
    *,
    listen: Listen,
    admin: Listen,
    members: Path | Listen,
    access_log: Path,
    routing: Path | None = None,
) -> bytes:
    """Envoy's bootstrap configuration as JSON.

    Args:
        spec: the cluster's.
        listen: where shoppers come.
        admin: where it answers for itself.
        members: the file with the endpoints, or a name that has them.
        access_log: where a line for each request goes.
        routing: the file with the routes; None: they stand in the listener, and stay as they are.
    """
    return msgspec.json.format(
        msgspec.json.encode(
            {
                "node": {"id": spec.run, "cluster": spec.architecture.name},
                "admin": {"address": _address(admin)},
                "static_resources": {
                    "listeners": [_listener(spec, listen, access_log, routing)],
                    "clusters": [_cluster(spec, members)],
                },
            }
        )
    )


def endpoints(nodes: Iterable[Endpoint]) -> bytes:
    """The membership file. The name of each node travels with it, into the access log."""
    hosts = [_host(node) for node in nodes]
    assignment = {
        "@type": f"{TYPE}.config.endpoint.v3.ClusterLoadAssignment",
        "cluster_name": CLUSTER,
        "endpoints": [{"lb_endpoints": hosts}],
    }
    return msgspec.json.format(msgspec.json.encode({"resources": [assignment]}))


def _host(node: Endpoint) -> Json:
    host: Json = {
        "endpoint": {"address": _address(node.address)},
        "metadata": {"filter_metadata": {"twinshop": {"node": node.node}}},
    }
    if node.draining:
        host["health_status"] = "DRAINING"
    if node.weight != 1:
        host["load_balancing_weight"] = node.weight
    return host


def _address(listen: Listen) -> Json:
    return {"socket_address": {"address": listen.host, "port_value": listen.port}}


def _listener(spec: ClusterSpec, listen: Listen, access_log: Path, routing: Path | None) -> Json:
    return {
        "name": "shop",
        "address": _address(listen),
        # Otherwise a second balancer could share the port without a word.
        "enable_reuse_port": False,
        "filter_chains": [
            {
                "filters": [
                    {
                        "name": "envoy.filters.network.http_connection_manager",
                        "typed_config": _http(spec, access_log, routing),
                    }
                ]
            }
        ],
    }


def _http(spec: ClusterSpec, access_log: Path, routing: Path | None) -> Json:
    return {
        "@type": f"{TYPE}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "shoppers",
        "codec_type": "HTTP1",
        "server_header_transformation": "PASS_THROUGH",
        "skip_xff_append": True,
        # The three logs agree by the shopper's request id: it passes untouched, and comes back with every answer.
        "preserve_external_request_id": True,
        "always_set_request_id_in_response": True,
        "request_id_extension": {
            "typed_config": {
                "@type": f"{TYPE}.extensions.request_id.uuid.v3.UuidRequestIdConfig",
                "pack_trace_reason": False,
            }
        },
        "access_log": [
            {
                "name": "envoy.access_loggers.file",
                "typed_config": {
                    "@type": f"{TYPE}.extensions.access_loggers.file.v3.FileAccessLog",
                    "path": str(access_log),
                    "log_format": {"json_format": FORMAT},
                },
            }
        ],
        "http_filters": [*_affinity(spec), _router()],
        **_routing(spec, routing),
    }


def _routing(spec: ClusterSpec, routing: Path | None) -> Json:
    if routing is None:
        return {"route_config": routes(spec, Balancing())}
    return {"rds": {"route_config_name": NAME, "config_source": _watched(routing)}}


def _watched(file: Path) -> Json:
    return {"resource_api_version": "V3", "path_config_source": {"path": str(file)}}


def _affinity(spec: ClusterSpec) -> list[Json]:
    if spec.architecture.affinity != "cookie":
        return []
    cookie = {
        "name": affinity_cookie(spec),
        "path": "/",
        # No lifetime: as long as the browser. Envoy itself makes it HttpOnly.
        "attributes": [{"name": "SameSite", "value": "Lax"}],
    }
    state = {
        "name": "envoy.http.stateful_session.cookie",
        "typed_config": {
            "@type": f"{TYPE}.extensions.http.stateful_session.cookie.v3.CookieBasedSessionState",
            "cookie": cookie,
        },
    }
    # Not `strict`: when the cookie's node is out of rotation another one is picked, and its cookie set.
    return [
        {
            "name": AFFINITY_FILTER,
            "typed_config": {
                "@type": f"{TYPE}.extensions.filters.http.stateful_session.v3.StatefulSession",
                "session_state": state,
            },
        }
    ]


def _router() -> Json:
    return {
        "name": "envoy.filters.http.router",
        "typed_config": {
            "@type": f"{TYPE}.extensions.filters.http.router.v3.Router",
            "suppress_envoy_headers": True,
        },
    }


def _membership(members: Path | Listen) -> Json:
    if isinstance(members, Path):
        return {"type": "EDS", "eds_cluster_config": {"eds_config": _watched(members)}}
    hosts = [{"endpoint": {"address": _address(members)}}]
    looked_up = {
        "@type": f"{TYPE}.extensions.clusters.dns.v3.DnsCluster",
        "dns_refresh_rate": "1s",
        "dns_lookup_family": "V4_ONLY",
        # Each address that the name has is a node of its own.
        "all_addresses_in_single_endpoint": False,
    }
    return {
        "cluster_type": {"name": "envoy.cluster.dns", "typed_config": looked_up},
        "load_assignment": {"cluster_name": CLUSTER, "endpoints": [{"lb_endpoints": hosts}]},
    }


def _cluster(spec: ClusterSpec, members: Path | Listen) -> Json:
    limits = spec.limits
    return {
        "name": CLUSTER,
        **_membership(members),
        # A node that is taken out of the file is out at once, not only once it also fails its health check.
        "ignore_health_on_host_removal": True,
        "lb_policy": _POLICIES.get(spec.architecture.affinity, "ROUND_ROBIN"),
        "connect_timeout": seconds(limits.balancer_connect_timeout_s),
        "common_lb_config": {
            # With the default of 50 %, Envoy would send shoppers to dead nodes when most are down.
            "healthy_panic_threshold": {"value": 0},
            # With the default of 1 s, changes of health reach the routing up to 1 s after the admin API tells of them.
            "update_merge_window": "0s",
            # Whom a cookie leads to a node that is being drained is still sent there; others are not.
            "override_host_status": {"statuses": ["UNKNOWN", "HEALTHY", "DEGRADED", "DRAINING"]},
        },
        "circuit_breakers": {
            "thresholds": [{"max_connections": _NO_LIMIT, "max_pending_requests": _NO_LIMIT, "max_requests": _NO_LIMIT}]
        },
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": f"{TYPE}.extensions.upstreams.http.v3.HttpProtocolOptions",
                # Below the node's keep-alive: a node must never close a connection under a new request.
                "common_http_protocol_options": {"idle_timeout": seconds(limits.balancer_upstream_idle_s)},
                "explicit_http_config": {"http_protocol_options": {}},
            }
        },
        "health_checks": [_health_check(spec)],
    }


def _health_check(spec: ClusterSpec) -> Json:
    limits = spec.limits
    interval = seconds(limits.health_interval_s)
    return {
        "timeout": seconds(limits.health_timeout_s),
        "interval": interval,
        # Of their own accord these are 60 s, and nothing would be healthy at the start.
        "no_traffic_interval": interval,
        "no_traffic_healthy_interval": interval,
        "healthy_threshold": 1,
        "unhealthy_threshold": limits.unhealthy_after,
        "http_health_check": {"path": "/healthz", "host": CLUSTER},
    }
