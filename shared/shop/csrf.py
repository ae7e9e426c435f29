"""Against forged writes: a form needs a token; JSON does not, as a foreign page cannot send it without a preflight.

A login may also come from a page of this very host on another port: a workshop's dashboard, which knows the account of
whoever looks at it. Browsers say which page sends a form (`Origin`), and no page can say that it is another one.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, request
from flask_wtf.csrf import CSRFError, CSRFProtect

from shared.shop.answers import JSON, RequestRefused, not_logged_in, wants_json
from shared.shop.identity import known_user
from shared.shop.visit import is_quiet

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_protect = CSRFProtect()


def install(app: Flask) -> None:
    """Check every write. Forms are signed with the node's key, and accepted with the one before it."""
    # In this order: itsdangerous accepts all of them, and signs with the last.
    app.config["WTF_CSRF_SECRET_KEY"] = [*(app.config["SECRET_KEY_FALLBACKS"] or ()), app.config["SECRET_KEY"]]
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False  # it would ask JSON for a token, too: `_check` decides
    app.config["WTF_CSRF_TIME_LIMIT"] = None  # a token is good for as long as the session that it is in
    _protect.init_app(app)
    app.before_request(_check)


def _check() -> None:
    if request.method in _READS or request.mimetype == JSON or request.endpoint is None or is_quiet(request.path):
        return
    if request.endpoint == "entrance.login" and _from_this_host():
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
