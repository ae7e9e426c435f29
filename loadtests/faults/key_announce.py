"""The next signing key is announced to a node: it accepts what is signed with it, and does not use it yet."""

from compose.cluster import NodeChanges
from loadtests.faults.bases import Rekeys


class KeyAnnounce(Rekeys):
    kind = "key-announce"
    colour = "#a336ae"
    doing = "Announcing the next signing key to"
    done = "told of the next key"
    sentence = (
        "A node is restarted and accepts another signing key too, which nobody uses yet: the first of two phases."
    )
    changes = NodeChanges(key="own", fallback="next")
