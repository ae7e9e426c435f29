"""What every page needs: who served it, where the session lives, and rules for the browser."""

import hashlib
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from flask import Flask, Response, request, session

from shared.shop.counter import counter
from shared.shop.identity import current_cart, known_user
from shared.shop.request_notes import current_notes

_STATIC = Path(__file__).parent / "static"

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
# Only where a script is: the shop's other pages need none, and so may hold none.
_POLICY_WITH_SCRIPT = f"{_POLICY}; script-src 'self'; connect-src 'self'"
_WITH_SCRIPT = frozenset({"orders.orders"})

_WHY_LOST = {
    "memory": "Sessions live in the memory of one node here. The one that knew you is gone, or this is another one.",
    "token": "Here the session is your cookie. Its signature was not accepted, or its time is over.",
    "denylist": "Here the session is your cookie. Its signature was not accepted, its time is over, or it was revoked.",
    "refresh": "Here the session is your cookie, for a short time; what renews it was refused.",
    "replicated": "Every node keeps all sessions in its memory here, and tells the others. None of them has yours.",
    "redis": "Sessions live in Redis here, and every node asks it. It has lost yours, or your time is over.",
}


def install(app: Flask) -> None:
    """Make these known to the templates and the answers."""
    app.context_processor(_on_every_page)
    app.jinja_env.filters.update(money=money, moment=_moment)
    app.jinja_env.globals["asset"] = asset
    app.after_request(_protect_pages)


def money(cents: int) -> str:
    """A price as people write it."""
    return f"€ {cents // 100:,}.{cents % 100:02d}"


def lost_session() -> bool:
    """Whether the browser came with a session that is not known here."""
    return (
        counter().settings.cookie_name in request.cookies
        and not session
        and not session.modified  # emptied by this very request: then nobody has lost it
        and not current_notes().outage
    )


@cache
def asset(name: str) -> str:
    """The address of a picture or style sheet; it changes with the content, so that browsers may keep it."""
    digest = hashlib.sha256((_STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


def _moment(at_us: int, form: str) -> str:
    return datetime.fromtimestamp(at_us // 1_000_000, UTC).strftime(form)


def _on_every_page() -> dict[str, object]:
    shop, cart, name = counter(), current_cart(), counter().settings.cookie_name
    return {
        "node": shop.settings.node,
        "title": shop.settings.shop_title,
        "where": shop.store.where,
        "theme": shop.twin.removesuffix("_app"),
        "customer": known_user(),
        "cart": cart,
        "in_cart": sum(cart.values()),
        "lost": lost_session(),
        "why_lost": _WHY_LOST.get(shop.store.kind, ""),
        "cookie_bytes": len(name) + len(request.cookies.get(name, "")),
    }


def _protect_pages(response: Response) -> Response:
    if response.mimetype == "text/html":
        live = request.endpoint in _WITH_SCRIPT
        response.headers["Content-Security-Policy"] = _POLICY_WITH_SCRIPT if live else _POLICY
        response.headers["Referrer-Policy"] = "same-origin"
    return response
