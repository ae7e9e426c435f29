"""For those who watch the node and do not shop: no session, no log. The balancer lets nobody through to `/-/`."""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from flask import Blueprint, Response, request
from werkzeug.exceptions import NotFound

from shared.sessions import Injection, fingerprint
from shared.shop.answers import RequestRefused, json_answer
from shared.shop.counter import Counter, counter

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

blueprint = Blueprint("watch", __name__)
_decode_injection = msgspec.json.Decoder(Injection).decode


@blueprint.get("/healthz")
def healthz() -> Response:
    """Alive, and which life this is; if the node was told to look deeper, whether it can be of use to a shopper."""
    shop = counter()
    ok = not shop.settings.deep_health or shop.store.reachable()
    told = {"ok": ok, "node": shop.settings.node, "run": shop.settings.run, "boot": shop.boot}
    return json_answer(told, 200 if ok else 503)


@blueprint.get("/-/sessions")
def sessions() -> Response:
    """The logged-in sessions in this process's memory, for whom knows the control token."""
    shop = _opened()
    return json_answer(
        {"node": shop.settings.node, "boot": shop.boot, "store": shop.store.kind, "sessions": shop.store.held()}
    )


@blueprint.get("/-/state")
def state() -> Response:
    """What this process is and what is injected into it."""
    shop = _opened()
    settings = shop.settings
    return json_answer(
        {
            "node": settings.node,
            "boot": shop.boot,
            "pid": os.getpid(),
            "pids": _pids(settings.node_workers),
            "key": fingerprint(settings.secret_key),
            "fallback": fingerprint(settings.fallback_key) if settings.fallback_key else "",
            "clock_us": shop.injection.clock_us(),
            "trouble": shop.injection.now,
            "workers": settings.node_workers,
            "format": settings.session_format,
        }
    )


@blueprint.put("/-/trouble")
def trouble() -> Response:
    """Suffer from this, from the next request on, and from nothing else."""
    shop = _opened()
    try:
        told = _decode_injection(request.get_data())
    except msgspec.DecodeError as error:
        raise RequestRefused(400, "bad_trouble", str(error)) from error
    shop.injection.now = told  # one assignment: a thread in the middle of an answer sees the old one or the new one
    shop.store.apply(told)
    return json_answer({"node": shop.settings.node, "trouble": told})


@blueprint.post("/-/users/<user>/end")
def end_user(user: str) -> Response:
    """End all sessions of that user that can be ended from this node."""
    _opened().store.revoke_user(user)
    return json_answer({"user": user})


@blueprint.post("/-/users/<user>/disable")
def disable_user(user: str) -> Response:
    """Let the user log in no more, and end the user's sessions."""
    shop = _opened()
    if not shop.accounts.disable(user):
        raise RequestRefused(404, "no_such_user", "there is no such user")
    shop.store.revoke_user(user)
    return json_answer({"user": user})


def _opened() -> Counter:
    """The counter, for whom knows the control token; for all others there is no such page."""
    shop = counter()
    token, shown = shop.settings.control_token, request.headers.get("X-Control-Token", "")
    # As bytes: compare_digest raises for a text that is not ASCII, and a header may be one.
    if not token or not hmac.compare_digest(shown.encode(), token.encode()):
        raise NotFound
    return shop


def _pids(workers: int) -> list[int]:
    """All processes that serve this node's address: the server's main process has no other children."""
    if workers > 1:
        try:
            parent = os.getppid()
            return sorted(map(int, Path(f"/proc/{parent}/task/{parent}/children").read_text().split()))
        except OSError:
            pass  # not on this system
    return [os.getpid()]


@blueprint.get("/metrics")
def metrics() -> Response:
    """All of it. Counts the sessions in memory, which takes time where there are many."""
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

    registry = CollectorRegistry()  # not the library's own, which all shops in a process would share
    registry.register(_Told(counter()))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class _Told:
    """What the node tells when it is asked."""

    def __init__(self, shop: Counter) -> None:
        self._shop = shop

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: the registry would collect everything twice."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Who it is, what it holds, what it has answered."""
        from prometheus_client.metrics_core import GaugeMetricFamily, InfoMetricFamily

        shop = self._shop
        who = {"node": shop.settings.node, "boot": shop.boot, "twin": shop.twin, "store": shop.store.kind}
        yield InfoMetricFamily("twinshop_node", "Which node this is.", who)
        yield GaugeMetricFamily("twinshop_sessions_held", "Logins in this process's memory.", len(shop.store.held()))
        yield from shop.tally.collect()
