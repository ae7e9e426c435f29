"""The replica is cut off from the session store: what is written from now on is in one place only."""

from loadtests.faults.bases import NOT_REPLICATED, CutsWire
from loadtests.faults.effects import ReplicaBehind


class ReplicaCut(CutsWire):
    kind = "replica-cut"
    colour = "#017a9e"
    doing = "Cutting the session store off from"
    done = "cut off from the session store"
    button = "Cut the replica"
    strikes = "replica"
    causes = (NOT_REPLICATED,)
    brings = (ReplicaBehind,)
    sentence = "The replica no longer reaches the session store, and falls behind with each write."
