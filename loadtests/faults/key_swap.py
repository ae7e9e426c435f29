"""A node's signing key is swapped hard: it signs with another one, and no longer accepts the old one."""

from compose.cluster import NodeChanges
from loadtests.faults.bases import Rekeys


class KeySwap(Rekeys):
    kind = "key-swap"
    colour = "#5559df"
    doing = "Swapping the signing key of"
    done = "given another key"
    free_play = 11
    sentence = (
        "A node is restarted with another signing key and no longer accepts the old one: a hard change, node by node."
    )
    changes = NodeChanges(key="next")
