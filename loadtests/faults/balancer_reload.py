"""The balancer reads its files anew, though nothing in them has changed: as after a certificate was renewed."""

from loadtests.faults.bases import Stays
from loadtests.faults.contract import Evidence, Target


class BalancerReload(Stays):
    """Told as its manual says, by a signal; new processes take the listening sockets over."""

    kind = "balancer-reload"
    colour = "#8a6d1f"
    doing = "Reloading"
    done = "reloaded"
    button = "Reload the balancer"
    strikes = "balancer"
    asks_of_balancer = "reloads"
    sentence = (
        "The balancer is told to read its files anew, though nothing in them has changed; there is nothing to heal."
    )

    def inject(self, target: Target) -> None:
        target.cluster.reload_balancer()

    def observe(self, target: Target) -> Evidence | None:
        seen = target.cluster.observe(target.victim)
        # The port is served all the while: only by its boot does it say that it has read its files once more.
        before = target.before.boot if target.before else None
        if not seen.answers or seen.boot in (None, before):
            return None
        return (*seen.evidence, f"boot {seen.boot}, before {before}")
