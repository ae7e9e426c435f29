"""What a round is about: an episode, or free play. Its scenario, and the faults that can be made in it, as buttons."""

from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec.structs import replace

from compose.architectures import Architecture, architecture_named
from compose.balancers import balancer_named, check_balancer
from compose.cluster import DEFAULT_BALANCER
from compose.engines.contract import Cluster
from loadtests.faults import FAULTS, Fault
from loadtests.model.plan import Plan
from loadtests.model.scenario import Load, Scenario
from loadtests.planning.make_plan import make_plan
from loadtests.planning.rules import BadValue, check_rules
from loadtests.running.fault_run import CLUSTER, nothing_there
from loadtests.workshop.contract import Button
from loadtests.workshop.episode_file import episode_named
from shared.errors import ScenarioError, UsageError

# What can be broken in free play. Not conditions, which are there from the start or not at all; and nothing for which
# the cluster would have to be started otherwise than in an ordinary run.
FREE_PLAY = tuple(fault.kind for fault in sorted(FAULTS.values(), key=lambda fault: fault.free_play) if fault.free_play)
SPARE_S = 45.0  # the shoppers' plan goes on for so long after the window, in case something has to be healed then
SEED = 1  # always the same shoppers: the lesson's pages quote numbers of their rounds
# Free play: nothing is predicted of it.
OPEN = Scenario(
    question="What becomes of the shoppers when somebody breaks something?",
    family="workshop",
    load=Load(shoppers=24, seconds=20 * 60.0, think_ms=700),
    story="Free play in a workshop: people shop in two shops at once, and whoever teaches breaks what they like.",
    name="open",
)


class WorkshopRequest(msgspec.Struct, frozen=True):
    """What somebody asked for."""

    architectures: tuple[str, str] = ("sticky-memory", "redis")
    """Of free play; an episode has its own. Both may be the same one, if it stands behind two balancers."""
    balancers: tuple[str, str] = (DEFAULT_BALANCER, DEFAULT_BALANCER)
    """In front of both shops. An episode is played behind the first of them."""
    shoppers: int | None = None
    """None: as many as the episode has."""
    nodes: int | None = None
    predict: bool = True
    runs: Path = Path("runs")
    command: tuple[str, ...] = ("twinshop", "workshop")
    """As it is written into the rounds' folders."""


class SideSpec(msgspec.Struct, frozen=True):
    """What one side of a round measures."""

    architecture: Architecture
    """By its name everything of this side is found in the run's files; so where both sides have one architecture, the
    name says the balancer, too."""
    balancer: str = DEFAULT_BALANCER
    """By name."""


class RoundSpec(msgspec.Struct, frozen=True):
    """What a round is about."""

    scenario: Scenario
    """Its faults are those without which its predictions are not put to the test; when, people decide."""
    buttons: tuple[str, ...]
    """Kinds of faults that can be made."""
    sides: tuple[SideSpec, SideSpec]
    """Left and right."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of both sides, in the run's files."""
        return tuple(side.architecture.name for side in self.sides)

    @property
    def balancer(self) -> str:
        """Of both sides, by name; where there are two, both: "envoy, haproxy"."""
        return ", ".join(dict.fromkeys(side.balancer for side in self.sides))

    @property
    def window_ms(self) -> int:
        """When it would be closed by itself."""
        return round(self.scenario.load.seconds * 1000)

    def plan(self) -> Plan:
        """Who does what when. Its faults are not planned."""
        spare = SPARE_S if self.buttons else 0.0  # without: what behaves by the clock must not come too late for it
        load = replace(self.scenario.load, seconds=self.scenario.load.seconds + spare)
        return make_plan(replace(self.scenario, load=load, fault=()), seed=SEED)


def round_spec(episode: str, request: WorkshopRequest) -> RoundSpec:
    """That episode, or free play (""), as it was asked for. An episode compares architectures, its own: both its sides
    are behind the first balancer.

    Raises:
        UsageError: there is no such episode.
        ScenarioError: so many shoppers or nodes make no sense.
    """
    architectures, balancers = request.architectures, request.balancers
    if episode:
        found = episode_named(episode)
        scenario, buttons, architectures = found.scenario, found.buttons, found.architectures
        balancers = (balancers[0], balancers[0])
    else:
        scenario, buttons = replace(OPEN, architectures=tuple(dict.fromkeys(architectures))), FREE_PLAY
    load = replace(scenario.load, shoppers=request.shoppers or scenario.load.shoppers)
    scenario = replace(scenario, load=load, nodes=request.nodes or scenario.nodes)
    try:
        check_rules(scenario)
    except BadValue as bad:
        raise ScenarioError(str(bad), why=f"expected {bad.expected}", next_step="ask for another number") from bad
    return RoundSpec(scenario, buttons, _sides(architectures, balancers))


def _sides(architectures: tuple[str, str], balancers: tuple[str, str]) -> tuple[SideSpec, SideSpec]:
    alike = len(set(architectures)) == 1  # by name everything of a side is found: two must not have one
    left, right = (
        SideSpec(_behind(architecture_named(name), balancer) if alike else architecture_named(name), balancer)
        for name, balancer in zip(architectures, balancers, strict=True)
    )
    return left, right


def _behind(architecture: Architecture, balancer: str) -> Architecture:
    """The same, by a name that no other balancer's side has."""
    summary = f"{architecture.summary} Behind {balancer_named(balancer).title}."
    return replace(architecture, name=f"{architecture.name}-{balancer}", summary=summary)


def check_sides(architectures: tuple[str, str], balancers: tuple[str, str], engine: str) -> None:
    """Make sure that such shops can stand side by side.

    Raises:
        UsageError: they cannot be told apart, or differ in two ways, or a balancer cannot do what is asked of it.
    """
    if architectures[0] == architectures[1] and balancers[0] == balancers[1]:
        raise UsageError(
            f"a workshop has two different shops, not {architectures[0]} twice",
            next_step="twinshop workshop --architecture sticky-memory --architecture redis",
        )
    if architectures[0] != architectures[1] and balancers[0] != balancers[1]:
        raise UsageError(
            "two architectures and two balancers cannot be compared at once",
            why="whatever differs could be the doing of either",
            next_step=f"name one --architecture, or one --balancer: --architecture {architectures[0]}",
        )
    for name, balancer in zip(architectures, balancers, strict=True):
        check_balancer(architecture_named(name), balancer, engine=engine)


def buttons_for(kinds: Iterable[str], clusters: Iterable[Cluster]) -> tuple[Button, ...]:
    """Those of these kinds that find something to strike in at least one of the clusters."""
    there, faults = tuple(clusters), [FAULTS[kind] for kind in kinds]
    return tuple(
        Button(fault.kind, fault.label, fault.sentence, fault.strikes, fault.colour)
        for fault in faults
        if any(_strikes(fault, cluster) for cluster in there)
    )


def _strikes(fault: Fault, cluster: Cluster) -> bool:
    return not nothing_there(fault, cluster, CLUSTER if fault.strikes == "node" else fault.strikes)
