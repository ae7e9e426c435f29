"""The session store's password is changed, and nobody told the nodes."""

from loadtests.faults.contract import Evidence, Fault, Target
from loadtests.faults.store_server import StoreServer


class StorePassword(Fault):
    """Old connections are ended, as at a failover; new ones are asked for a password that nodes do not have."""

    kind = "store-password"
    colour = "#7a5c99"
    doing = "Changing the password of"
    done = "given another password"
    button = "Change the store's password"
    strikes = "store"
    sentence = "The session store asks for another password than the nodes were given, until it is healed."

    def inject(self, target: Target) -> None:
        StoreServer(target.cluster, target.victim).lock()

    def observe(self, target: Target) -> Evidence | None:
        # In its own words: that nothing answers could be a dead store's doing.
        said = StoreServer(target.cluster, target.victim).refuses_to_talk()
        return (f"as the nodes come: {said}",) if "uthenticat" in said else None

    def heal(self, target: Target) -> None:
        StoreServer(target.cluster, target.victim).unlock()

    def observe_healed(self, target: Target) -> Evidence | None:
        seen = target.cluster.observe(target.victim)
        said = StoreServer(target.cluster, target.victim).refuses_to_talk()
        return (*seen.evidence, "as the nodes come: answered") if seen.answers and not said else None
