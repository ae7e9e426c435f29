"""The numbers of a workshop's round by name, and rules over them: "left.logged_out == left.at_risk".

`left.` or `right.` and a measure of `loadtests.judging.verdict`, or `at_risk`; `left.observed.kill` is how many kills
were observed on the left (a hyphen of a fault's kind is an underscore there); `U` and `N` are shoppers and nodes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from loadtests.claims.rule import truth_of
from loadtests.faults import FAULTS
from loadtests.judging.verdict import MEASURES
from loadtests.results import ArchitectureResult, Results
from loadtests.workshop.contract import SIDES
from loadtests.workshop.episode import Episode, Question

NAME = re.compile(r"\b(?:left|right)\.[a-z0-9_.]*[a-z0-9_]\b")
OF_THE_RUN = ("at_risk",)
"""Numbers of a side that are no measures."""


def known_names() -> frozenset[str]:
    """Everything that a rule over results may name."""
    own = [*MEASURES, *OF_THE_RUN, *(f"observed.{_word(kind)}" for kind in FAULTS)]
    return frozenset(f"{side}.{name}" for side in SIDES for name in own) | {"U", "N"}


def measured(episode: Episode, results: Results, kinds: Sequence[str] = ()) -> dict[str, float]:
    """The numbers of a finished round, by name; what was not measured is not there.

    `kinds` are those of the plan's faults, in the plan's order: the results' steps tell them by number only.
    """
    values: dict[str, float] = {"U": results.shoppers, "N": results.nodes}
    for side, architecture in zip(SIDES, episode.architectures, strict=True):
        result = results.architectures.get(architecture)
        if result is not None:
            values.update({f"{side}.{name}": value for name, value in _of_side(result, kinds).items()})
    return values


def holds(rule: str, values: Mapping[str, float]) -> bool:
    """Whether it holds.

    Raises:
        KeyError: a number that it names is not there.
        ValueError: it is no rule.
    """
    wanted = dict.fromkeys(NAME.findall(rule))
    names = {f"v{place}": values[name] for place, name in enumerate(wanted)}
    places = {name: f"v{place}" for place, name in enumerate(wanted)}
    plain = {name: values[name] for name in ("U", "N") if name in values}
    return truth_of(NAME.sub(lambda found: places[found[0]], rule), {**names, **plain}, rule)


def observed_answer(question: Question, values: Mapping[str, float]) -> str:
    """What was observed of a question, as text: a number, or the value of a choice; "" if nothing answers it."""
    if question.observed:
        value = values.get(question.observed)
        return "" if value is None else f"{value:g}"
    for choice in question.choices:
        try:
            if choice.when and holds(choice.when, values):
                return choice.value
        except KeyError:
            continue
    return question.truth


def observed_answers(episode: Episode, results: Results) -> dict[str, str]:
    """What was observed, by question id: prediction's other half."""
    values = measured(episode, results)
    return {question.id: observed_answer(question, values) for question in episode.questions}


def _of_side(result: ArchitectureResult, kinds: Sequence[str]) -> dict[str, float]:
    found: dict[str, float] = {"at_risk": result.at_risk}
    for name, measure in MEASURES.items():
        value = measure.read(result)
        if value is not None:
            found[name] = value
    seen = {step.fault for step in result.experiment if step.step == "observed"}
    for kind in FAULTS:
        found[f"observed.{_word(kind)}"] = sum(kinds[fault] == kind for fault in seen if fault < len(kinds))
    return found


def _word(kind: str) -> str:
    return kind.replace("-", "_")
