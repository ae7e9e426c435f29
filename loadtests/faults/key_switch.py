"""A node is switched to the key that was announced to all: it signs with it, and accepts the old one too."""

from compose.cluster import NodeChanges
from loadtests.faults.bases import Rekeys


class KeySwitch(Rekeys):
    kind = "key-switch"
    colour = "#c444ac"
    doing = "Switching the signing key of"
    done = "switched to the next key"
    sentence = "A node is restarted with the signing key that all nodes accept already: the second of two phases."
    changes = NodeChanges(key="next", fallback="own")
