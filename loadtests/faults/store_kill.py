"""The session store is killed: SIGKILL; what it wrote to no file is gone."""

from compose.cluster import Limits
from loadtests.faults.bases import GoesDown
from loadtests.faults.contract import Cure
from loadtests.faults.effects import Effect, FaultMarks, StoreGone
from loadtests.model.results import Cause

STORE_LOST = Cause("store_lost", "The session store was killed, and came back without the session.")


class StoreKill(GoesDown):
    kind = "store-kill"
    signal = "SIGKILL"
    colour = "#c23500"
    doing = "Killing"
    done = "killed"
    button = "Kill the store"
    free_play = 14
    strikes = "store"
    causes = (STORE_LOST,)
    brings = (StoreGone,)
    cures = (
        Cure(
            "The session store dies, and comes back with nothing.",
            "Each change is written to a disk; the outage stays.",
            "store-kill",
            "store-kill-append-only",
        ),
    )
    sentence = (
        "The session store is killed with SIGKILL and, when healed, started again: empty, unless it keeps a file."
    )

    def effects(self, marks: FaultMarks, limits: Limits) -> tuple[Effect, ...]:
        # From its file it has everything again that the kernel had been given, which outlives the process.
        return () if limits.store_append_only else super().effects(marks, limits)
