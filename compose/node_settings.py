"""The environment of a node (`shared.shop.settings` reads it): the same for every engine."""

from __future__ import annotations

from compose.cluster import ClusterSpec


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
) -> dict[str, str]:
    """Every setting of that node, by variable."""
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
        "SESSION_LIFETIME_S": str(limits.session_lifetime_s),
        "SESSION_CAP": str(limits.session_cap),
        "SESSION_REFRESH_EACH_REQUEST": "1" if limits.session_refresh_each_request else "0",
        "STORE_TIMEOUT_S": str(limits.store_timeout_s),
        "STORE_RETRIES": str(limits.store_retries),
        "PASSWORD_COST": str(limits.password_cost),
        "NODE_THREADS": str(limits.node_threads),
    }
    if store_url:
        settings["REDIS_URL"] = store_url
    return {f"TWINSHOP_{name}": value for name, value in settings.items()}
