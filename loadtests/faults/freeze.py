"""A node is frozen: SIGSTOP, so that it keeps its sessions and its connections, and answers nobody."""

from __future__ import annotations

from loadtests.faults.bases import Freezes


class Freeze(Freezes):
    """SIGSTOP of a node, as when a machine hangs."""

    kind = "freeze"
    colour = "#0b89c8"
    doing = "Freezing"
    done = "frozen"
    sentence = "A node is frozen with SIGSTOP: it keeps its memory and answers nobody; when healed, it goes on."
