"""A node is frozen: SIGSTOP, so that it keeps its sessions and its connections, and answers nobody."""

from __future__ import annotations

from loadtests.faults.bases import MOVED_BY_RING, Freezes
from loadtests.model.cause import Cause

NODE_FROZEN = Cause(
    "node_frozen", "The node that holds the session was frozen, and the balancer sent the shopper to another one."
)


class Freeze(Freezes):
    """SIGSTOP of a node, as when a machine hangs."""

    kind = "freeze"
    colour = "#0b89c8"
    doing = "Freezing"
    done = "frozen"
    button = "Freeze"
    free_play = 3
    explains = (("routed_away", NODE_FROZEN), ("ring_turned", MOVED_BY_RING))
    sentence = "A node is frozen with SIGSTOP: it keeps its memory and answers nobody; when healed, it goes on."
