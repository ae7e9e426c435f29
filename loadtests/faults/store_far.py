"""The session store is far away: each of its answers takes two milliseconds, as from another data centre nearby."""

from collections.abc import Iterable

from compose.cluster import Reply
from compose.probes import ping
from loadtests.faults.bases import Condition, OnNodesWires
from loadtests.faults.contract import Evidence, Target

DISTANCE_MS = 2.0
MUCH_OF_IT = 0.8  # of the distance: the difference of two measured times is not exact
TRIES = 30  # where seven processes wait for each processor, the quickest of ten was late one way and not the other


class StoreFar(OnNodesWires, Condition):
    kind = "store-far"
    colour = "#046fc7"
    doing = "Moving the session store away from"
    done = "2 ms away from the session store"
    sets = ("store_distance_ms", DISTANCE_MS)
    sentence = f"Each answer of the session store takes {DISTANCE_MS:.0f} ms, as from another data centre nearby."

    def observe(self, target: Target) -> Evidence | None:
        # By the same hand, and the quickest of some each: a busy machine makes any answer late, on either way.
        near_ms = _quickest_ms(ping(target.cluster.address("store")) for _ in range(TRIES))
        if near_ms is None:
            return None
        found = []
        for node in target.cluster.nodes():
            far_ms = _quickest_ms(target.cluster.ask_across(node.name) for _ in range(TRIES))
            if far_ms is None or far_ms - near_ms < MUCH_OF_IT * DISTANCE_MS:
                return None
            found.append(f"{node.name}: PING of the store {far_ms:.1f} ms, past the wire {near_ms:.1f} ms")
        return tuple(found)


def _quickest_ms(asked: Iterable[Reply]) -> float | None:
    """None if one did not come."""
    # The quickest: a slow answer may be the machine's, but no quick one comes from a store that is slow.
    replies = list(asked)
    return min(reply.took_ms for reply in replies) if all(reply.ok for reply in replies) else None
