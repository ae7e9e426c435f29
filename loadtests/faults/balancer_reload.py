"""The balancer reads its files anew, though nothing in them has changed: as after a certificate was renewed."""

from __future__ import annotations

from loadtests.faults.contract import Evidence, Fault, Target


class BalancerReload(Fault):
    """Told as its manual says, by a signal; new processes take the listening sockets over."""

    kind = "balancer-reload"
    colour = "#8a6d1f"
    doing = "Reloading"
    done = "reloaded"
    button = "Reload the balancer"
    strikes = "balancer"
    stays = True
    asks_of_balancer = "reloads"
    sentence = (
        "The balancer is told to read its files anew, though nothing in them has changed; there is nothing to heal."
    )

    def inject(self, target: Target) -> None:
        """Tell it."""
        target.cluster.reload_balancer()

    def observe(self, target: Target) -> Evidence | None:
        """It answers, and says that it is another process than before, or has read its files once more."""
        seen = target.cluster.observe(target.victim)
        before = target.before.boot if target.before else None
        if not seen.answers or seen.boot in (None, before):
            return None
        return (*seen.evidence, f"boot {seen.boot}, before {before}")

    def heal(self, target: Target) -> None:
        """Nothing is broken."""

    def observe_healed(self, target: Target) -> Evidence | None:
        """It is still so."""
        return self.observe(target)
