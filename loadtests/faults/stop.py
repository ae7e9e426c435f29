"""A node is stopped: SIGTERM, so that it may end what it is doing; its memory is gone all the same."""

from loadtests.faults.bases import NodeGoesDown


class Stop(NodeGoesDown):
    kind = "stop"
    victim_is_down = "until healed"
    colour = "#ad720d"
    doing = "Stopping"
    done = "stopped"
    free_play = 2
    sentence = (
        "A node is stopped with SIGTERM, which lets it answer what it has begun; when healed, it starts with an empty "
        "memory."
    )
