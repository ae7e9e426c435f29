"""The session store is slow: each of its answers takes 300 ms, well within what nodes wait for."""

from compose.cluster import Wire
from loadtests.faults.bases import DELAYED_WRITE, OnNodesWires, quick
from loadtests.faults.contract import Evidence, Target
from loadtests.faults.effects import WritesHang

DELAY_MS = 300.0
MUCH_OF_IT = 0.8
TRIES = 3


class StoreSlow(OnNodesWires):
    kind = "store-slow"
    colour = "#04844d"
    doing = "Slowing down"
    done = "slow"
    button = "Slow the store"
    strikes = "store"
    causes = (DELAYED_WRITE,)
    brings = (WritesHang,)
    sentence = f"Each answer of the session store takes {DELAY_MS:.0f} ms longer, for every node."

    def inject(self, target: Target) -> None:
        _set_wires(target, Wire(delay_ms=DELAY_MS))

    def observe(self, target: Target) -> Evidence | None:
        replies = [target.cluster.ask_across(node) for node in target.nodes]
        slow = all(reply.ok and reply.took_ms >= MUCH_OF_IT * DELAY_MS for reply in replies)
        return tuple(reply.words for reply in replies) if slow else None

    def heal(self, target: Target) -> None:
        _set_wires(target, Wire())

    def observe_healed(self, target: Target) -> Evidence | None:
        replies = [quick(target.cluster, node, MUCH_OF_IT * DELAY_MS, TRIES) for node in target.nodes]
        return tuple(reply.words for reply in replies if reply is not None) if all(replies) else None


def _set_wires(target: Target, wire: Wire) -> None:
    for node in target.nodes:
        target.cluster.wire(node, wire)
