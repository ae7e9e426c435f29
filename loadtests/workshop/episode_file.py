"""Reads the episodes from their files, strictly: what makes no sense in one is an error that says where."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec

from compose.architectures import ARCHITECTURES
from loadtests.behaviours import BEHAVIOURS
from loadtests.checks import MEASURES
from loadtests.faults import FAULTS
from loadtests.model.formulas import is_true, parse_prediction
from loadtests.planning.rules import did_you_mean, is_condition
from loadtests.workshop.episode import Episode, Question
from loadtests.workshop.measured import NAME, known_names
from shared.errors import ScenarioError, UsageError

EPISODES = Path(__file__).parent / "episodes"
NEEDED = ("title", "story", "new_idea", "new_control", "explanation", "reason_prompt")


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
    episodes = load_episodes()
    for episode in episodes:
        if name_or_number in (episode.name, str(episode.number)):
            return episode
    names = [episode.name for episode in episodes]
    raise UsageError(
        f"there is no episode {name_or_number!r}",
        why="there are: "
        + ", ".join(f"{episode.number} {episode.name}" for episode in episodes)
        + did_you_mean(name_or_number, names),
        next_step="name one of them, by its name or its number",
    )


def is_episode(name_or_number: str) -> bool:
    """Whether there is an episode of that name or number."""
    return any(name_or_number in (episode.name, str(episode.number)) for episode in load_episodes())


def read_episode(content: bytes, *, file: Path) -> Episode:
    """The episode in these bytes; its name is the file's, without the number in front.

    Raises:
        ScenarioError: it is not TOML, or makes no sense; says where and what was expected.
    """
    try:
        document: dict[str, Any] = tomllib.loads(content.decode())
        episode = msgspec.convert(document, type=Episode, strict=True)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ScenarioError(f"{file} is no episode", why=str(error), next_step=f"mend {file}") from error
    number, _, name = file.stem.partition("-")
    for problem in _problems(episode, number):
        raise ScenarioError(f"{file}: {problem}", next_step=f"mend {file}")
    return msgspec.structs.replace(episode, name=name)


def _problems(episode: Episode, number: str) -> Iterator[str]:
    """What makes no sense in it."""
    if number != str(episode.number):
        yield f"its name begins with {number!r}, and its number is {episode.number}"
    yield from problems(episode)


def problems(episode: Episode) -> Iterator[str]:
    """Each in a sentence; none, if it makes sense."""
    yield from (f"{field} is empty" for field in NEEDED if not getattr(episode, field).strip())
    if not episode.question.endswith("?"):
        yield f"question: {episode.question!r} does not end with '?'"
    if episode.behaviour not in BEHAVIOURS:
        yield f"behaviour: there is no behaviour {episode.behaviour!r}"
    yield from _architectures(episode)
    yield from _faults(episode)
    yield from _questions(episode)
    yield from _expectations(episode)
    yield from _checks(episode)
    yield from _script(episode)


def _architectures(episode: Episode) -> Iterator[str]:
    for name in episode.architectures:
        if name not in ARCHITECTURES:
            yield f"there is no architecture {name!r}"
    if episode.left == episode.right:
        yield f"both shops are {episode.left}: results are told apart by architecture"


def _faults(episode: Episode) -> Iterator[str]:
    """A condition cannot be made while a cluster runs; nor can what needs wires that it was not started with."""
    for kind in episode.buttons:
        if kind not in FAULTS:
            yield f"buttons: there is no fault {kind!r}"
        elif is_condition(kind) or FAULTS[kind].needs_wires:
            yield f"buttons: {kind} cannot be made while the cluster runs"
    yield from (f"about: {kind} is none of the buttons" for kind in episode.about if kind not in episode.buttons)


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


def _expectations(episode: Episode) -> Iterator[str]:
    for architecture, predictions in episode.expect.items():
        if architecture not in episode.architectures:
            yield f"expect: {architecture} is neither left nor right"
        for measure, text in predictions.items():
            yield from _expectation(measure, text)
    for architecture in episode.architectures:
        if not episode.expect.get(architecture):
            yield f"expect: nothing is expected of {architecture}, so its round would always be inconclusive"


def _expectation(measure: str, text: str) -> Iterator[str]:
    if measure not in MEASURES:
        yield f"expect: there is no measure {measure!r}"
    try:
        parse_prediction(text)
    except ValueError as error:
        yield f"expect: {error}"


def _checks(episode: Episode) -> Iterator[str]:
    if not episode.check:
        yield "check: there is none, so nothing could be shown"
    yield from chain.from_iterable(_rule(check.rule) for check in episode.check)


def _rule(rule: str) -> Iterator[str]:
    for name in NAME.findall(rule):
        if name not in known_names():
            yield f"{rule!r}: there is no number {name!r}"
            return
    try:
        is_true(rule, dict.fromkeys(known_names(), 1.0))
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
