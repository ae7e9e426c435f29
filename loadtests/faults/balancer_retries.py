"""The balancer retries: a request that failed is sent to another node, though the first may have done it."""

from compose.cluster import Balancing
from compose.engines.contract import Cluster
from loadtests.faults.bases import Misroutes


class BalancerRetries(Misroutes):
    """Once, on another node, after a 5xx or a lost connection."""

    kind = "balancer-retries"
    colour = "#c95b0a"
    doing = "Switching on retries in"
    done = "retrying"
    asks_of_balancer = "live_retries"
    sentence = "The balancer sends a request that failed once more, to another node, though the first may have done it."
    balancing = Balancing(retries=1)

    def nothing_there(self, cluster: Cluster) -> str:
        retries = cluster.spec.limits.balancer_retries
        return f"its balancer retries anyway, {'once' if retries == 1 else f'{retries} times'}" if retries else ""

    def is_so(self, told: Balancing) -> bool:
        return bool(told.retries)
