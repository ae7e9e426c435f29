"""The faults that can be made in a round, as buttons."""

from __future__ import annotations

from collections.abc import Iterable

from compose.engines.contract import Cluster
from loadtests.faults import FAULTS, Fault
from loadtests.workshop.contract import Button

FREE_PLAY = (
    "kill", "stop", "freeze", "restart", "slow", "sick", "drain", "deploy", "scale-out", "scale-in", "key-swap",
    "no-affinity", "balancer-restart", "store-kill", "store-freeze",
)  # fmt: skip
"""What can be broken in free play. Not conditions, which are there from the start or not at all; and nothing for which
the cluster would have to be started otherwise than in an ordinary run."""
DONE_TO_A_PART = ("kill", "freeze", "restart", "cut", "slow")
"""The second word of a kind whose first word is the part: `store-kill`."""


def buttons_for(kinds: Iterable[str], clusters: Iterable[Cluster]) -> tuple[Button, ...]:
    """Those of these kinds that find something to strike in at least one of the clusters."""
    there = tuple(clusters)
    return tuple(_button(FAULTS[kind]) for kind in kinds if any(_strikes(FAULTS[kind], each) for each in there))


def _strikes(fault: Fault, cluster: Cluster) -> bool:
    has_it = fault.strikes in ("node", "cluster") or fault.strikes in cluster.parts()
    return has_it and not fault.nothing_there(cluster)


def _button(fault: Fault) -> Button:
    return Button(fault.kind, label_of(fault.kind), fault.sentence, fault.strikes, fault.colour)


def label_of(kind: str) -> str:
    """As in: Kill; Scale out; Kill the store."""
    first, _, second = kind.partition("-")
    words = f"{second} the {first}" if second in DONE_TO_A_PART else kind.replace("-", " ")
    return words.capitalize()
