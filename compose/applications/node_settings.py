"""The environment of a node (`shared.shop.settings` reads it): the same for every engine."""

from __future__ import annotations

from compose.cluster import ClusterSpec

FROM_LIMITS = (
    "session_lifetime_s",
    "session_cap",
    "session_refresh_each_request",
    "store_timeout_s",
    "store_retries",
    "regenerate_at_login",
    "cart_lock",
    "idempotency_keys",
    "clock_leeway_s",
    "rate_limit",
    "rate_limit_counters",
    "slow_page_ms",
    "deep_health",
    "password_cost",
    "node_threads",
    "node_workers",
)
"""Limits that are settings of a node by the same name."""


def session_cookie(spec: ClusterSpec) -> str:
    """The shop's session cookie; each cluster its own, since cookies ignore ports."""
    return f"twinshop-{spec.architecture.name}-{spec.run}"


def node_environment(
    spec: ClusterSpec,
    node: str,
    *,
    database_url: str,
    secret_key: str,
    control_token: str,
    request_log: str,
    store_url: str = "",
    fallback_key: str = "",
    sentinel: str = "",
    replica_self: str = "",
    replica_peers: str = "",
) -> dict[str, str]:
    """Every setting of that node, by variable.

    Args:
        spec: the cluster's; its limits are most of the settings.
        node: its name.
        database_url: of accounts and orders.
        secret_key: signs tokens and forms.
        control_token: opens the node's control pages.
        request_log: the path of its request log, as the node sees it.
        store_url: of the session store, as this node reaches it.
        fallback_key: accepted beside `secret_key`, not used for signing.
        sentinel: host:port of who knows where the session store is.
        replica_self: host:port where this node listens for other nodes' sessions.
        replica_peers: host:port,host:port of the other nodes.
    """
    limits = spec.limits
    settings = {
        "NODE": node,
        "RUN": spec.run,
        "ARCHITECTURE": spec.architecture.name,
        "STORE": spec.architecture.store,
        "DATABASE_URL": database_url,
        "SECRET_KEY": secret_key,
        "CONTROL_TOKEN": control_token,
        "COOKIE_NAME": session_cookie(spec),
        "REQUEST_LOG": request_log,
        **{name.upper(): _written(getattr(limits, name)) for name in FROM_LIMITS},
    }
    where = {
        "REDIS_URL": store_url,
        "FALLBACK_KEY": fallback_key,
        "SENTINEL": sentinel,
        "REPLICA_SELF": replica_self,
        "REPLICA_PEERS": replica_peers,
    }
    settings |= {name: value for name, value in where.items() if value}
    return {f"TWINSHOP_{name}": value for name, value in settings.items()}


def _written(value: object) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)
