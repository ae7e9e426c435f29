"""Whom the shop refuses before any page is asked: forged writes, and who asks too much or is wrong too often.

A form needs a token; JSON does not, as a foreign page cannot send it without a preflight. A login may also come from a
page of this very host on another port: a workshop's dashboard, which knows the account of whoever looks at it. Browsers
say which page sends a form (`Origin`), and no page can say that it is another one.

What one user may ask for is bounded with Flask-Limiter; its counters are state too: each node's, or the store's. How
often one address may be wrong about a password, each node counts for itself.
"""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Flask, Response, request
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import TooManyRequests

from shared.shop.answers import JSON, RequestRefused, not_logged_in, wants_json
from shared.shop.identity import known_user
from shared.shop.request_notes import current_notes, is_quiet
from shared.shop.settings import SENTINEL_MASTER, Settings, redis_patience

if TYPE_CHECKING:
    from limits import RateLimitItem

_LOGIN = "entrance.login"
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_protect = CSRFProtect()


def check_writes(app: Flask) -> None:
    """Check every write. Forms are signed with the node's key, and accepted with the one before it."""
    # In this order: itsdangerous accepts all of them, and signs with the last.
    app.config["WTF_CSRF_SECRET_KEY"] = [*(app.config["SECRET_KEY_FALLBACKS"] or ()), app.config["SECRET_KEY"]]
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False  # it would ask JSON for a token, too: `_check_write` decides
    app.config["WTF_CSRF_TIME_LIMIT"] = None  # a token is good for as long as the session that it is in
    _protect.init_app(app)
    app.before_request(_check_write)


def _check_write() -> None:
    if request.method in _READS or request.mimetype == JSON or request.endpoint is None or is_quiet(request.path):
        return
    if request.endpoint == _LOGIN and _from_this_host():
        return
    # A program that sends a form by mistake is told what to send, and not of a token that it never heard of.
    if wants_json() and "csrf_token" not in request.form and "X-CSRFToken" not in request.headers:
        raise RequestRefused(415, "unsupported_media_type", "send writes as Content-Type: application/json")
    try:
        _protect.protect()
    except CSRFError as error:
        raise _refusal(error) from error


def _from_this_host() -> bool:
    try:
        origin, host = urlsplit(request.headers.get("Origin", "")), urlsplit(f"http://{request.host}")
    except ValueError:  # of an address that is none
        return False
    return origin.scheme == "http" and bool(host.hostname) and origin.hostname == host.hostname


def _refusal(error: CSRFError) -> RequestRefused:
    """The token lives in the session: a shop that has forgotten the session cannot recognise its own form."""
    if not known_user() and not wants_json():
        return not_logged_in()
    return RequestRefused(400, "csrf_failed", error.description or "the form could not be verified")


def limit_requests(app: Flask, settings: Settings) -> None:
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
        if not (request.method == "POST" and request.endpoint == _LOGIN and (address := _address())):
            return
        if not all(self._wrong.test(each, address) for each in self._allowed):
            raise TooManyRequests("too many wrong passwords from there: wait a minute")

    def _count(self, response: Response) -> Response:
        if current_notes().wrong_password and (address := _address()):
            for each in self._allowed:
                self._wrong.hit(each, address)
        return response


def _who() -> str:
    """The user, or for a stranger the address that the balancer passed on."""
    notes = current_notes()
    return f"user {notes.user}" if notes.user else f"address {_address()}"


def _address() -> str:
    # The last one, which our own balancer wrote; what stands before it, whoever asks may have made up.
    return request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()


def _is_free() -> bool:
    """Watchers and pictures are; and strangers behind a balancer that passes no address on: all would be one."""
    if is_quiet(request.path) or request.path.startswith("/static/"):
        return True
    notes = current_notes()
    return notes.outage or (not notes.user and not _address())


def _counters(settings: Settings) -> tuple[str, dict[str, Any]]:
    """Where they are, and how long to wait for it."""
    if settings.rate_limit_counters == "node":
        return "memory://", {}
    patience = redis_patience(settings)
    if settings.sentinel:
        return f"redis+sentinel://{settings.sentinel}/{SENTINEL_MASTER}", {**patience, "sentinel_kwargs": patience}
    return settings.redis_url, patience
