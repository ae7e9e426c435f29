"""A node is stopped: SIGTERM, so that it may end what it is doing; its memory is gone all the same."""

from __future__ import annotations

from loadtests.faults.bases import NodeGoesDown
from loadtests.faults.contract import Target


class Stop(NodeGoesDown):
    """SIGTERM of a node's whole process group."""

    kind = "stop"
    victim_is_down = "until healed"
    colour = "#ad720d"
    doing = "Stopping"
    done = "stopped"
    button = "Stop"
    free_play = 2
    sentence = (
        "A node is stopped with SIGTERM, which lets it answer what it has begun; when healed, it starts with an empty "
        "memory."
    )

    def inject(self, target: Target) -> None:
        """Ask it to end."""
        target.cluster.terminate(target.victim)
