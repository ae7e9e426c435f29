"""A node is killed: SIGKILL, no warning, its memory is gone; healing starts it again, empty."""

from loadtests.faults.bases import MOVED_BY_RING, NodeGoesDown
from loadtests.model.results import Cause

NODE_KILLED = Cause("node_killed", "The node that held the session in its memory was killed, and the session with it.")


class Kill(NodeGoesDown):
    kind = "kill"
    victim_is_down = "until healed"
    signal = "SIGKILL"
    colour = "#8a6d00"
    doing = "Killing"
    done = "killed"
    free_play = 1
    causes = (NODE_KILLED, MOVED_BY_RING)
    sentence = "A node is killed with SIGKILL and, when healed, started again with an empty memory."
