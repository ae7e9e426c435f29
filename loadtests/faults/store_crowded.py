"""The session store takes no more connections (`maxclients`): others have them all."""

from contextlib import suppress

from loadtests.faults.contract import Target
from loadtests.faults.store_server import LetsNobodyIn, StoreConnection, connection, end_others

MAX_CLIENTS = 10_000  # as many connections as a store takes that nobody has told otherwise
_KEPT: dict[str, StoreConnection] = {}
"""By address: the one connection that a crowded store has; if this process ends, so does it."""


class StoreCrowded(LetsNobodyIn):
    """Every connection is taken, as when a service beside the shop leaks them; the store itself is well."""

    kind = "store-crowded"
    colour = "#4e7d46"
    doing = "Taking all connections of"
    done = "out of connections"
    button = "Crowd the store"
    sentence = "The session store ends its connections and takes no new ones (its maxclients), until it is healed."
    refusal = "max number of clients"
    newcomer = "a new connection"

    def inject(self, target: Target) -> None:
        # Made beforehand and kept: once there is room for one only, whoever comes first has it, perhaps a node.
        address = target.cluster.address(target.victim)
        kept = _KEPT.get(address) or connection(target.cluster, target.victim)
        with suppress(OSError, kept.errors):
            kept.server.config_set("maxclients", 1)
            # Before the others are ended: if that fails, healing must still find the one that may come in.
            _KEPT[address] = kept
            end_others(kept.server)

    def heal(self, target: Target) -> None:
        kept = _KEPT.pop(target.cluster.address(target.victim), None) or connection(target.cluster, target.victim)
        with suppress(OSError, kept.errors):
            kept.server.config_set("maxclients", MAX_CLIENTS)
        kept.server.close()
