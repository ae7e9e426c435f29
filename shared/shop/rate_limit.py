"""Limits on what one user may ask for, and on how often one address may be wrong about a password.

The first with Flask-Limiter; its counters are state too: each node's, or the store's. The second is each node's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import request
from werkzeug.exceptions import TooManyRequests

from shared.shop.visit import current_visit, is_quiet

if TYPE_CHECKING:
    from flask import Flask, Response
    from limits import RateLimitItem

    from shared.shop.settings import Settings


LOGIN = "entrance.login"


def install(app: Flask, settings: Settings) -> None:
    """Limit all pages together, for each user; without a limit nothing is even loaded: it takes 0.2 s."""
    if settings.login_failures:
        LoginThrottle(settings.login_failures).install(app)
    if not settings.rate_limit:
        return
    from flask_limiter import Limiter

    where, options = _counters(settings)
    limiter = Limiter(
        _who,
        application_limits=[settings.rate_limit],
        storage_uri=where,
        storage_options=options,
        strategy="fixed-window",
    )
    limiter.request_filter(_is_free)
    limiter.init_app(app)


class LoginThrottle:
    """Who was wrong too often is not even heard for a while: also not with the right password, or they could go on.

    Nobody else has to wait for that. Where no balancer passes an address on, nobody is throttled.
    """

    def __init__(self, allowed: str) -> None:
        from limits import parse_many  # not loaded by nodes that have no limit
        from limits.storage import MemoryStorage
        from limits.strategies import FixedWindowRateLimiter

        self._allowed: list[RateLimitItem] = parse_many(allowed)
        self._wrong = FixedWindowRateLimiter(MemoryStorage())

    def install(self, app: Flask) -> None:
        """Look at each login."""
        app.before_request(self._check)
        app.after_request(self._count)

    def _check(self) -> None:
        if not (request.method == "POST" and request.endpoint == LOGIN and (address := _address())):
            return
        if not all(self._wrong.test(each, address) for each in self._allowed):
            raise TooManyRequests("too many wrong passwords from there: wait a minute")

    def _count(self, response: Response) -> Response:
        if current_visit().wrong_password and (address := _address()):
            for each in self._allowed:
                self._wrong.hit(each, address)
        return response


def _who() -> str:
    """The user, or for a stranger the address that the balancer passed on."""
    visit = current_visit()
    return f"user {visit.user}" if visit.user else f"address {_address()}"


def _address() -> str:
    # The last one, which our own balancer wrote; what stands before it, whoever asks may have made up.
    return request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()


def _is_free() -> bool:
    """Watchers and pictures are; and strangers behind a balancer that passes no address on: all would be one."""
    if is_quiet(request.path) or request.path.startswith("/static/"):
        return True
    visit = current_visit()
    return visit.outage or (not visit.user and not _address())


def _counters(settings: Settings) -> tuple[str, dict[str, Any]]:
    """Where they are, and how long to wait for it."""
    if settings.rate_limit_counters == "node":
        return "memory://", {}
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    patience: dict[str, Any] = {
        "socket_timeout": settings.store_timeout_s,
        "socket_connect_timeout": settings.store_timeout_s,
        "retry": Retry(NoBackoff(), settings.store_retries),
    }
    if settings.sentinel:
        # `shop`, as `stateless_app.sessions.MASTER`, which this floor cannot import.
        return f"redis+sentinel://{settings.sentinel}/shop", {**patience, "sentinel_kwargs": patience}
    return settings.redis_url, patience
