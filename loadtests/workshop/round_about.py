"""What a round is about: an episode, or free play. Who shops, what may be broken, and the scenario in its folder."""

from __future__ import annotations

import json

import msgspec

from compose.cluster import Limits
from loadtests.faults import FAULTS
from loadtests.model.plan import Plan
from loadtests.model.scenario import Load, Scenario
from loadtests.planning.make_plan import make_plan
from loadtests.planning.scenario_file import read_scenario
from loadtests.workshop.buttons import FREE_PLAY
from loadtests.workshop.episode import Episode
from loadtests.workshop.episode_file import episode_named

FREE_SECONDS = 20 * 60.0
FREE_SHOPPERS = 24
FREE_NODES = 3
FREE_THINK_MS = 700
SPARE_S = 45.0
"""The shoppers' plan goes on for so long after the window's planned end, in case something has to be healed then."""
SEED = 1


class RoundAbout(msgspec.Struct, frozen=True):
    """What a round is about."""

    name: str
    """The episode's; "open" for free play."""
    question: str
    story: str
    architectures: tuple[str, str]
    load: Load
    nodes: int
    buttons: tuple[str, ...]
    """Kinds of faults that can be made."""
    foreseen: tuple[str, ...] = ()
    """Kinds without which its predictions are not put to the test: the faults of its scenario."""
    expect: dict[str, dict[str, str]] = {}
    """By architecture, as in a scenario; nothing is predicted of free play."""

    @property
    def window_ms(self) -> int:
        """When it would be closed by itself."""
        return round(self.load.seconds * 1000)

    def scenario(self) -> bytes:
        """`scenario.toml`."""
        content = "\n".join(_lines(self)).encode() + b"\n"
        read_scenario(content, file=f"the scenario of {self.name}", name=self.name)
        return content

    def plan(self) -> Plan:
        """Who does what when. Its faults are not planned."""
        spare = SPARE_S if self.buttons else 0.0  # without: what behaves by the clock must not come too late for it
        load = msgspec.structs.replace(self.load, seconds=self.load.seconds + spare)
        scenario = Scenario(self.question, "workshop", load, nodes=self.nodes, name=self.name)
        return make_plan(scenario, seed=SEED)

    def limits(self) -> Limits:
        """Those of every run, with what the round's faults need from the start."""
        limits = Limits()
        for kind in self.buttons:
            limits = FAULTS[kind].prepare(limits)
        return limits


def round_about(
    episode: str, architectures: tuple[str, str], shoppers: int | None = None, nodes: int | None = None
) -> RoundAbout:
    """That episode, or free play ("") on these architectures; `shoppers` and `nodes` change what either would have.

    Raises:
        UsageError: there is no such episode.
    """
    about = _lesson(episode_named(episode)) if episode else _free_play(architectures)
    load = about.load if shoppers is None else msgspec.structs.replace(about.load, shoppers=shoppers)
    return msgspec.structs.replace(about, load=load, nodes=nodes or about.nodes)


def _lesson(episode: Episode) -> RoundAbout:
    return RoundAbout(
        name=episode.name,
        question=episode.question,
        story=episode.story.strip(),
        architectures=episode.architectures,
        load=episode.load(),
        nodes=episode.nodes,
        buttons=episode.buttons,
        foreseen=episode.about,
        expect=episode.expect,
    )


def _free_play(architectures: tuple[str, str]) -> RoundAbout:
    return RoundAbout(
        name="open",
        question="What becomes of the shoppers when somebody breaks something?",
        story="Free play in a workshop: people shop in two shops at once, and whoever teaches breaks what they like.",
        architectures=architectures,
        load=Load(FREE_SHOPPERS, FREE_SECONDS, FREE_THINK_MS),
        nodes=FREE_NODES,
        buttons=FREE_PLAY,
    )


def _lines(about: RoundAbout) -> list[str]:
    load = about.load
    lines = [
        f"question = {_text(about.question)}",
        'family = "workshop"',
        f"story = {_text(about.story)}",
        f"nodes = {about.nodes}",
        f"architectures = [{', '.join(map(_text, about.architectures))}]",
        "",
        "[load]",
        *(f"{name} = {_value(getattr(load, name))}" for name in ("shoppers", "seconds", "think_ms", "login_within_ms")),
        f"behaviour = {_text(load.behaviour)}",
    ]
    for number, kind in enumerate(about.foreseen):
        lines += ["", "# somebody makes it when they like", "[[fault]]", f"kind = {_text(kind)}", f"at_s = {number}.0"]
    for architecture, said in about.expect.items():
        lines += ["", f"[expect.{architecture}]", *(f"{measure} = {_text(text)}" for measure, text in said.items())]
    return lines


def _text(text: str) -> str:
    """As a string of TOML: JSON's is one."""
    return json.dumps(text, ensure_ascii=False)


def _value(number: float) -> str:
    return repr(number)
