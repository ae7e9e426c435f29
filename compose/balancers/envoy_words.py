"""Words of Envoy's configuration that more than one module of ours writes."""

from __future__ import annotations

from typing import Any

CLUSTER = "nodes"
"""What Envoy calls the nodes of the shop."""
TYPE = "type.googleapis.com/envoy"
Json = dict[str, Any]


def seconds(value: float) -> str:
    """A time span as Envoy reads it."""
    return f"{value:.3f}s"
