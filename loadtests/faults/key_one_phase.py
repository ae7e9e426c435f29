"""A node's signing key is changed in one phase: it signs with the new one, and accepts the old one too."""

from __future__ import annotations

from compose.changes import NodeChanges
from loadtests.faults.bases import Rekeys


class KeyOnePhase(Rekeys):
    """One node's turn; a rolling change has one of these for each node."""

    kind = "key-one-phase"
    colour = "#8347cf"
    doing = "Changing the signing key of"
    done = "given another key"
    sentence = (
        "A node is restarted with another signing key and still accepts the old one; nodes that had no turn yet refuse "
        "what it signs."
    )
    changes = NodeChanges(key="next", fallback="own")
