"""The session store's password is changed, and nobody told the nodes."""

from typing import Any

from loadtests.faults.contract import Target
from loadtests.faults.store_server import LetsNobodyIn, ask, end_others

PASSWORD = "nobody told the nodes"


class StorePassword(LetsNobodyIn):
    """Old connections are ended, as at a failover; new ones are asked for a password that nodes do not have."""

    kind = "store-password"
    colour = "#7a5c99"
    doing = "Changing the password of"
    done = "given another password"
    button = "Change the store's password"
    sentence = "The session store asks for another password than the nodes were given, until it is healed."
    refusal = "uthenticat"
    newcomer = "as the nodes come"

    def inject(self, target: Target) -> None:
        def lock(server: Any) -> None:
            server.config_set("requirepass", PASSWORD)
            # Whoever is connected has been let in, and would never be asked.
            end_others(server)

        ask(target.cluster, target.victim, lock)

    def heal(self, target: Target) -> None:
        # With the password; of a store that asks for none the question fails, and there is nothing to undo.
        ask(target.cluster, target.victim, lambda server: server.config_set("requirepass", ""), password=PASSWORD)
