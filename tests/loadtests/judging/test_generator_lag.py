"""Who answers for an action that was not sent: the shop that kept the shopper waiting, or the load generator."""

from __future__ import annotations

import pytest

from loadtests.judging.latency import GeneratorLag
from loadtests.model.history import Do, Exchange
from loadtests.model.plan import ClientLimits


def waited(sent_s: float, done_s: float, do: Do = "cart", shopper: int = 1) -> Exchange:
    sent_us, done_us = round(sent_s * 1e6), round(done_s * 1e6)
    return Exchange("redis", shopper, "a-1", "plan", do, "ok", sent_us, sent_us, done_us, status=200)


def given_up(due_s: float, at_s: float, error: str = "late") -> Exchange:
    return Exchange(
        "redis", 1, "", "plan", "cart", "not_sent", round(due_s * 1e6), done_us=round(at_s * 1e6), error=error
    )


def late(*exchanges: Exchange) -> int:
    lateness = GeneratorLag(ClientLimits(late_ms=2000))
    for exchange in exchanges:
        lateness.add(exchange)
    return lateness.late


@pytest.mark.parametrize(
    ("exchanges", "count"),
    [
        pytest.param([given_up(3.0, 5.5)], 1, id="nothing kept the shopper"),
        pytest.param([waited(2.9, 5.5), given_up(3.0, 5.5)], 0, id="one answer took so long"),
        pytest.param(
            [waited(2.9, 4.0), waited(4.0, 5.5), given_up(3.0, 5.5)], 0, id="several did, one after the other"
        ),
        pytest.param([waited(2.9, 4.0), waited(3.1, 3.9), given_up(3.0, 6.5)], 1, id="side by side they count once"),
        pytest.param([waited(2.9, 3.4), given_up(3.0, 6.5)], 1, id="it explains a part of it only"),
        pytest.param([waited(0.0, 2.9), given_up(3.0, 5.5)], 1, id="it was over before the action was due"),
        pytest.param([waited(2.9, 5.5, shopper=2), given_up(3.0, 5.5)], 1, id="somebody else waited"),
        pytest.param([waited(0.0, 9.0, "watch"), given_up(3.0, 5.5)], 1, id="an event stream keeps nobody"),
        pytest.param([waited(2.9, 5.5), given_up(3.0, 5.5, "stopped")], 1, id="the load was ended"),
        pytest.param([given_up(3.0, 5.0)], 0, id="just as late as may be"),
        pytest.param([given_up(3.0, 5.000_001)], 1, id="later than that"),
        pytest.param([waited(4.0, 5.0), given_up(3.0, 6.0)], 0, id="one second before its wait and one after it"),
        pytest.param([waited(4.0, 5.0), given_up(3.0, 6.5)], 1, id="longer than that"),
        pytest.param([waited(2.9, 4.0), given_up(3.0, 6.0)], 0, id="it was on its way already"),
        pytest.param([waited(2.9, 3.0), given_up(3.0, 5.0)], 0, id="it was over just when the action was due"),
        pytest.param([waited(0.0, 2.5), given_up(0.0, 4.5)], 0, id="sent at the very beginning"),
        pytest.param([waited(3.0, 3.05), given_up(3.0, 5.05)], 0, id="an answer that took just so long"),
        pytest.param([waited(3.0, 3.049_999), given_up(3.0, 5.05)], 1, id="an answer that kept nobody"),
        pytest.param([given_up(3.0, 5.5), given_up(3.1, 5.5)], 2, id="twice"),
        pytest.param([given_up(3.0, 5.5, "not_logged_in")], 0, id="the shop did not let the shopper in"),
    ],
)
def test_who_answers_for_it(exchanges: list[Exchange], count: int) -> None:
    assert late(*exchanges) == count
