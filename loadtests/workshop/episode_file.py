"""Reads the episodes from their files, strictly: what makes no sense in one is an error that says where."""

import tomllib
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec

from compose.architectures import did_you_mean
from loadtests.faults import FAULTS
from loadtests.model.formulas import is_true
from loadtests.planning.rules import BadValue, check_rules, is_condition
from loadtests.workshop.episode import Episode, Question, ScenarioKeys
from loadtests.workshop.measured import NAME, known_names
from shared.errors import ScenarioError, UsageError

EPISODES = Path(__file__).parent / "episodes"
NEEDED = ("title", "new_idea", "new_control", "explanation", "reason_prompt")


@cache
def load_episodes() -> tuple[Episode, ...]:
    """All episodes, in the order of the lesson.

    Raises:
        ScenarioError: a file makes no sense.
    """
    episodes = (read_episode(path.read_bytes(), file=path) for path in EPISODES.glob("*.toml"))
    return tuple(sorted(episodes, key=lambda episode: episode.number))


def episode_named(name_or_number: str) -> Episode:
    """The episode of that name ("kill-one-of-three") or number ("2").

    Raises:
        UsageError: there is none; the message lists them.
    """
    if (found := find_episode(name_or_number)) is not None:
        return found
    episodes = load_episodes()
    raise UsageError(
        f"there is no episode {name_or_number!r}",
        why="there are: "
        + ", ".join(f"{episode.number} {episode.name}" for episode in episodes)
        + did_you_mean(name_or_number, [episode.name for episode in episodes]),
        next_step="name one of them, by its name or its number",
    )


def find_episode(name_or_number: str) -> Episode | None:
    """The episode of that name or number; None if there is none."""
    return next((it for it in load_episodes() if name_or_number in (it.name, str(it.number))), None)


def read_episode(content: bytes, *, file: Path) -> Episode:
    """The episode in these bytes; its name is the file's, without the number in front.

    Raises:
        ScenarioError: it is not TOML, or makes no sense; says where and what was expected.
    """
    number, _, name = file.stem.partition("-")  # 2-kill-one-of-three.toml
    try:
        document: dict[str, Any] = tomllib.loads(content.decode())
        of_scenario = {key: document.pop(key) for key in ScenarioKeys.__struct_fields__ if key in document}
        scenario = msgspec.convert(of_scenario, type=ScenarioKeys, strict=True).scenario(name)
        check_rules(scenario)
        episode = msgspec.convert({**document, "scenario": scenario}, type=Episode, strict=True)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError, BadValue) as error:
        raise ScenarioError(f"{file} is no episode", why=str(error), next_step=f"fix {file}") from error
    for problem in _problems(episode, number):  # the first: what follows may only follow from it
        raise ScenarioError(f"{file}: {problem}", next_step=f"fix {file}")
    return episode


def _problems(episode: Episode, number: str) -> Iterator[str]:
    """What makes no sense in it beyond its scenario, each in a sentence."""
    if number != str(episode.number):
        yield f"its name begins with {number!r}, and its number is {episode.number}"
    yield from (f"{field} is empty" for field in NEEDED if not getattr(episode, field).strip())
    if not episode.scenario.story:
        yield "story is empty"
    for architecture in episode.architectures:
        if not episode.scenario.expect.get(architecture):
            yield f"expect: nothing is expected of {architecture}, so its round would always be inconclusive"
    yield from _faults(episode)
    yield from _questions(episode)
    if not episode.check:
        yield "check: there is none, so nothing could be shown"
    yield from chain.from_iterable(_rule(check.rule) for check in episode.check)
    yield from _script(episode)


def _faults(episode: Episode) -> Iterator[str]:
    for kind in episode.buttons:
        if kind not in FAULTS:
            yield f"buttons: there is no fault {kind!r}"
        # A condition is there from the start or not at all; wires must be there before the cluster is.
        elif is_condition(kind) or FAULTS[kind].needs_wires:
            yield f"buttons: {kind} cannot be made while the cluster runs"
    about = [fault.kind for fault in episode.scenario.fault]
    yield from (f"about: {kind} is none of the buttons" for kind in about if kind not in episode.buttons)


def _questions(episode: Episode) -> Iterator[str]:
    ids = [question.id for question in episode.questions]
    if not ids or len(set(ids)) < len(ids):
        yield "questions: there is none, or two have one id"
    for question in episode.questions:
        yield from (f"questions, {question.id}: {problem}" for problem in _question(question))


def _question(question: Question) -> Iterator[str]:
    values = [choice.value for choice in question.choices]
    if (question.kind == "choice") != (len(values) > 1):
        yield "a choice has two choices or more, a number has none"
    if len(set(values)) < len(values):
        yield "two choices have one value"
    if question.kind == "choice" and question.truth and question.truth not in values:
        yield f"its truth {question.truth!r} is none of its choices"
    if question.kind == "number" and not (question.observed or question.truth):
        yield "nothing answers it: it needs observed or truth"
    if question.observed and question.observed not in known_names():
        yield f"there is no number {question.observed!r}"
    yield from chain.from_iterable(_rule(choice.when) for choice in question.choices if choice.when)


def _rule(rule: str) -> Iterator[str]:
    for name in NAME.findall(rule):
        if name not in known_names():
            yield f"{rule!r}: there is no number {name!r}"
            return
    try:
        is_true(rule, dict.fromkeys(known_names(), 1.0))  # with any numbers: only whether it can be reckoned
    except ValueError as error:
        yield str(error)


def _script(episode: Episode) -> Iterator[str]:
    asked = {question.id for question in episode.questions}
    for step in episode.script:
        if step.do == "predict" and set(step.answers) != asked:
            yield f"script: it predicts {sorted(step.answers)}, asked are {sorted(asked)}"
        if step.do == "break" and step.kind not in episode.buttons:
            yield f"script: {step.kind!r} is none of the buttons"
        if (step.do == "wait") != bool(step.until):
            yield f"script: {step.do} with until {step.until!r}"
    if [step.do for step in episode.script[:2]] != ["predict", "release"] or episode.script[-1].do != "close":
        yield "script: it begins with predict and release, and ends with close"
