"""Envoy's configuration, as data: the same for every engine. Field names are Envoy's v3 API (1.40).

Membership and routes are files of their own, which Envoy watches: to change them, write a new one and rename it. The
listener stays as it is, so no connection is dropped. Where nobody is there to write them (the compose files by hand),
membership is a name, looked up every second, and the routes stand in the listener.
Envoy adds nothing of its own to what is measured: no retries, no limits on connections, no panic mode.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from compose.balancers.contract import Member, Site, affinity_cookie, retries_of, ring_cookie
from compose.cluster import Balancing, ClusterSpec
from compose.supervision.ports import Listen

Json = dict[str, Any]
ENDPOINTS_FILE, ROUTES_FILE, PUBLIC_ROUTES_FILE = "endpoints.json", "routes.json", "public-routes.json"
CLUSTER = "nodes"  # what Envoy calls the nodes of the shop
NAME, PUBLIC = "shop", "public"  # of the listeners, and of their routes
AFFINITY_FILTER = "envoy.filters.http.stateful_session"
IN_TURN = "in_turn"  # our own mark on a route without affinity, by which Envoy's admin address says so
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
_REQUEST_ID = "extensions.request_id.uuid.v3.UuidRequestIdConfig"
_NO_LIMIT = 1_000_000
_LIMITS = ("max_connections", "max_pending_requests", "max_requests", "max_retries")
PUBLIC_CONNECTIONS = 4_000  # at a time, through the public listener
# Requests of one address: so many at once, and so many a second from then on. A page takes three or four.
PUBLIC_BURST, PUBLIC_PER_S = 120, 30
PUBLIC_ADDRESSES, PUBLIC_BODY = 1_000, 16_384  # addresses that are counted for themselves; bytes of a request's body
# How long a person's browser may take to say its headers and all of a request, and be silent between requests.
HEADERS_WITHIN_S, REQUEST_WITHIN_S, PUBLIC_IDLE_S = 5.0, 10.0, 30.0
_POLICIES = {"least-request": "LEAST_REQUEST", "hash": "RING_HASH", "address": "RING_HASH"}


def written(document: Json) -> bytes:
    """As Envoy, and a person, can read it."""
    return msgspec.json.format(msgspec.json.encode(document))


def _typed(kind: str, **fields: Any) -> Json:
    return {"@type": f"{_TYPE}.{kind}", **fields}


def _extension(name: str, kind: str, **fields: Any) -> Json:
    return {"name": name, "typed_config": _typed(kind, **fields)}


def _filter(kind: str, message: str, **fields: Any) -> Json:
    return _extension(f"envoy.filters.{kind}", f"extensions.filters.{kind}.v3.{message}", **fields)


def _seconds(value: float) -> str:
    return f"{value:.3f}s"


def _address(listen: Listen) -> Json:
    return {"socket_address": {"address": listen.host, "port_value": listen.port}}


def _watched(site: Site, file: str) -> Json:
    return {"resource_api_version": "V3", "path_config_source": {"path": str(site.folder / file)}}


def _cookie(name: str, **more: str) -> Json:
    # As long as the browser lives. Envoy itself makes it HttpOnly.
    return {"name": name, "path": "/", **more, "attributes": [{"name": "SameSite", "value": "Lax"}]}


def bootstrap(site: Site, *, nodes: Listen | None = None) -> bytes:
    """What Envoy is started with; with `nodes`, an address behind whose name all nodes are, nothing else is needed."""
    spec = site.spec
    resources = {"listeners": _listeners(site, watch=nodes is None), "clusters": [_cluster(site, nodes)]}
    return written(
        {
            "node": {"id": spec.run, "cluster": spec.architecture.name},
            "admin": {"address": _address(site.admin)},
            "static_resources": resources,
        }
    )


def _listeners(site: Site, *, watch: bool) -> list[Json]:
    found = [_listener(NAME, site.listen, [], _http(site, ROUTES_FILE if watch else ""))]
    if site.public is not None:
        limits = {"stat_prefix": PUBLIC, "max_connections": PUBLIC_CONNECTIONS}
        limited = _filter("network.connection_limit", "ConnectionLimit", **limits)
        found.append(_listener(PUBLIC, site.public, [limited], _public_http(site)))
    return found


def _listener(name: str, listen: Listen, filters: list[Json], http: Json) -> Json:
    manager = _filter("network.http_connection_manager", "HttpConnectionManager", **http)
    return {
        "name": name,
        "address": _address(listen),
        "enable_reuse_port": False,  # or a second balancer could share the port without a word
        "filter_chains": [{"filters": [*filters, manager]}],
    }


def _http(site: Site, routes: str) -> Json:
    """What both listeners have in common, and the shoppers' own; `routes`: the file with them, "": they stand here."""
    return {
        "stat_prefix": "shoppers",
        "codec_type": "HTTP1",
        "server_header_transformation": "PASS_THROUGH",  # or a node's answers would say "envoy", as its own do
        "skip_xff_append": True,  # the header is a shopper's word for where they come from, and rings go by it
        # Otherwise `/%2d/` and `//-/` would be other paths than `/-/` here, and the same ones for a node.
        "normalize_path": True,
        "merge_slashes": True,
        # The three logs agree by the shopper's request id: it passes untouched, and comes back with every answer.
        "preserve_external_request_id": True,
        "always_set_request_id_in_response": True,
        # Otherwise it would write into the id itself whether the request is traced.
        "request_id_extension": {"typed_config": _typed(_REQUEST_ID, pack_trace_reason=False)},
        "access_log": [_access_log(site, FORMAT)],
        "http_filters": [*_affinity(site.spec), _filter("http.router", "Router", suppress_envoy_headers=True)],
        **({"rds": _rds(NAME, site, routes)} if routes else {"route_config": _routes(site, Balancing())}),
    }


def _rds(name: str, site: Site, file: str) -> Json:
    return {"route_config_name": name, "config_source": _watched(site, file)}


def _public_http(site: Site) -> Json:
    """For people's browsers: who they are and what they may ask is not for them to say, nor how long it may take."""
    common = _http(site, ROUTES_FILE)
    # A node hears of a request when it has come as a whole: who is slow keeps none of its threads.
    whole = _filter("http.buffer", "Buffer", max_request_bytes=PUBLIC_BODY)
    return {
        **common,
        "stat_prefix": PUBLIC,
        "rds": _rds(PUBLIC, site, PUBLIC_ROUTES_FILE),
        "path_with_escaped_slashes_action": "REJECT_REQUEST",  # a route would see one path in it, a node another
        # The peer is whoever connects, whatever a header says; and a request's id is ours, so that it can be logged,
        # and is never taken for a shopper's.
        "use_remote_address": True,
        "preserve_external_request_id": False,
        "request_headers_timeout": _seconds(HEADERS_WITHIN_S),
        "request_timeout": _seconds(REQUEST_WITHIN_S),
        "stream_idle_timeout": _seconds(2 * PUBLIC_IDLE_S),
        "common_http_protocol_options": {"idle_timeout": _seconds(PUBLIC_IDLE_S)},
        "access_log": [_access_log(site, {**FORMAT, "path": "%PATH(NQ)%"})],
        "http_filters": [_rate_limit(), whole, *common["http_filters"]],
    }


def _access_log(site: Site, line: dict[str, str]) -> Json:
    header = site.http.node_header
    return _extension(
        "envoy.access_loggers.file",
        "extensions.access_loggers.file.v3.FileAccessLog",
        path=str(site.access_log),
        log_format={"json_format": {**line, **({"answered_by": f"%RESP({header.upper()})%"} if header else {})}},
    )


def _rate_limit() -> Json:
    """For each address by itself."""
    # Of its own accord it counts nobody (enabled), and lets everybody through (enforced).
    always = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
    each = {"max_tokens": PUBLIC_BURST, "tokens_per_fill": PUBLIC_PER_S, "fill_interval": "1s"}
    return _filter(
        "http.local_ratelimit",
        "LocalRateLimit",
        stat_prefix=PUBLIC,
        # For all together, which the filter wants too: never empty.
        token_bucket={"max_tokens": _NO_LIMIT, "tokens_per_fill": _NO_LIMIT, "fill_interval": "1s"},
        filter_enabled=always,
        filter_enforced=always,
        descriptors=[{"entries": [{"key": "remote_address"}], "token_bucket": each}],
        max_dynamic_descriptors=PUBLIC_ADDRESSES,
        rate_limits=[{"actions": [{"remote_address": {}}]}],
    )


def _affinity(spec: ClusterSpec) -> list[Json]:
    if spec.architecture.affinity != "cookie":
        return []
    lasts = {"ttl": f"{spec.limits.affinity_cookie_s}s"} if spec.limits.affinity_cookie_s else {}
    state = _extension(
        "envoy.http.stateful_session.cookie",
        "extensions.http.stateful_session.cookie.v3.CookieBasedSessionState",
        cookie=_cookie(affinity_cookie(spec), **lasts),
    )
    # Not `strict`: when the cookie's node is out of rotation another one is picked, and its cookie set.
    return [_filter("http.stateful_session", "StatefulSession", session_state=state)]


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
            "healthy_panic_threshold": {"value": 0},  # or dead nodes would be sent shoppers when most are down
            # With the default of 1 s, changes of health reach the routing up to 1 s after the admin API tells of them.
            "update_merge_window": "0s",
            # Whom a cookie leads to a node that is being drained is still sent there; others are not.
            "override_host_status": {"statuses": ["UNKNOWN", "HEALTHY", "DEGRADED", "DRAINING"]},
        },
        # Of its own accord it repeats at most three at a time: who is the fourth to meet a dead node is not retried.
        "circuit_breakers": {"thresholds": [dict.fromkeys(_LIMITS, _NO_LIMIT)]},
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
    hosts = {"cluster_name": CLUSTER, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(nodes)}}]}]}
    return {"cluster_type": {"name": "envoy.cluster.dns", "typed_config": looked_up}, "load_assignment": hosts}


def _health_check(site: Site) -> Json:
    limits = site.spec.limits
    interval = _seconds(limits.health_interval_s)
    return {
        "timeout": _seconds(limits.health_timeout_s),
        "interval": interval,
        "no_traffic_interval": interval,  # of its own accord 60 s: nothing would be healthy at the start
        "no_traffic_healthy_interval": interval,
        "healthy_threshold": 1,
        "unhealthy_threshold": limits.unhealthy_after,
        "http_health_check": {"path": site.http.health, "host": site.http.host},
    }


def endpoints(members: Iterable[Member]) -> bytes:
    """The membership file. The name of each node travels with it, into the access log."""
    hosts = [{"lb_endpoints": [_host(member) for member in members]}]
    assignment = _typed("config.endpoint.v3.ClusterLoadAssignment", cluster_name=CLUSTER, endpoints=hosts)
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
    """The file with the routes of shoppers."""
    return _in_a_file(_routes(site, balancing))


def public_routes_file(site: Site, balancing: Balancing) -> bytes:
    """The file with the routes of people's browsers: the same ones, to what the application serves them only."""
    public = site.spec.public
    assert public is not None
    limit_s = site.spec.limits.balancer_route_timeout_s
    # A route for each: Envoy takes no long expressions.
    served = [{"safe_regex": {"regex": pattern}} for pattern in site.http.public]
    address = {"key": "x-forwarded-for", "value": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"}
    host = {
        **_host_of(site, PUBLIC, [f"{name}:{public.port}" for name in public.names]),
        # In place of what a browser says there: the shop throttles by it.
        "request_headers_to_add": [{"header": address, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}],
        "routes": [
            *_streams(site, balancing),
            *(_to_nodes(site, balancing, match, timeout_s=limit_s) for match in served),
            _nothing("/"),
        ],
    }
    return _in_a_file({"name": PUBLIC, "virtual_hosts": [host]})


def _in_a_file(routes: Json) -> bytes:
    return written({"resources": [_typed("config.route.v3.RouteConfiguration", **routes)]})


def _routes(site: Site, balancing: Balancing) -> Json:
    everything = _to_nodes(site, balancing, {"prefix": "/"}, timeout_s=site.spec.limits.balancer_route_timeout_s)
    private = [_nothing(site.http.private)] if site.http.private else []
    routes = [*private, *_streams(site, balancing), everything]
    return {"name": NAME, "virtual_hosts": [{**_host_of(site, NAME, ["*"]), "routes": routes}]}


def _host_of(site: Site, name: str, domains: list[str]) -> Json:
    # Answers that Envoy makes itself (503, 404) carry the run's id too; a node's own word is left as it is.
    run = {"header": {"key": site.http.run_header, "value": site.spec.run}, "append_action": "ADD_IF_ABSENT"}
    return {"name": name, "domains": domains, "response_headers_to_add": [run] if site.http.run_header else []}


def _nothing(prefix: str) -> Json:
    return {"match": {"prefix": prefix}, "direct_response": {"status": 404}}


def _streams(site: Site, balancing: Balancing) -> list[Json]:
    # 0: no limit. A stream ends when whoever watches goes.
    return [_to_nodes(site, balancing, {"path": path}, timeout_s=0.0) for path in site.http.streams]


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
            off = _typed("extensions.filters.http.stateful_session.v3.StatefulSessionPerRoute", disabled=True)
            route["typed_per_filter_config"] = {AFFINITY_FILTER: off}
    return route


def _retries(retries: int) -> Json:
    kind = "extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
    return {
        "retry_on": "5xx,reset,connect-failure",
        "num_retries": retries,
        "retry_host_predicate": [_extension("envoy.retry_host_predicates.previous_hosts", kind)],
        "host_selection_retry_max_attempts": "8",  # on a ring the next node may be some steps away
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
        {"header": {"header_name": "x-forwarded-for"}, "terminal": True},  # terminal: where it stands, it alone counts
        {"connection_properties": {"source_ip": True}},
    ]
