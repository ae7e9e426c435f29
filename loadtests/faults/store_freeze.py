"""The session store is frozen: it keeps everything, and answers nobody."""

from loadtests.faults.bases import DELAYED_WRITE, Freezes
from loadtests.faults.contract import Cure
from loadtests.faults.effects import WritesHang


class StoreFreeze(Freezes):
    """SIGSTOP of the store's process; the nodes' timeouts decide what becomes of it."""

    kind = "store-freeze"
    colour = "#4076f5"
    doing = "Freezing"
    done = "frozen"
    button = "Freeze the store"
    free_play = 15
    strikes = "store"
    causes = (DELAYED_WRITE,)
    brings = (WritesHang,)
    cures = (
        Cure(
            "The store hangs, and everybody waits for it.",
            "Errors at once instead of waiting.",
            "store-freeze",
            "store-freeze-short-timeout",
        ),
    )
    sentence = "The session store is frozen with SIGSTOP: it keeps everything and answers nobody until it is healed."
