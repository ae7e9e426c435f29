"""The session store is full: it throws sessions out, or refuses to write new ones; its settings say which."""

import msgspec

from compose.cluster import Limits
from loadtests.faults.contract import Evidence, Fault, Target
from loadtests.faults.effects import Effect, FaultMarks, StoreEvicts, StoreRefusesWrites
from loadtests.faults.store_server import StoreServer
from loadtests.model.results import Cause

STORE_EVICTED = Cause("store_evicted", "The session store was full, and threw the session out.")
MEMORY_MB = 8  # where the scenario sets no bound of its own; without any, it is never full


class StoreFull(Fault):
    """Filled with keys of somebody else's, as when another service shares it."""

    kind = "store-full"
    colour = "#ba2783"
    doing = "Filling"
    done = "full"
    strikes = "store"
    causes = (STORE_EVICTED,)
    sentence = (
        "Somebody else's keys fill the session store's memory: it throws out what was not used for longest, or refuses "
        "writes."
    )

    def prepare(self, limits: Limits) -> Limits:
        return msgspec.structs.replace(limits, store_memory_mb=limits.store_memory_mb or MEMORY_MB)

    def inject(self, target: Target) -> None:
        StoreServer(target.cluster, target.victim).fill(target.cluster.spec.limits.store_memory_mb)

    def observe(self, target: Target) -> Evidence | None:
        store = StoreServer(target.cluster, target.victim)
        junk, evicted, refusal = store.junk(), store.evicted(), store.refuses()
        # Junk alone proves nothing: there may have been room for it.
        if not junk or not (evicted or refusal):
            return None
        return (f"keys of somebody else's: {junk}", f"keys thrown out: {evicted}", f"a write: {refusal or 'accepted'}")

    def heal(self, target: Target) -> None:
        StoreServer(target.cluster, target.victim).clear()

    def observe_healed(self, target: Target) -> Evidence | None:
        store = StoreServer(target.cluster, target.victim)
        seen = target.cluster.observe(target.victim)
        if not seen.answers or store.refuses() or store.junk():
            return None
        return (*seen.evidence, "keys of somebody else's: 0", "a write: accepted")

    def effects(self, marks: FaultMarks, limits: Limits) -> tuple[Effect, ...]:
        # What refuses writes throws nothing out, and so loses nothing that was acknowledged.
        effect = StoreRefusesWrites if limits.store_eviction == "noeviction" else StoreEvicts
        return (effect.of(marks, STORE_EVICTED.name),)
