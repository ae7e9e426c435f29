"""Envoy's configuration, as data: the same for every engine. Field names are Envoy's v3 API (1.40).

Membership and routes are files of their own, which Envoy watches: to change them, write a new one and rename it. The
listener stays as it is, so no connection is dropped. Where nobody is there to write them (the compose files by hand),
membership is a name, looked up every second, and the routes stand in the listener.
Envoy adds nothing of its own to what is measured: no retries, no limits on connections, no panic mode.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from compose.balancers.contract import RECOMMENDED, Member, Site, Variant, affinity_cookie, retries_of, ring_cookie
from compose.changes import Balancing
from compose.cluster import ClusterSpec
from compose.supervision.ports import Listen

Json = dict[str, Any]
ENDPOINTS_FILE, ROUTES_FILE = "endpoints.json", "routes.json"
CLUSTER = "nodes"
"""What Envoy calls the nodes of the shop."""
NAME = "shop"
AFFINITY_FILTER = "envoy.filters.http.stateful_session"
IN_TURN = "in_turn"
"""Our own mark on a route without affinity, by which Envoy's admin address says so."""
FORMAT = {
    "at_us": "%START_TIME(%s%6f)%",
    "id": "%REQ(X-REQUEST-ID)%",
    "method": "%REQ(:METHOD)%",
    "path": "%REQ(:PATH)%",
    "status": "%RESPONSE_CODE%",
    "flags": "%RESPONSE_FLAGS%",
    "node": "%UPSTREAM_METADATA(twinshop:node)%",
    "took_us": "%COMMON_DURATION(DS_RX_BEG:DS_TX_END:us)%",
    "details": "%RESPONSE_CODE_DETAILS%",
    "connection": "%CONNECTION_ID%",
}
"""Envoy's `json_format` for our record. `node` comes from what Envoy knows of the host it picked, not from the answer;
`connection` numbers the clients' connections since this start of Envoy: a browser is the same one as long as it keeps
its connection, whatever the shop takes it for."""
_TYPE = "type.googleapis.com/envoy"
_FILTERS = "extensions.filters"
_NO_LIMIT = 1_000_000
_POLICIES = {"least-request": "LEAST_REQUEST", "hash": "RING_HASH", "address": "RING_HASH"}


def written(document: Json) -> bytes:
    """As Envoy, and a person, can read it."""
    return msgspec.json.format(msgspec.json.encode(document))


def _typed(kind: str, **fields: Any) -> Json:
    return {"@type": f"{_TYPE}.{kind}", **fields}


def _extension(name: str, kind: str, **fields: Any) -> Json:
    return {"name": name, "typed_config": _typed(kind, **fields)}


def _seconds(value: float) -> str:
    return f"{value:.3f}s"


def _address(listen: Listen) -> Json:
    return {"socket_address": {"address": listen.host, "port_value": listen.port}}


def _watched(site: Site, file: str) -> Json:
    return {"resource_api_version": "V3", "path_config_source": {"path": str(site.folder / file)}}


def _cookie(name: str, **more: str) -> Json:
    # As long as the browser lives. Envoy itself makes it HttpOnly.
    return {"name": name, "path": "/", **more, "attributes": [{"name": "SameSite", "value": "Lax"}]}


STRICT = Variant("strict", "strict")
"""Whose cookie names a node that is out of rotation is answered 503, and not by another node."""


def bootstrap(site: Site, *, nodes: Listen | None = None, variant: Variant = RECOMMENDED) -> bytes:
    """What Envoy is started with; with `nodes`, an address behind whose name all nodes are, nothing else is needed."""
    spec = site.spec
    return written(
        {
            "node": {"id": spec.run, "cluster": spec.architecture.name},
            "admin": {"address": _address(site.admin)},
            "static_resources": {
                "listeners": [_listener(site, watch=nodes is None, variant=variant)],
                "clusters": [_as_shipped(_cluster(site, nodes)) if variant.as_shipped else _cluster(site, nodes)],
            },
        }
    )


def _listener(site: Site, *, watch: bool, variant: Variant) -> Json:
    manager = "network.http_connection_manager"
    http = _extension(
        f"envoy.filters.{manager}",
        f"{_FILTERS}.{manager}.v3.HttpConnectionManager",
        **_http(site, watch=watch, variant=variant),
    )
    return {
        "name": "shop",
        "address": _address(site.listen),
        # Otherwise a second balancer could share the port without a word.
        "enable_reuse_port": False,
        "filter_chains": [{"filters": [http]}],
    }


def _http(site: Site, *, watch: bool, variant: Variant) -> Json:
    log = {**FORMAT, **({"answered_by": f"%RESP({site.http.node_header.upper()})%"} if site.http.node_header else {})}
    return {
        "stat_prefix": "shoppers",
        "codec_type": "HTTP1",
        "server_header_transformation": "PASS_THROUGH",
        "skip_xff_append": True,
        # The three logs agree by the shopper's request id: it passes untouched, and comes back with every answer.
        "preserve_external_request_id": True,
        "always_set_request_id_in_response": True,
        "request_id_extension": {
            "typed_config": _typed("extensions.request_id.uuid.v3.UuidRequestIdConfig", pack_trace_reason=False)
        },
        "access_log": [
            _extension(
                "envoy.access_loggers.file",
                "extensions.access_loggers.file.v3.FileAccessLog",
                path=str(site.access_log),
                log_format={"json_format": log},
            )
        ],
        "http_filters": [
            *_affinity(site.spec, strict=variant is STRICT),
            _extension("envoy.filters.http.router", f"{_FILTERS}.http.router.v3.Router", suppress_envoy_headers=True),
        ],
        **(
            {"rds": {"route_config_name": NAME, "config_source": _watched(site, ROUTES_FILE)}}
            if watch
            else {"route_config": _routes(site, Balancing())}
        ),
    }


def _affinity(spec: ClusterSpec, *, strict: bool) -> list[Json]:
    if spec.architecture.affinity != "cookie":
        return []
    state = _extension(
        "envoy.http.stateful_session.cookie",
        "extensions.http.stateful_session.cookie.v3.CookieBasedSessionState",
        cookie=_cookie(affinity_cookie(spec)),
    )
    # Not `strict` by itself: when the cookie's node is out of rotation another one is picked, and its cookie set.
    kind = f"{_FILTERS}.http.stateful_session.v3.StatefulSession"
    return [_extension(AFFINITY_FILTER, kind, session_state=state, **({"strict": True} if strict else {}))]


def _cluster(site: Site, nodes: Listen | None) -> Json:
    spec, limits = site.spec, site.spec.limits
    options = "extensions.upstreams.http.v3.HttpProtocolOptions"
    return {
        "name": CLUSTER,
        **_membership(site, nodes),
        # A node that is taken out of the file is out at once, not only once it also fails its health check.
        "ignore_health_on_host_removal": True,
        "lb_policy": _POLICIES.get(spec.architecture.affinity, "ROUND_ROBIN"),
        "connect_timeout": _seconds(limits.balancer_connect_timeout_s),
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
            f"envoy.{options}": _typed(
                options,
                # Below the node's keep-alive: a node must never close a connection under a new request.
                common_http_protocol_options={"idle_timeout": _seconds(limits.balancer_upstream_idle_s)},
                explicit_http_config={"http_protocol_options": {}},
            )
        },
        "health_checks": [_health_check(site)],
    }


def _as_shipped(cluster: Json) -> Json:
    """Without what is set beside addresses and policy: no health checks, and times and limits of its own."""
    ours = ("ignore_health_on_host_removal", "connect_timeout", "common_lb_config", "circuit_breakers", "health_checks")
    return {name: value for name, value in cluster.items() if name not in ours}


def _membership(site: Site, nodes: Listen | None) -> Json:
    if nodes is None:
        return {"type": "EDS", "eds_cluster_config": {"eds_config": _watched(site, ENDPOINTS_FILE)}}
    looked_up = _typed(
        "extensions.clusters.dns.v3.DnsCluster",
        dns_refresh_rate="1s",
        dns_lookup_family="V4_ONLY",
        # Each address that the name has is a node of its own.
        all_addresses_in_single_endpoint=False,
    )
    hosts = [{"endpoint": {"address": _address(nodes)}}]
    return {
        "cluster_type": {"name": "envoy.cluster.dns", "typed_config": looked_up},
        "load_assignment": {"cluster_name": CLUSTER, "endpoints": [{"lb_endpoints": hosts}]},
    }


def _health_check(site: Site) -> Json:
    limits = site.spec.limits
    interval = _seconds(limits.health_interval_s)
    return {
        "timeout": _seconds(limits.health_timeout_s),
        "interval": interval,
        # Of their own accord these are 60 s, and nothing would be healthy at the start.
        "no_traffic_interval": interval,
        "no_traffic_healthy_interval": interval,
        "healthy_threshold": 1,
        "unhealthy_threshold": limits.unhealthy_after,
        "http_health_check": {"path": site.http.health, "host": CLUSTER},
    }


def endpoints(members: Iterable[Member]) -> bytes:
    """The membership file. The name of each node travels with it, into the access log."""
    assignment = _typed(
        "config.endpoint.v3.ClusterLoadAssignment",
        cluster_name=CLUSTER,
        endpoints=[{"lb_endpoints": [_host(member) for member in members]}],
    )
    return written({"resources": [assignment]})


def _host(member: Member) -> Json:
    host: Json = {
        "endpoint": {"address": _address(member.address)},
        "metadata": {"filter_metadata": {"twinshop": {"node": member.node}}},
    }
    if member.draining:
        host["health_status"] = "DRAINING"
    if member.weight != 1:
        host["load_balancing_weight"] = member.weight
    return host


def routes_file(site: Site, balancing: Balancing) -> bytes:
    """The file with the routes."""
    return written({"resources": [_typed("config.route.v3.RouteConfiguration", **_routes(site, balancing))]})


def _routes(site: Site, balancing: Balancing) -> Json:
    http, limits = site.http, site.spec.limits
    run = {"header": {"key": http.run_header, "value": site.spec.run}, "append_action": "ADD_IF_ABSENT"}
    private = [{"match": {"prefix": http.private}, "direct_response": {"status": 404}}] if http.private else []
    shop = {
        "name": NAME,
        "domains": ["*"],
        # Answers that Envoy makes itself (503, 404) carry the run's id too; a node's own word is left as it is.
        "response_headers_to_add": [run] if http.run_header else [],
        "routes": [
            *private,
            *(_to_nodes(site, balancing, {"path": path}, timeout_s=0.0) for path in http.streams),
            _to_nodes(site, balancing, {"prefix": "/"}, timeout_s=limits.balancer_route_timeout_s),
        ],
    }
    return {"name": NAME, "virtual_hosts": [shop]}


def _to_nodes(site: Site, balancing: Balancing, match: Json, *, timeout_s: float) -> Json:
    spec = site.spec
    action: Json = {"cluster": CLUSTER, "timeout": _seconds(timeout_s)}
    retries = retries_of(site, balancing)
    if retries:
        action["retry_policy"] = _retries(retries)
    route: Json = {"match": match, "route": action}
    if hashed := _hashed(spec, balancing.affinity):
        action["hash_policy"] = hashed
    if not balancing.affinity:
        route["metadata"] = {"filter_metadata": {"twinshop": {IN_TURN: True}}}
        if spec.architecture.affinity == "cookie":
            off = _typed(f"{_FILTERS}.http.stateful_session.v3.StatefulSessionPerRoute", disabled=True)
            route["typed_per_filter_config"] = {AFFINITY_FILTER: off}
    return route


def _retries(retries: int) -> Json:
    kind = "extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
    return {
        "retry_on": "5xx,reset,connect-failure",
        "num_retries": retries,
        "retry_host_predicate": [_extension("envoy.retry_host_predicates.previous_hosts", kind)],
        # On a ring the next node may be some steps away.
        "host_selection_retry_max_attempts": "8",
    }


def _hashed(spec: ClusterSpec, affinity: bool) -> list[Json]:
    """What of a request decides its place on the ring; nothing where there is no ring."""
    if spec.architecture.affinity not in ("hash", "address"):
        return []
    if not affinity:  # a place of its own for each request: a ring has no "next in turn"
        return [{"header": {"header_name": "x-request-id"}}]
    if spec.architecture.affinity == "hash":
        # Without a lifetime Envoy would make no cookie; with 0 s it makes one that lives as long as the browser.
        return [{"cookie": _cookie(ring_cookie(spec), ttl="0s")}]
    return [
        {"header": {"header_name": "x-forwarded-for"}, "terminal": True},
        {"connection_properties": {"source_ip": True}},
    ]
