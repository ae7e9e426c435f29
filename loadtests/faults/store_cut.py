"""A node is cut off from the session store: both live, nothing comes through between them."""

from __future__ import annotations

from compose.cluster import Limits
from compose.engines.contract import Cluster
from loadtests.faults.bases import DELAYED_WRITE, CutsWire, no_way
from loadtests.faults.contract import Cure
from loadtests.faults.effects import Effect, FaultMarks, writes_hang


class StoreCut(CutsWire):
    kind = "store-cut"
    colour = "#0a8fa8"
    doing = "Cutting the session store off from"
    done = "cut off from the session store"
    button = "Cut the store"
    causes = (DELAYED_WRITE,)
    cures = (
        Cure(
            "A node is cut off from the store, and its health check does not notice.",
            "If the store itself is gone, no node is healthy any more.",
            "store-cut-off",
            "store-cut-off-deep-health",
        ),
    )
    sentence = "One node no longer reaches the session store: nothing comes through, and no connection is refused."

    def nothing_there(self, cluster: Cluster) -> str:
        return no_way(cluster)

    def effects(self, marks: FaultMarks, limits: Limits) -> tuple[Effect, ...]:
        return writes_hang(marks, marks.victim)
