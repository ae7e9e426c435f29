"""The architectures that can be compared, as data.

An architecture is a shop + where its sessions live + how the balancer picks the node. To add one, add a line here (and
a session store in a twin, if it needs a new one).
"""

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Literal, TypeVar

import msgspec

from shared.errors import UsageError

T = TypeVar("T")
App = Literal["stateful_app", "stateless_app", "described"]
"""A twin, or an application that somebody described (`compose.description`)."""
Store = Literal[
    "memory", "replicated", "token", "denylist", "redis", "refresh", "refresh-database", "shared", "unknown",
]  # fmt: skip
"""Where sessions live. Of described applications only: shared, in a place that all nodes share and that is none of the
cluster's parts (a database, a folder); unknown, nobody said."""
Affinity = Literal["round-robin", "least-request", "weighted", "cookie", "hash", "address"]
"""cookie: the balancer's cookie names the node; hash: a ring, by a cookie of the balancer's that names nobody; address:
a ring, by where the shopper comes from; weighted: in turn, n1 twice as often as each other."""


class Architecture(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A shop, where its sessions live, and how the balancer routes."""

    name: str
    app: App
    store: Store
    affinity: Affinity
    summary: str
    """One sentence for a person who has never seen it."""
    replicas: int = 0
    """Of the store's server; with one, a sentinel promotes it when the store dies."""

    @property
    def in_nodes(self) -> bool:
        """Its sessions are in the nodes' own memory."""
        return self.store in ("memory", "replicated")

    @property
    def uses_server(self) -> bool:
        """Its cluster has a Redis-compatible server."""
        return self.store in ("redis", "denylist", "refresh")


ARCHITECTURES: dict[str, Architecture] = {
    architecture.name: architecture
    for architecture in (
        Architecture(
            "sticky-memory", "stateful_app", "memory", "cookie",
            "Each node keeps its sessions in its own memory; a cookie sends every shopper back to the same node.",
        ),
        Architecture(
            "roundrobin-memory", "stateful_app", "memory", "round-robin",
            "Each node keeps sessions in its own memory, but the balancer sends each request to the next node in turn.",
        ),
        Architecture(
            "signed-token", "stateless_app", "token", "round-robin",
            "The session travels in a signed cookie; nodes remember nothing.",
        ),
        Architecture(
            "redis", "stateless_app", "redis", "round-robin",
            "Sessions live in a Redis-compatible server that all nodes share; nodes remember nothing.",
        ),
        Architecture(
            "replicated-memory", "stateful_app", "replicated", "cookie",
            "Each node keeps all sessions in its memory and tells the others of every change; a cookie picks the node.",
        ),
        Architecture(
            "sticky-hash", "stateful_app", "memory", "hash",
            "Each node keeps its sessions in its own memory; a hash ring over a cookie decides which node that is.",
        ),
        Architecture(
            "sticky-address", "stateful_app", "memory", "address",
            "Each node keeps its sessions in its own memory; a hash ring over the shopper's address picks the node.",
        ),
        Architecture(
            "token-denylist", "stateless_app", "denylist", "round-robin",
            "The session travels in a signed cookie, and each request asks a shared server whether it was revoked.",
        ),
        Architecture(
            "redis-replica", "stateless_app", "redis", "round-robin",
            "Sessions live in a Redis-compatible server with a replica, which a sentinel promotes when it dies.",
            replicas=1,
        ),
        Architecture(
            "redis-least-request", "stateless_app", "redis", "least-request",
            "Sessions live in a shared server; each request goes to the less busy of two nodes picked at random.",
        ),
        Architecture(
            "redis-weighted", "stateless_app", "redis", "weighted",
            "Sessions live in a shared server; requests go to the nodes in turn, twice as often to the first.",
        ),
        Architecture(
            "signed-token-sticky", "stateless_app", "token", "cookie",
            "The session travels in a signed cookie; all the same, another one sends every shopper back to one node.",
        ),
        Architecture(
            "refresh-token", "stateless_app", "refresh", "round-robin",
            "A short-lived signed token carries the session; a refresh token, kept in a shared server, renews it.",
        ),
        Architecture(
            "refresh-token-database", "stateless_app", "refresh-database", "round-robin",
            "A short-lived signed token carries the session; a refresh token, kept in the database, renews it.",
        ),
    )
}  # fmt: skip


def architecture_named(name: str) -> Architecture:
    """The architecture of that name.

    Raises:
        UsageError: there is none; the message lists those there are.
    """
    return one_of(ARCHITECTURES, name, "architecture", next_step="twinshop list")


def one_of(known: Mapping[str, T], name: str, what: str, *, next_step: str) -> T:
    """That one of them.

    Raises:
        UsageError: there is none of that name; the message lists those there are.
    """
    if name not in known:
        listed = f"known {what}s: {', '.join(known)}{did_you_mean(name, known)}"
        raise UsageError(f"there is no {what} named {name!r}", why=listed, next_step=next_step)
    return known[name]


def did_you_mean(word: str, known: Collection[str]) -> str:
    """`; did you mean "…"?`, or nothing if nothing is close."""
    close = get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
