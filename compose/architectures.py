"""The architectures that can be compared, as data.

An architecture is a shop + where its sessions live + how the balancer picks the node. To add one, add a line here (and
a session store in a twin, if it needs a new one).
"""

from __future__ import annotations

from typing import Literal

import msgspec

from shared.errors import UsageError

App = Literal["stateful_app", "stateless_app"]
Store = Literal["memory", "token", "redis"]
Affinity = Literal["round-robin", "cookie"]


class Architecture(msgspec.Struct, frozen=True):
    """A shop, where its sessions live, and how the balancer routes."""

    name: str
    app: App
    store: Store
    affinity: Affinity
    summary: str
    """One sentence for a person who has never seen it."""


ARCHITECTURES: dict[str, Architecture] = {
    architecture.name: architecture
    for architecture in (
        Architecture(
            "sticky-memory",
            "stateful_app",
            "memory",
            "cookie",
            "Each node keeps its sessions in its own memory; a cookie sends every shopper back to the same node.",
        ),
        Architecture(
            "roundrobin-memory",
            "stateful_app",
            "memory",
            "round-robin",
            "Each node keeps sessions in its own memory, but the balancer sends each request to the next node in turn.",
        ),
        Architecture(
            "signed-token",
            "stateless_app",
            "token",
            "round-robin",
            "The session travels in a signed cookie; nodes remember nothing.",
        ),
        Architecture(
            "redis",
            "stateless_app",
            "redis",
            "round-robin",
            "Sessions live in a Redis-compatible server that all nodes share; nodes remember nothing.",
        ),
    )
}


def architecture_named(name: str) -> Architecture:
    """The architecture of that name.

    Raises:
        UsageError: there is none; the message lists those there are.
    """
    try:
        return ARCHITECTURES[name]
    except KeyError:
        raise UsageError(
            f"there is no architecture named {name!r}",
            why=f"known architectures: {', '.join(ARCHITECTURES)}",
            next_step="twinshop list",
        ) from None
