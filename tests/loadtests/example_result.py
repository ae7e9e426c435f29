"""One architecture's result in which nothing happened: a start for tests that change a field or two."""

from __future__ import annotations

from loadtests.model.results import (
    ActionBook,
    ArchitectureResult,
    Costs,
    ItemBook,
    Latency,
    LogoutCounts,
    Percentiles,
    Reconciliation,
    UserBook,
)

_WAITS = Percentiles(0, 0.0, 0.0, 0.0, 0.0)

UNEVENTFUL = ArchitectureResult(
    verdict="as predicted",
    reasons=(),
    shoppers=60,
    at_risk=0,
    served_by_victim=0,
    logged_out=LogoutCounts(0, 0, 0),
    logged_out_before_fault=0,
    carts_lost=0,
    items_lost=0,
    carts_rolled_back=0,
    wrong_user=0,
    orders_lost=0,
    orders_duplicated=0,
    still_logged_in=0,
    sessions_shared=0,
    counts={},
    actions=ActionBook(0, 0, 0, 0, 0, 0),
    users=UserBook(60, 60, 0, 0),
    items=ItemBook(0, 0, 0, 0, 0, 0, 0),
    seconds_without_service=0.0,
    latency_ms=Latency(_WAITS, _WAITS),
    costs=Costs(),
    losses=(),
    predictions=(),
    reconciliation=Reconciliation(0, 0, 0, (), 0, None),
    experiment=(),
    facts_checked=0,
    books_balance=True,
)
