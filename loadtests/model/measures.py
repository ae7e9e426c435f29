"""All that can be predicted of one architecture, by name: its definition, and how it is read from the results."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from loadtests.model.results import ArchitectureResult

Read = Callable[[ArchitectureResult], float | None]


class Measure(msgspec.Struct, frozen=True):
    """Something that a scenario can predict."""

    definition: str
    read: Read
    """None: it was not measured, or there is nothing of that kind."""


COUNTED: dict[str, Measure] = {
    "flickered": Measure(
        "Shoppers answered as strangers and then recognised again without a new login.",
        lambda it: it.counts.flickered.shoppers,
    ),
    "flickers": Measure("How often that happened.", lambda it: it.counts.flickered.events),
    "stalled": Measure(
        "Shoppers with at least one planned action answered ok more than 900 ms after it was sent.",
        lambda it: it.counts.stalled.shoppers,
    ),
    "stalls": Measure("Planned actions answered ok so late.", lambda it: it.counts.stalled.events),
    "failed_shoppers": Measure(
        "Shoppers with at least one planned action that they saw fail, or of which they never knew.",
        lambda it: it.counts.not_served.shoppers,
    ),
    "server_errors": Measure(
        "Planned actions answered with a status of 500 or more, or not at all.",
        lambda it: it.counts.server_errors.events,
    ),
    "streams_dropped": Measure(
        "Event streams that ended before their time.", lambda it: it.counts.streams_dropped.events
    ),
    "streams_lost": Measure(
        "Dropped event streams whose owner was a stranger (401) on coming back to the shop.",
        lambda it: it.counts.streams_lost.events,
    ),
    "cookies_refused": Measure(
        "Shoppers with at least one answer whose cookie was too large for a browser.",
        lambda it: it.counts.cookies_refused.shoppers,
    ),
    "read_by_others": Measure(
        "Shoppers whose name somebody who copied their cookies reads there, without any key.",
        lambda it: it.counts.read_by_others.shoppers,
    ),
    "rate_limited": Measure("Answers 429 (too many requests).", lambda it: it.counts.rate_limited.events),
    "over_limit": Measure(
        "Requests let through beyond the most that a limit could have allowed which counts them all.",
        lambda it: it.counts.over_limit.events,
    ),
    "rate_limited_shoppers": Measure("Shoppers who got one.", lambda it: it.counts.rate_limited.shoppers),
}
"""Of `ArchitectureResult.counts`."""

SPENT: dict[str, Measure] = {
    "requests_per_second": Measure(
        "Answers to planned actions and recoveries, per second of the load window.",
        lambda it: it.costs.requests_per_second,
    ),
    "node_cpu_ms_per_request": Measure(
        "Processor time of all nodes, in ms, per answer.", lambda it: it.costs.node_cpu_ms_per_request
    ),
    "node_memory_mb": Measure(
        "Resident memory of all nodes together, in MiB, when it was most.", lambda it: it.costs.node_memory_mb
    ),
    "memory_bytes_per_session": Measure(
        "By how much the nodes' memory grew, in bytes, per session that they held more "
        "(200 more at least; copies of a session are one).",
        lambda it: it.costs.memory_bytes_per_session,
    ),
    "store_commands_per_request": Measure(
        "Commands that the session store carried out, per answer; 0 where there is none.",
        lambda it: it.costs.store_commands_per_request,
    ),
    "store_memory_bytes_per_session": Measure(
        "By how much the session store's memory grew, in bytes, per key that it held more (200 more at least).",
        lambda it: it.costs.store_memory_bytes_per_session,
    ),
    "cookie_bytes_per_request": Measure(
        "Bytes of the Cookie header, mean over all requests sent.", lambda it: it.costs.cookie_bytes_per_request
    ),
    "answer_bytes_per_request": Measure(
        "Bytes of the body, mean over all answers.", lambda it: it.costs.answer_bytes_per_request
    ),
    "p50_ms": Measure("Median wait for an answer from its sending, in ms.", lambda it: it.latency_ms.raw.p50 or None),
    "p95_ms": Measure(
        "95 of 100 answers came within so many ms of the sending (nearest rank).",
        lambda it: it.latency_ms.raw.p95 or None,
    ),
    "busiest_node_share": Measure(
        "The share of all answers that the busiest node gave.", lambda it: it.costs.busiest_node_share
    ),
    "new_node_share": Measure(
        "The share of answers that nodes gave which were added during the run, since the first of them was observed.",
        lambda it: it.costs.new_node_share,
    ),
}
"""Of `ArchitectureResult.costs` and `latency_ms`."""

MEASURES: dict[str, Measure] = {
    "logged_out": Measure("Shoppers logged out involuntarily at least once.", lambda it: it.logged_out.shoppers),
    "logged_out_events": Measure("Involuntary logouts; one shopper can have several.", lambda it: it.logged_out.events),
    "logged_out_more_than_once": Measure(
        "Shoppers logged out involuntarily at least twice.", lambda it: it.logged_out.more_than_once
    ),
    "logged_out_before_fault": Measure(
        "Shoppers logged out involuntarily before the first fault was injected (without a fault: at all).",
        lambda it: it.logged_out_before_fault,
    ),
    "never_logged_in": Measure(
        "Shoppers whose login was never acknowledged, nor shown by a later answer.", lambda it: it.users.never_logged_in
    ),
    "carts_lost": Measure("Times that an acknowledged cart was shown empty.", lambda it: it.carts_lost),
    "items_lost": Measure(
        "Times that a cart which is not empty, or an order, lacked acknowledged units.", lambda it: it.items_lost
    ),
    "units_lost": Measure("Units of goods lost with carts, items and orders.", lambda it: it.items.lost),
    "carts_rolled_back": Measure(
        "Times that a cart held more than any possible one: something was back.", lambda it: it.carts_rolled_back
    ),
    "wrong_user": Measure("Times that somebody else's name was shown.", lambda it: it.wrong_user),
    "orders_lost": Measure("Acknowledged orders that the database does not hold.", lambda it: it.orders_lost),
    "orders_duplicated": Measure("Second orders of one checkout in the database.", lambda it: it.orders_duplicated),
    "failed": Measure("Planned actions that surely did not happen.", lambda it: it.actions.failed),
    "unknown": Measure("Planned actions of which nobody knows whether they happened.", lambda it: it.actions.unknown),
    "not_sent": Measure("Planned actions that were not sent.", lambda it: it.actions.not_sent),
    "seconds_without_service": Measure(
        "Summed over shoppers: from the sending of the first planned action that was not ok to the answer of the next.",
        lambda it: it.seconds_without_service,
    ),
    "still_logged_in": Measure(
        "Times that a session was accepted after its logout was acknowledged.", lambda it: it.still_logged_in
    ),
    "sessions_shared": Measure(
        "Logins that whoever had planted the session before could use as well.", lambda it: it.sessions_shared
    ),
    **COUNTED,
    **SPENT,
}
"""By name: the definition, and how it is read from the results."""
