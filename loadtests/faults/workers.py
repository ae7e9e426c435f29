"""Each node has two worker processes: two memories behind one name, which no balancer can tell apart."""

from loadtests.faults.bases import Condition
from loadtests.faults.contract import Evidence, Target
from loadtests.faults.effects import SeveralMemories
from loadtests.model.results import Cause

OTHER_WORKER = Cause(
    "worker",
    "The node serves its address with several processes, and another one answered than holds the session.",
)
WORKERS = 2
ASKED = 12  # times is a node asked who answers, in one look


class Workers(Condition):
    """The usual setting of a web server, and a trap for sessions in memory."""

    kind = "workers"
    colour = "#d7397b"
    doing = "Doubling the worker processes in"
    done = "run with two processes in each node"
    causes = (OTHER_WORKER,)
    brings = (SeveralMemories,)
    sets = ("node_workers", WORKERS)
    sentence = f"Each node serves its address with {WORKERS} processes, each of which has a memory of its own."

    def observe(self, target: Target) -> Evidence | None:
        found = {node.name: _processes(target, node.name) for node in target.cluster.nodes()}
        if any(len(pids) < WORKERS for pids in found.values()):
            return None
        return tuple(
            f"{node} is served by processes {', '.join(map(str, sorted(pids)))}" for node, pids in found.items()
        )


def _processes(target: Target, node: str) -> set[int]:
    """Who answered for the node, or was named by who did."""
    pids: set[int] = set()
    # Which process answers is the system's choice, and a single one may answer several times in a row.
    for _ in range(ASKED):
        state = target.cluster.state(node)
        if state is None:
            break
        pids |= {state.pid, *state.pids}
        if len(pids) >= WORKERS:
            break
    return pids
