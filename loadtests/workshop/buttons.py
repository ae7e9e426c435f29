"""The faults that can be made in a round, as buttons."""

from __future__ import annotations

from collections.abc import Iterable

from compose.engines.contract import Cluster
from loadtests.faults import FAULTS, Fault
from loadtests.workshop.contract import Button

FREE_PLAY = tuple(fault.kind for fault in sorted(FAULTS.values(), key=lambda fault: fault.free_play) if fault.free_play)
"""What can be broken in free play. Not conditions, which are there from the start or not at all; and nothing for which
the cluster would have to be started otherwise than in an ordinary run."""


def buttons_for(kinds: Iterable[str], clusters: Iterable[Cluster]) -> tuple[Button, ...]:
    """Those of these kinds that find something to strike in at least one of the clusters."""
    there = tuple(clusters)
    return tuple(_button(FAULTS[kind]) for kind in kinds if any(_strikes(FAULTS[kind], each) for each in there))


def _strikes(fault: Fault, cluster: Cluster) -> bool:
    has_it = fault.strikes in ("node", "cluster") or fault.strikes in cluster.parts()
    return has_it and not fault.nothing_there(cluster)


def _button(fault: Fault) -> Button:
    return Button(fault.kind, fault.button, fault.sentence, fault.strikes, fault.colour)
