"""An episode of the lesson: a story, a question, two shops, what may be broken, and what should come of it.

One TOML file each in `loadtests/workshop/episodes`, read strictly. The words for people (`story`, `text`, `tips`) are
what the dashboard and docs/tutorial show; `expect` and `check` are rules, and judge the round and the learner's result.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec
from msgspec.structs import replace

from loadtests.model.scenario import FaultSpec, Load, Scenario
from loadtests.workshop.contract import SIDES, SideName


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What all tables of an episode's file have: no unknown keys."""


class Choice(_Part, frozen=True):
    """One of the answers to a question that has choices."""

    value: str
    text: str
    when: str = ""
    """A rule over the results (see `loadtests.workshop.measured`): this is what was observed if it holds."""


class Question(_Part, frozen=True):
    """What is to be predicted before anything is seen."""

    id: str
    text: str
    kind: Literal["number", "choice"]
    choices: tuple[Choice, ...] = ()
    unit: str = ""
    """What a number counts: "shoppers"."""
    observed: str = ""
    """Of a number: the measure of a side that answers it, "left.logged_out"."""
    truth: str = ""
    """A fixed answer, where no file of a run holds it (what becomes of the person at the browser). Neither this nor
    `observed` nor a choice's `when`: it asks for a decision, and nothing answers it."""


class EpisodeCheck(_Part, frozen=True):
    """One thing that the learner's own result must show."""

    shows: str
    """What has been shown if the rule holds, in a sentence."""
    rule: str
    """Over the results: "left.logged_out == left.at_risk"."""
    next_step: str
    """What to do if it does not hold yet."""


class ScriptStep(_Part, frozen=True):
    """One step of the rehearsal, which plays the episode as a person with a browser would."""

    do: Literal["predict", "release", "enter", "look", "wait", "break", "heal", "close"]
    """predict, release, break, heal, close: the commands of the contract. enter: log in to both shops as a person of
    one's own. look: open the cart there again. wait: until the dashboard shows something."""
    answers: dict[str, str] = {}
    """Of predict: by question id."""
    reason: str = ""
    """Of predict."""
    kind: str = ""
    """Of break: the fault."""
    sides: tuple[SideName, ...] = SIDES
    """Of break and enter."""
    victim: str = ""
    """Of break: a part, or "mine": the node that serves the person in the left shop."""
    until: str = ""
    """Of wait: a rule over what the dashboard shows ("right.logged_out >= 1", "left.shopping >= U", "left.broken == 0",
    "left.ended"…)."""
    within_s: float = 120.0
    """Of wait: it fails after that. A bound for what never comes, and no promise of a time."""
    left: str = ""
    """Of look: "known" or "stranger"; "" is not looked at."""
    right: str = ""


class ScenarioKeys(_Part, frozen=True):
    """What an episode's file says of its round: a scenario for two shops, with less to write."""

    question: str
    """In one sentence, ending with a question mark."""
    left: str
    """Architecture."""
    right: str
    story: str
    about: tuple[str, ...] = ()
    """Kinds of faults without which a round proves nothing. They are the scenario's faults; when, people decide."""
    shoppers: int = 30
    nodes: int = 3
    seconds: float = 600.0
    """The round ends by itself after that; where the story needs a clock (`behaviour`), at a fixed time."""
    think_ms: int = 500
    login_within_ms: int = 1500
    behaviour: str = "shop"
    expect: dict[str, dict[str, str]] = {}
    """Predictions by architecture: they hold in every round in which what it is `about` was made."""

    def scenario(self, name: str) -> Scenario:
        """The round's scenario."""
        return Scenario(
            question=self.question,
            family="workshop",
            load=Load(self.shoppers, self.seconds, self.think_ms, self.login_within_ms, behaviour=self.behaviour),
            story=self.story.strip(),
            nodes=self.nodes,
            architectures=(self.left, self.right),
            # Seconds that only keep their order: when, people decide.
            fault=tuple(FaultSpec(kind, at_s=float(place)) for place, kind in enumerate(self.about)),
            expect=self.expect,
            name=name,
        )


class Episode(_Part, frozen=True):
    """One episode."""

    scenario: Scenario
    """Of its round; its name is the file's, without the number."""
    number: int
    title: str
    minutes: int
    """How long it takes with a class: for the instructor's view only."""
    objectives: tuple[str, ...]
    """What one is able to do afterwards; each can be tested."""
    new_idea: str
    new_control: str
    questions: tuple[Question, ...]
    tips: tuple[str, str, str]
    """A tip, a bigger tip, the solution."""
    explanation: str
    check: tuple[EpisodeCheck, ...]
    script: tuple[ScriptStep, ...]
    buttons: tuple[str, ...] = ()
    """Kinds of faults that can be made in this episode."""
    reason_prompt: str = "Why do you think so?"

    @property
    def name(self) -> str:
        """As in `twinshop goto kill-one-of-three`."""
        return self.scenario.name

    def of_so_many(self, shoppers: int) -> Episode:
        """What it says to people in a round of that many shoppers: its texts name as many as it has itself."""
        own = self.scenario.load.shoppers
        # Only where it counts people: the same number may be one of seconds or nodes.
        counted = re.compile(rf"\b{own}(?= (?:simulated |copied )?(?:shoppers|cookies)\b)")

        def said(text: str) -> str:
            return counted.sub(str(shoppers), text)

        return replace(
            self,
            scenario=replace(self.scenario, story=said(self.scenario.story)),
            questions=tuple(replace(question, text=said(question.text)) for question in self.questions),
        )

    @property
    def architectures(self) -> tuple[str, str]:
        """Left and right."""
        left, right = self.scenario.architectures
        return left, right
