"""What a round is about: an episode, or free play. Its scenario, and the faults that can be made in it, as buttons."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from compose.cluster import Limits
from compose.engines.contract import Cluster
from loadtests.faults import FAULTS, Fault
from loadtests.model.plan import Plan
from loadtests.model.scenario import Load, Scenario
from loadtests.planning.make_plan import make_plan
from loadtests.planning.rules import BadValue, check_rules
from loadtests.workshop.contract import Button
from loadtests.workshop.episode_file import episode_named
from shared.errors import ScenarioError

FREE_PLAY = tuple(fault.kind for fault in sorted(FAULTS.values(), key=lambda fault: fault.free_play) if fault.free_play)
"""What can be broken in free play. Not conditions, which are there from the start or not at all; and nothing for which
the cluster would have to be started otherwise than in an ordinary run."""
SPARE_S = 45.0
"""The shoppers' plan goes on for so long after the window's planned end, in case something has to be healed then."""
SEED = 1
OPEN = Scenario(
    question="What becomes of the shoppers when somebody breaks something?",
    family="workshop",
    load=Load(shoppers=24, seconds=20 * 60.0, think_ms=700),
    story="Free play in a workshop: people shop in two shops at once, and whoever teaches breaks what they like.",
    name="open",
)
"""Free play: nothing is predicted of it."""


class RoundSpec(msgspec.Struct, frozen=True):
    """What a round is about."""

    scenario: Scenario
    """Its faults are those without which its predictions are not put to the test; when, people decide."""
    buttons: tuple[str, ...]
    """Kinds of faults that can be made."""

    @property
    def window_ms(self) -> int:
        """When it would be closed by itself."""
        return round(self.scenario.load.seconds * 1000)

    def plan(self) -> Plan:
        """Who does what when. Its faults are not planned."""
        spare = SPARE_S if self.buttons else 0.0  # without: what behaves by the clock must not come too late for it
        load = replace(self.scenario.load, seconds=self.scenario.load.seconds + spare)
        return make_plan(replace(self.scenario, load=load, fault=()), seed=SEED)

    def limits(self) -> Limits:
        """Those of every run, with what the round's faults need from the start."""
        limits = Limits()
        for kind in self.buttons:
            limits = FAULTS[kind].prepare(limits)
        return limits


def round_spec(
    episode: str, architectures: tuple[str, str], shoppers: int | None = None, nodes: int | None = None
) -> RoundSpec:
    """That episode, or free play ("") on these architectures; `shoppers` and `nodes` change what either would have.

    Raises:
        UsageError: there is no such episode.
        ScenarioError: so many shoppers or nodes make no sense.
    """
    if episode:
        found = episode_named(episode)
        scenario, buttons = found.scenario, found.buttons
    else:
        scenario, buttons = replace(OPEN, architectures=architectures), FREE_PLAY
    load = scenario.load if shoppers is None else replace(scenario.load, shoppers=shoppers)
    scenario = replace(scenario, load=load, nodes=nodes or scenario.nodes)
    try:
        check_rules(scenario)
    except BadValue as bad:
        raise ScenarioError(str(bad), why=f"expected {bad.expected}", next_step="ask for another number") from bad
    return RoundSpec(scenario, buttons)


def buttons_for(kinds: Iterable[str], clusters: Iterable[Cluster]) -> tuple[Button, ...]:
    """Those of these kinds that find something to strike in at least one of the clusters."""
    there = tuple(clusters)
    return tuple(_button(FAULTS[kind]) for kind in kinds if any(_strikes(FAULTS[kind], each) for each in there))


def _strikes(fault: Fault, cluster: Cluster) -> bool:
    has_it = fault.strikes in ("node", "cluster") or fault.strikes in cluster.parts()
    return has_it and not fault.nothing_there(cluster)


def _button(fault: Fault) -> Button:
    return Button(fault.kind, fault.button, fault.sentence, fault.strikes, fault.colour)
