"""Every process signs with a key of its own, made when it starts: nobody has set one."""

from loadtests.faults.bases import KEY_CHANGED, Condition
from loadtests.faults.contract import Evidence, Target
from loadtests.faults.effects import KeyOfItsOwn


class KeyPerProcess(Condition):
    """`secret_key = os.urandom(24)`, as first examples have it: it works as long as there is one process."""

    kind = "key-per-process"
    colour = "#9a5f18"
    doing = "Giving separate keys to the processes of"
    done = "run with a key of its own in each process"
    causes = (KEY_CHANGED,)
    brings = (KeyOfItsOwn,)
    sets = ("key_per_process", True)
    sentence = "Every process of every node signs with a key that it made itself when it started."

    def observe(self, target: Target) -> Evidence | None:
        states = {node.name: target.cluster.state(node.name) for node in target.cluster.nodes()}
        # Without a name: it is none of the keys that the cluster has given to anybody.
        if any(state is None or state.key is not None for state in states.values()):
            return None
        return tuple(f"{node} signs with a key that nobody gave it" for node in states)
