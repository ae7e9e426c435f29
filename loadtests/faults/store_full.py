"""The session store is full: it throws sessions out, or refuses to write new ones; its settings say which."""

from typing import Any

import msgspec

from compose.cluster import Limits
from loadtests.faults.contract import Evidence, Fault, Target
from loadtests.faults.effects import Effect, FaultMarks, StoreEvicts, StoreRefusesWrites
from loadtests.faults.store_server import ask, server_info
from loadtests.model.results import Cause

STORE_EVICTED = Cause("store_evicted", "The session store was full, and threw the session out.")
JUNK = "junk:"  # what the keys begin with that it is filled with
VALUE_BYTES = 4096
OVER_BYTES = 2**19  # more than the buffers of our own connection, which is free again when we have gone
PIECE = 32  # keys are written at once: few enough that a busy store answers within the bound
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
        keys = 2 * target.cluster.spec.limits.store_memory_mb * 2**20 // VALUE_BYTES
        ask(target.cluster, target.victim, lambda server: _fill(server, keys))
        # Well over the bound: a store that is full to the byte has room for others once our own buffers are free again.
        ask(target.cluster, target.victim, lambda server: server.setrange(f"{JUNK}last", OVER_BYTES, b"x"))

    def observe(self, target: Target) -> Evidence | None:
        junk, refusal = ask(target.cluster, target.victim, _junk), ask(target.cluster, target.victim, _refusal)
        evicted = server_info(target.cluster, target.victim, "stats").get("evicted_keys", 0)
        # Junk alone proves nothing: there may have been room for it.
        if not junk or not (evicted or refusal):
            return None
        return (f"keys of somebody else's: {junk}", f"keys thrown out: {evicted}", f"a write: {refusal or 'accepted'}")

    def heal(self, target: Target) -> None:
        ask(target.cluster, target.victim, _clear)

    def observe_healed(self, target: Target) -> Evidence | None:
        seen = target.cluster.observe(target.victim)
        refused = ask(target.cluster, target.victim, _refusal)
        if not seen.answers or refused or ask(target.cluster, target.victim, _junk):
            return None
        return (*seen.evidence, "keys of somebody else's: 0", "a write: accepted")

    def effects(self, marks: FaultMarks, limits: Limits) -> tuple[Effect, ...]:
        # What refuses writes throws nothing out, and so loses nothing that was acknowledged.
        effect = StoreRefusesWrites if limits.store_eviction == "noeviction" else StoreEvicts
        return (effect.of(marks, STORE_EVICTED.name),)


def _fill(server: Any, keys: int) -> None:
    """Twice what its memory holds, or until it refuses."""
    for first in range(0, keys, PIECE):
        with server.pipeline(transaction=False) as pipe:
            for number in range(first, first + PIECE):
                pipe.set(f"{JUNK}{number}", b"x" * VALUE_BYTES)
            # It refuses as soon as it is full where it evicts nothing: that is what was wanted.
            if any(isinstance(answer, Exception) for answer in pipe.execute(raise_on_error=False)):
                return


def _keys(server: Any) -> list[bytes]:
    # In pieces: KEYS would stop the store for everybody while it looks.
    return list(server.scan_iter(match=f"{JUNK}*", count=1000))


def _junk(server: Any) -> int:
    return len(_keys(server))


def _clear(server: Any) -> None:
    keys = _keys(server)
    for first in range(0, len(keys), 1000):
        server.delete(*keys[first : first + 1000])


def _refusal(server: Any) -> str:
    """What it says when it refuses a write; "" if it takes it."""
    import redis

    try:
        # Of the size of a session or more: a key of few bytes may still find room.
        server.set(f"{JUNK}write", b"x" * VALUE_BYTES)
        server.delete(f"{JUNK}write")
    except redis.ResponseError as refusal:
        return str(refusal)
    return ""
