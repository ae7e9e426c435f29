"""The balancer is told to read its configuration anew; what its old worker had learnt goes with that."""

from compose.balancers import balancer_named
from compose.engines.contract import Cluster
from loadtests.faults.balancer_reload import BalancerReload
from loadtests.faults.effects import AffinityForgotten
from loadtests.model.results import Cause

TABLE_FORGOTTEN = Cause(
    "affinity_forgotten", "The balancer itself had remembered which node the shopper belongs to, and forgot it."
)


class TableForgotten(BalancerReload):
    """As after any change of its configuration: nothing is down for a moment."""

    kind = "table-forgotten"
    colour = "#7d6a12"
    doing = "Reloading and so emptying the table of"
    done = "reloaded, with its table forgotten"
    button = "Forget the balancer's table"
    asks_of_balancer = "affinity_table"
    causes = (TABLE_FORGOTTEN,)
    brings = (AffinityForgotten,)
    sentence = "The balancer is told to read its files anew, and forgets which node it has sent whom to."

    def nothing_there(self, cluster: Cluster) -> str:
        architecture, balancer = cluster.spec.architecture, balancer_named(cluster.spec.balancer)
        if architecture.affinity != "cookie":
            return f"the balancer of {architecture.name} keeps nobody at a node"
        return "" if balancer.can.affinity_table else f"{balancer.title} does not remember itself who belongs where"
