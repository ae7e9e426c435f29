"""Puts the shop together, around whichever session store a twin brings."""

import secrets
import threading
from datetime import timedelta
from pathlib import Path

from flask import Flask, Response
from werkzeug.exceptions import RequestEntityTooLarge

from shared.request_log import RequestLog
from shared.sessions import SessionStore
from shared.shop import answers, database, pages, protection
from shared.shop.answers import RequestRefused, not_logged_in, refusal, store_unavailable, wants_json
from shared.shop.counter import EXTENSION, Counter
from shared.shop.database import Accounts, Orders
from shared.shop.metrics import RequestTally
from shared.shop.middleware import Desks, InjectionMiddleware, NodeInjection, Stamp
from shared.shop.request_notes import current_notes
from shared.shop.routes import entrance, goods, orders, watch
from shared.shop.session_guard import SessionGuard, note_outage
from shared.shop.settings import Settings

_LARGEST_BODY = 16 * 1024


def create_shop(store: SessionStore, settings: Settings, *, twin: str) -> Flask:
    """One node of the shop, as a WSGI application.

    Args:
        store: where its sessions live.
        settings: everything else that can differ from node to node.
        twin: `stateful_app` or `stateless_app`.
    """
    app = Flask("shared.shop")
    app.config.update(_flask_settings(settings))
    engine = database.connect(settings.database_url, threads=settings.node_threads)
    shop = Counter(
        settings=settings,
        store=store,
        accounts=Accounts(engine, cost=settings.password_cost),
        orders=Orders(engine),
        injection=NodeInjection(),
        tally=RequestTally(),
        streams=threading.BoundedSemaphore(orders.MOST_STREAMS),
        boot=settings.boot or secrets.token_hex(6),
        twin=twin,
    )
    app.extensions[EXTENSION] = shop
    _install_sessions(app, store, settings)
    answers.install(app)
    app.register_error_handler(RequestRefused, _refused)
    protection.check_writes(app)
    pages.install(app)
    protection.limit_requests(app, settings)
    for part in (goods, entrance, orders, watch):
        app.register_blueprint(part.blueprint)
    _wrap(app, shop)
    return app


def _wrap(app: Flask, shop: Counter) -> None:
    """What stands around Flask, from the inside: who waits, what goes wrong on purpose, what is told of it."""
    settings = shop.settings
    log = RequestLog(Path(settings.request_log)) if settings.request_log else None
    # Around the desks: an answer that is delayed on purpose must not hold a desk that others wait for.
    injected = InjectionMiddleware(Desks(app.wsgi_app, settings.node_threads), shop.injection)
    stamp = Stamp(
        injected, node=settings.node, run=settings.run, boot=shop.boot, cookie=settings.cookie_name, tally=shop.tally,
        log=log,
    )  # fmt: skip
    app.wsgi_app = stamp  # type: ignore[method-assign]


def _flask_settings(settings: Settings) -> dict[str, object]:
    return {
        "SECRET_KEY": settings.secret_key,
        "SECRET_KEY_FALLBACKS": [settings.fallback_key] if settings.fallback_key else None,
        "SESSION_COOKIE_NAME": settings.cookie_name,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",  # by "Strict", whoever follows a link from elsewhere would be a stranger
        "PERMANENT_SESSION_LIFETIME": timedelta(seconds=settings.session_lifetime_s),
        "SESSION_REFRESH_EACH_REQUEST": settings.session_refresh_each_request,
        "MAX_CONTENT_LENGTH": _LARGEST_BODY,
        "SEND_FILE_MAX_AGE_DEFAULT": timedelta(days=1),  # pictures: `pages.asset` gives a changed one another address
    }


def _install_sessions(app: Flask, store: SessionStore, settings: Settings) -> None:
    # The guard wraps whatever interface the store has just set.
    store.install(app)
    SessionGuard(app.session_interface, store, cart_lock=settings.cart_lock).install(app)
    app.before_request(_refuse_at_once)
    for outage in store.outages:
        app.register_error_handler(outage, _store_down)


def _refuse_at_once() -> None:
    if current_notes().too_large:
        raise RequestEntityTooLarge
    if current_notes().outage:
        raise store_unavailable()


def _store_down(error: Exception) -> Response:
    note_outage(current_notes(), error)
    return refusal(store_unavailable())


def _refused(error: RequestRefused) -> Response:
    # A browser is led to the login page; a program is told 401 and decides for itself.
    stranger = error.word == not_logged_in().word and not wants_json()
    return entrance.stranger_page(error) if stranger else refusal(error)
