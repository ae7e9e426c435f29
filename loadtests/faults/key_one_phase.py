"""A node's signing key is changed in one phase: it signs with the new one, and accepts the old one too."""

from compose.cluster import NodeChanges
from loadtests.faults.bases import Rekeys
from loadtests.faults.contract import Cure


class KeyOnePhase(Rekeys):
    kind = "key-one-phase"
    colour = "#8347cf"
    doing = "Changing the signing key of"
    done = "given another key"
    sentence = (
        "A node is restarted with another signing key and still accepts the old one; nodes that had no turn yet refuse "
        "what it signs."
    )
    cures = (
        Cure(
            "A new signing key logs out whoever meets a node that does not know it yet.",
            "A second roll: first every node learns to accept the new key, then they sign with it.",
            "key-one-phase",
            "key-two-phase",
            on=("signed-token",),
        ),
    )
    changes = NodeChanges(key="next", fallback="own")
