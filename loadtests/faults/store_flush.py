"""An operator empties the session store: FLUSHALL, for whatever reason operators have."""

from loadtests.faults.bases import Stays
from loadtests.faults.contract import Evidence, Target
from loadtests.faults.effects import StoreGone
from loadtests.faults.store_server import ask, server_info
from loadtests.model.results import Cause

FLUSHED = Cause("store_flushed", "An operator emptied the session store, and the session was in it.")


class StoreFlush(Stays):
    """Nothing is down for a moment, and a file does not help: the store carries out what it is told."""

    kind = "store-flush"
    colour = "#a8522a"
    doing = "Flushing"
    done = "flushed"
    button = "Flush the store"
    strikes = "store"
    causes = (FLUSHED,)
    brings = (StoreGone,)
    sentence = "An operator empties the session store with FLUSHALL; healing brings nothing back."

    def inject(self, target: Target) -> None:
        ask(target.cluster, target.victim, lambda server: server.flushall())

    def observe(self, target: Target) -> Evidence | None:
        # By its count of commands: that it holds little proves nothing, since shoppers write to it all the while.
        flushes = server_info(target.cluster, target.victim, "commandstats").get("cmdstat_flushall", {}).get("calls", 0)
        return (f"FLUSHALL carried out: {flushes}",) if flushes else None
