"""How the balancer picks the node of a request: its routes, as data, which can be changed while it runs.

They are a file of their own that Envoy watches, as the membership is: a change of routes drops no connection, because
the listener stays as it is. Where nobody would ever change them (the compose files by hand) they stand in the listener.
"""

from __future__ import annotations

import msgspec

from compose.balancers.envoy_words import CLUSTER, TYPE, Json, seconds
from compose.changes import Balancing
from compose.cluster import ClusterSpec

NAME = "shop"
AFFINITY_FILTER = "envoy.filters.http.stateful_session"
EVENT_STREAM = "/orders/progress"
"""Its answer takes as long as somebody watches: without a timeout, or the balancer would cut it."""
IN_TURN = "in_turn"
"""Our own mark on a route without affinity, by which the balancer's admin address says so."""


def affinity_cookie(spec: ClusterSpec) -> str:
    """The cookie that leads a shopper back to a node; each cluster its own, since cookies ignore ports."""
    return f"twinshop-node-{spec.architecture.name}-{spec.run}"


def ring_cookie(spec: ClusterSpec) -> str:
    """The cookie that the balancer hashes: it names no node, but always leads to the same place on the ring."""
    return f"twinshop-ring-{spec.architecture.name}-{spec.run}"


def routes_file(spec: ClusterSpec, balancing: Balancing) -> bytes:
    """The file that Envoy watches."""
    found = {"@type": f"{TYPE}.config.route.v3.RouteConfiguration", **routes(spec, balancing)}
    return msgspec.json.format(msgspec.json.encode({"resources": [found]}))


def routes(spec: ClusterSpec, balancing: Balancing) -> Json:
    """The same as it stands in a listener."""
    shop = {
        "name": NAME,
        "domains": ["*"],
        # Answers that Envoy makes itself (503, 404) carry the run's id too; a node's own word is left as it is.
        "response_headers_to_add": [
            {"header": {"key": "X-Run", "value": spec.run}, "append_action": "ADD_IF_ABSENT"},
        ],
        "routes": [
            {"match": {"prefix": "/-/"}, "direct_response": {"status": 404}},
            _to_nodes(spec, balancing, {"path": EVENT_STREAM}, timeout_s=0.0),
            _to_nodes(spec, balancing, {"prefix": "/"}, timeout_s=spec.limits.balancer_route_timeout_s),
        ],
    }
    return {"name": NAME, "virtual_hosts": [shop]}


def _to_nodes(spec: ClusterSpec, balancing: Balancing, match: Json, *, timeout_s: float) -> Json:
    limits = spec.limits
    action: Json = {"cluster": CLUSTER, "timeout": seconds(timeout_s)}
    retries = limits.balancer_retries if balancing.retries is None else balancing.retries
    if retries:
        action["retry_policy"] = _retries(retries)
    route: Json = {"match": match, "route": action}
    if hashed := _hashed(spec, balancing.affinity):
        action["hash_policy"] = hashed
    if not balancing.affinity:
        route["metadata"] = {"filter_metadata": {"twinshop": {IN_TURN: True}}}
        if spec.architecture.affinity == "cookie":
            off = {
                "@type": f"{TYPE}.extensions.filters.http.stateful_session.v3.StatefulSessionPerRoute",
                "disabled": True,
            }
            route["typed_per_filter_config"] = {AFFINITY_FILTER: off}
    return route


def _retries(retries: int) -> Json:
    return {
        "retry_on": "5xx,reset,connect-failure",
        "num_retries": retries,
        "retry_host_predicate": [
            {
                "name": "envoy.retry_host_predicates.previous_hosts",
                "typed_config": {"@type": f"{TYPE}.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"},
            }
        ],
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
        cookie = {
            "name": ring_cookie(spec),
            "path": "/",
            "ttl": "0s",
            "attributes": [{"name": "SameSite", "value": "Lax"}],
        }
        return [{"cookie": cookie}]
    return [
        {"header": {"header_name": "x-forwarded-for"}, "terminal": True},
        {"connection_properties": {"source_ip": True}},
    ]
