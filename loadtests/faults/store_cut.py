"""A node is cut off from the session store: both live, nothing comes through between them."""

from loadtests.faults.bases import DELAYED_WRITE, CutsWire, OnNodesWires
from loadtests.faults.contract import Cure
from loadtests.faults.effects import WritesHang


class StoreCut(OnNodesWires, CutsWire):
    kind = "store-cut"
    colour = "#0a8fa8"
    doing = "Cutting the session store off from"
    done = "cut off from the session store"
    button = "Cut the store"
    causes = (DELAYED_WRITE,)
    brings = (WritesHang,)
    cures = (
        Cure(
            "A node is cut off from the store, and its health check does not notice.",
            "If the store itself is gone, no node is healthy any more.",
            "store-cut-off",
            "store-cut-off-deep-health",
        ),
    )
    sentence = "One node no longer reaches the session store: nothing comes through, and no connection is refused."
