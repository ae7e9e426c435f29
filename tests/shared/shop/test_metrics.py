"""What Prometheus is told: what was really answered, and nothing of those who only watch."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from shared.request_log import read_request_log
from shared.shop.metrics import BOUNDS_US, RequestTally
from tests.shared.shops import Node, node

LABELS = ("method", "route", "status", "le", "node", "twin", "store")


def samples(shop: Node) -> dict[tuple[str, tuple[str, ...]], float]:
    answer = shop.visitor().get("/metrics")
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain; version=")
    return {
        (sample.name, tuple(sample.labels[name] for name in LABELS if name in sample.labels)): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_what_was_answered(tmp_path: Path) -> None:
    shop = node(tmp_path, "memory")
    visitor = shop.visitor().login()
    for sku in ("acorn", "bell", "nothing"):
        visitor.ask("DELETE", f"/cart/{sku}")
    visitor.get("/nowhere")
    visitor.get("/healthz")
    visitor.get("/products", **{"X-Request-Id": "probe-1"})
    samples(shop)
    told = samples(shop)
    requests = {labels: value for (name, labels), value in told.items() if name == "twinshop_requests_total"}
    assert requests == {
        ("POST", "/login", "200"): 1,
        ("DELETE", "/cart/<sku>", "200"): 2,
        ("DELETE", "/cart/<sku>", "404"): 1,
        ("GET", "(none)", "404"): 1,
    }
    assert told["twinshop_sessions_held", ()] == 1
    assert told["twinshop_store_outages_total", ()] == 0
    assert told["twinshop_request_seconds_count", ("/cart/<sku>",)] == 3
    assert told["twinshop_request_seconds_bucket", ("/cart/<sku>", "+Inf")] == 3
    assert told["twinshop_node_info", ("n1", "stateful_app", "memory")] == 1
    assert not any("/metrics" in record.path for record in read_request_log(shop.log) if hasattr(record, "path"))


def test_a_store_that_is_away(tmp_path: Path) -> None:
    shop = node(tmp_path, "redis", redis_url="redis://127.0.0.1:1/0", store_timeout_s=0.2)
    visitor = shop.visitor()
    visitor.client.set_cookie("session", "x")
    assert visitor.get("/me").status_code == 503
    told = samples(shop)
    assert told["twinshop_store_outages_total", ()] == 1
    assert told["twinshop_requests_total", ("GET", "/me", "503")] == 1


@pytest.mark.parametrize(("took_us", "first"), [(0, 0), (1_000, 0), (1_001, 1), (2_500_000, 10), (9_000_000, 11)])
def test_a_time_is_in_its_bucket_and_all_above(took_us: int, first: int) -> None:
    tally = RequestTally()
    tally.count("GET", "/me", 200, took_us)
    family = next(each for each in tally.collect() if each.name == "twinshop_request_seconds")
    buckets = [sample.value for sample in family.samples if sample.name.endswith("_bucket")]
    assert buckets == [0] * first + [1] * (len(BOUNDS_US) + 1 - first)
    (total,) = [sample.value for sample in family.samples if sample.name.endswith("_sum")]
    assert total == pytest.approx(took_us / 1e6)


def test_counting_costs_next_to_nothing() -> None:
    def cost_s() -> float:
        tally, started = RequestTally(), time.thread_time()
        for _ in range(1_000):
            tally.count("GET", "/me", 200, 700)
        return (time.thread_time() - started) / 1_000

    assert min(cost_s() for _ in range(10)) < 20e-6, "the best of ten: others may be using the processor"
