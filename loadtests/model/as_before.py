"""The orders and heads of tables as they were before there was a registry, for as long as golden runs ask."""

from __future__ import annotations

TERMINAL = {
    "still_logged_in": "outlived logout",
    "sessions_shared": "shared logins",
    "items_lost": "items lost",
    "orders_duplicated": "orders twice",
    "flickered": "flickered",
    "stalled": "stalled",
    "streams_dropped": "streams dropped",
    "streams_lost": "streams lost",
    "cookies_refused": "cookies refused",
    "read_by_others": "read by others",
    "rate_limited": "too many (429)",
    "over_limit": "over the limit",
}
COLUMNS = (
    "logged-out", "logouts", "flickered", "carts-lost", "items-lost", "units-lost", "cookies-refused", "other-losses",
    "orders-duplicated", "still-logged-in", "sessions-shared", "read-by-others", "failed", "unknown", "not-sent",
    "rate-limited", "over-limit", "failed-shoppers", "stalled", "streams-dropped", "streams-lost", "without-service",
    "p95-raw", "p95-plan",
)  # fmt: skip
DEFINITIONS = (
    "verdict", "logged-out", "logouts", "more-than-once", "before-fault", "flickered", "carts-lost", "items-lost",
    "units-lost", "other-losses", "cookies-refused", "orders-duplicated", "read-by-others", "still-logged-in",
    "sessions-shared", "failed", "unknown", "not-sent", "rate-limited", "over-limit", "failed-shoppers", "stalled",
    "streams-dropped", "streams-lost", "without-service", "p95-raw", "p95-plan",
)  # fmt: skip
MEASURES = (
    "logged_out", "logged_out_events", "logged_out_more_than_once", "logged_out_before_fault", "never_logged_in",
    "carts_lost", "items_lost", "units_lost", "carts_rolled_back", "wrong_user", "orders_lost", "orders_duplicated",
    "failed", "unknown", "not_sent", "seconds_without_service", "still_logged_in", "sessions_shared", "flickered",
    "flickers", "stalled", "stalls", "failed_shoppers", "server_errors", "streams_dropped", "streams_lost",
    "cookies_refused", "read_by_others", "rate_limited", "over_limit", "rate_limited_shoppers", "requests_per_second",
    "node_cpu_ms_per_request", "node_memory_mb", "memory_bytes_per_session", "store_commands_per_request",
    "store_memory_bytes_per_session", "cookie_bytes_per_request", "answer_bytes_per_request", "p50_ms", "p95_ms",
    "busiest_node_share", "new_node_share",
)  # fmt: skip
