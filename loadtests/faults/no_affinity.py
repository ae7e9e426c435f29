"""The balancer loses its affinity: each request goes to the next node in turn, whoever sends it."""

from compose.cluster import Balancing
from compose.engines.contract import Cluster
from loadtests.faults.bases import AFFINITY_LOST, Misroutes
from loadtests.faults.effects import AffinityLost

AFFINE = ("cookie", "hash", "address")


class NoAffinity(Misroutes):
    """As after a wrong line in the balancer's configuration."""

    kind = "no-affinity"
    colour = "#a25a05"
    doing = "Taking affinity from"
    done = "without affinity"
    free_play = 12
    causes = (AFFINITY_LOST,)
    brings = (AffinityLost,)
    sentence = "The balancer sends each request to the next node in turn, whoever sends it, until it is healed."
    balancing = Balancing(affinity=False)

    def nothing_there(self, cluster: Cluster) -> str:
        architecture = cluster.spec.architecture
        affine = architecture.affinity in AFFINE
        return "" if affine else f"{architecture.name} has no affinity: its balancer picks by {architecture.affinity}"

    def is_so(self, told: Balancing) -> bool:
        return not told.affinity
