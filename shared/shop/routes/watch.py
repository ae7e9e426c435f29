"""For those who watch the node and do not shop: no session, no log, never through the balancer's `/-/`."""

from __future__ import annotations

import hmac

from flask import Blueprint, Response, request
from werkzeug.exceptions import NotFound

from shared.shop.answers import json_answer
from shared.shop.counter import counter

blueprint = Blueprint("watch", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """Alive, and which life this is."""
    shop = counter()
    return json_answer({"ok": True, "node": shop.settings.node, "run": shop.settings.run, "boot": shop.boot})


@blueprint.get("/-/sessions")
def sessions() -> Response:
    """The logged-in sessions in this node's memory, for whom knows the control token."""
    shop = counter()
    token, shown = shop.settings.control_token, request.headers.get("X-Control-Token", "")
    if not token or not hmac.compare_digest(shown.encode(), token.encode()):
        raise NotFound
    return json_answer(
        {"node": shop.settings.node, "boot": shop.boot, "store": shop.store.kind, "sessions": shop.store.held()}
    )
