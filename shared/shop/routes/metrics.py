"""`GET /metrics`: what this process counts, for Prometheus. No session, no log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Blueprint, Response

from shared.shop.counter import Counter, counter

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics")
def metrics() -> Response:
    """All of it. Counts the sessions in memory, which takes time where there are many."""
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

    registry = CollectorRegistry()
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
