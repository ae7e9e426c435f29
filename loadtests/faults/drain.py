"""A node is drained: new shoppers go elsewhere, those whom their affinity leads to it still come."""

from loadtests.faults.bases import MOVED_BY_RING
from loadtests.faults.contract import Evidence, Fault, Target
from loadtests.faults.effects import RingTurns
from loadtests.model.results import Cause


class Drain(Fault):
    """Takes a node out of rotation, and leaves it alive."""

    kind = "drain"
    colour = "#129390"
    doing = "Draining"
    done = "drained"
    free_play = 7
    asks_of_balancer = "drain"
    causes: tuple[Cause, ...] = (MOVED_BY_RING,)
    brings = (RingTurns,)  # nobody's session is touched; but a ring is made of the nodes in rotation
    sentence = "The balancer sends a node no new shoppers, only those whom their affinity leads there."

    def inject(self, target: Target) -> None:
        target.cluster.drain(target.victim)

    def observe(self, target: Target) -> Evidence | None:
        # It answers: a dead node is out of rotation as well.
        seen = target.cluster.observe(target.victim)
        return seen.evidence if seen.answers and not seen.in_rotation else None

    def heal(self, target: Target) -> None:
        target.cluster.undrain(target.victim)

    def observe_healed(self, target: Target) -> Evidence | None:
        seen = target.cluster.observe(target.victim)
        return seen.evidence if seen.answers and seen.in_rotation else None
