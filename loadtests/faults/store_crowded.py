"""The session store takes no more connections (`maxclients`): others have them all."""

from loadtests.faults.contract import Evidence, Fault, Target
from loadtests.faults.store_server import StoreServer


class StoreCrowded(Fault):
    """Every connection is taken, as when a service beside the shop leaks them; the store itself is well."""

    kind = "store-crowded"
    colour = "#4e7d46"
    doing = "Taking all connections of"
    done = "out of connections"
    button = "Crowd the store"
    strikes = "store"
    sentence = "The session store ends its connections and takes no new ones (its maxclients), until it is healed."

    def inject(self, target: Target) -> None:
        StoreServer(target.cluster, target.victim).crowd()

    def observe(self, target: Target) -> Evidence | None:
        # In its own words: that nothing answers could be a dead store's doing.
        said = StoreServer(target.cluster, target.victim).refuses_to_talk()
        return (f"a new connection: {said}",) if "max number of clients" in said else None

    def heal(self, target: Target) -> None:
        StoreServer(target.cluster, target.victim).let_in()

    def observe_healed(self, target: Target) -> Evidence | None:
        seen = target.cluster.observe(target.victim)
        said = StoreServer(target.cluster, target.victim).refuses_to_talk()
        return (*seen.evidence, "a new connection: answered") if seen.answers and not said else None
