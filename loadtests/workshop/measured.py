"""The numbers of a workshop's round by name, and rules over them: "left.logged_out == left.at_risk".

`left.` or `right.` and a measure, or `at_risk`, or

    left.observed.key_switch    how many faults of that kind were observed (its hyphens are underscores here)
    left.through.key_switch     how many parts went through such a fault until it was observed to be healed
    left.cause.store_lost       how many losses have that cause
    left.visitors               how many people logged in with a browser

and `U` and `N`: shoppers and nodes.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from loadtests.checks import CAUSES, MEASURES
from loadtests.faults import FAULTS
from loadtests.model.formulas import is_true
from loadtests.model.results import ArchitectureResult, Results
from loadtests.session_model.causes import words_of
from loadtests.workshop.contract import SIDES
from loadtests.workshop.episode import Episode, Question

NAME = re.compile(r"\b(?:left|right)\.[a-z0-9_.]*[a-z0-9_]\b")
OF_THE_RUN = ("at_risk", "visitors")  # numbers of a side that are no measures
_BY_KIND = tuple(f"{what}.{kind.replace('-', '_')}" for what in ("observed", "through") for kind in FAULTS)


def known_names() -> frozenset[str]:
    """Everything that a rule over results may name."""
    own = [*MEASURES, *OF_THE_RUN, *_BY_KIND, *(f"cause.{cause}" for cause in CAUSES)]
    return frozenset(f"{side}.{name}" for side in SIDES for name in own) | {"U", "N"}


def measured(
    episode: Episode, results: Results, kinds: Sequence[str] | None = None, visitors: Mapping[str, int] | None = None
) -> dict[str, float]:
    """The numbers of a finished round, by name; what was not measured is not there.

    `kinds` are those of the plan's faults, in the plan's order: the results' steps tell them by number only, so without
    them nothing is known of faults. `visitors` are people with a browser, by architecture: results are about shoppers.
    """
    values: dict[str, float] = {"U": results.shoppers, "N": results.nodes}
    for side, architecture in zip(SIDES, episode.architectures, strict=True):
        result = results.architectures.get(architecture)
        if result is not None:
            values.update({f"{side}.{name}": value for name, value in _of_side(result, kinds).items()})
        if visitors is not None and architecture in visitors:
            values[f"{side}.visitors"] = visitors[architecture]
    return values


def holds(rule: str, values: Mapping[str, float]) -> bool:
    """Whether that rule holds; a number that was not measured shows nothing."""
    try:
        return is_true(rule, values)
    except KeyError:
        return False


def observed_answer(question: Question, values: Mapping[str, float]) -> str:
    """What was observed of a question, as text: a number, or the value of a choice; "" if nothing answers it."""
    if question.observed:
        value = values.get(question.observed)
        return "" if value is None else f"{value:g}"
    return next((it.value for it in question.choices if it.when and holds(it.when, values)), question.truth)


def observed_answers(episode: Episode, results: Results) -> dict[str, str]:
    """What was observed, by question id: prediction's other half."""
    values = measured(episode, results)
    return {question.id: observed_answer(question, values) for question in episode.questions}


def _of_side(result: ArchitectureResult, kinds: Sequence[str] | None) -> dict[str, float]:
    found: dict[str, float] = {} if result.at_risk is None else {"at_risk": result.at_risk}
    for name, measure in MEASURES.items():
        value = measure.read(result)
        if value is not None:
            found[name] = value
    causes = Counter(word for loss in result.losses for word in words_of(loss.cause))
    found |= {f"cause.{cause}": causes[cause] for cause in CAUSES}
    return found if kinds is None else found | _of_faults(result, kinds)


def _of_faults(result: ArchitectureResult, kinds: Sequence[str]) -> dict[str, float]:
    """Of all kinds: of one that nobody made it is known that it was not observed."""
    steps = [step for step in result.experiment if step.fault < len(kinds)]
    seen = {step.fault for step in steps if step.step == "observed"}
    # By part: one that went through two of a kind counts once.
    through = {(kinds[step.fault], step.victim) for step in steps if step.step == "observed_healed"}
    found: dict[str, float] = {}
    for kind in FAULTS:
        found[f"observed.{_word(kind)}"] = sum(kinds[fault] == kind for fault in seen)
        found[f"through.{_word(kind)}"] = sum(kind == its for its, _victim in through)
    return found


def _word(kind: str) -> str:
    return kind.replace("-", "_")
