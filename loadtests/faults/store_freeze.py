"""The session store is frozen: it keeps everything, and answers nobody."""

from __future__ import annotations

from loadtests.faults.bases import Freezes


class StoreFreeze(Freezes):
    """SIGSTOP of the store's process; the nodes' timeouts decide what becomes of it."""

    kind = "store-freeze"
    colour = "#4076f5"
    doing = "Freezing"
    done = "frozen"
    strikes = "store"
    sentence = "The session store is frozen with SIGSTOP: it keeps everything and answers nobody until it is healed."
