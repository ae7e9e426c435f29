"""A node is sent a small share of newcomers, as a canary is: whoever has a cookie should stay where it leads."""

from compose.cluster import OF_A_CANARY, Balancing
from compose.engines.contract import Cluster
from loadtests.faults.contract import Evidence, Fault, Target

STRANGERS = 27  # three whole turns of three nodes by weights 1, 4 and 4; nine of equal ones
IN_TURN = ("cookie", "round-robin")


class FewerNewcomers(Fault):
    """Weights change while people are there; healing gives each node the same one again."""

    kind = "fewer-newcomers"
    colour = "#5d7a9e"
    doing = "Sending fewer newcomers to"
    done = "sent fewer newcomers"
    rations = True
    sentence = (
        f"A node is sent one newcomer where each other node is sent {OF_A_CANARY}, until healed; whoever a cookie "
        "leads somewhere should stay there."
    )

    def nothing_there(self, cluster: Cluster) -> str:
        architecture = cluster.spec.architecture
        return "" if architecture.affinity in IN_TURN else f"{architecture.name} deals nobody in turn"

    def inject(self, target: Target) -> None:
        target.cluster.balance(Balancing(canary=target.victim))

    def observe(self, target: Target) -> Evidence | None:
        # Some, and not none: out of rotation it would be sent nobody.
        share, words = _share(target)
        return (words,) if share is not None and 0 < share < _between(target) else None

    def heal(self, target: Target) -> None:
        target.cluster.balance(Balancing())

    def observe_healed(self, target: Target) -> Evidence | None:
        share, words = _share(target)
        return (words,) if share is not None and share > _between(target) else None


def _share(target: Target) -> tuple[float | None, str]:
    """The victim's share of strangers, and the same in words; None if some were answered by nobody."""
    found = target.cluster.ask_strangers(STRANGERS)
    words = f"{found[target.victim]} of {found.total()} strangers were sent to {target.victim}"
    return (found[target.victim] / STRANGERS if found.total() == STRANGERS else None), words


def _between(target: Target) -> float:
    """Half-way between a canary's share and an equal one."""
    nodes = len(target.nodes)
    return (1 / (1 + OF_A_CANARY * (nodes - 1)) + 1 / nodes) / 2
