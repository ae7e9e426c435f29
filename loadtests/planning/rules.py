"""What makes sense in a scenario: every rule beyond the types of its fields, each with what was expected instead."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import msgspec

from compose.architectures import ARCHITECTURES
from compose.cluster import Limits
from loadtests.behaviours import BEHAVIOURS
from loadtests.behaviours.workload import DEFAULT_MIX
from loadtests.checks import MEASURES
from loadtests.faults import FAULTS
from loadtests.model.formulas import Parsed, parse_prediction, parse_threshold

if TYPE_CHECKING:
    from loadtests.model.scenario import FaultSpec, Load, Scenario

MAX_SHOPPERS = 20_000
MIN_SECONDS, MAX_SECONDS = 1.0, 3600.0
MAX_ACTIONS = 5_000_000
"""Planned actions of one run; what checks and reports are made for."""
MAX_NODES = 32
LEAST = {"node_workers": 1, "node_threads": 1, "unhealthy_after": 1, "session_cap": 1, "session_lifetime_s": 1}
"""The smallest number of a setting that makes sense; 0 for the others."""


class BadValue(Exception):
    """One value that makes no sense: its `path` in the file, `what` is wrong, what was `expected`."""

    def __init__(self, path: str, what: str, expected: str) -> None:
        super().__init__(f"{path}: {what}")
        self.path = path
        self.what = what
        self.expected = expected


def did_you_mean(word: str, known: Collection[str]) -> str:
    """`; did you mean "…"?`, or nothing if nothing is close."""
    close = get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def unknown(path: str, thing: str, word: str, known: Collection[str]) -> BadValue:
    """A word that is none of those known."""
    return BadValue(path, f"there is no {thing} {word!r}", f"one of {', '.join(known)}{did_you_mean(word, known)}")


def check_rules(scenario: Scenario) -> None:
    """Nothing, if the scenario makes sense.

    Raises:
        BadValue: the first value that does not.
    """
    for bad in _bad_values(scenario):
        raise bad


def check_shoppers(path: str, shoppers: int) -> None:
    """Nothing, if that many can shop.

    Raises:
        BadValue: they are none, or too many.
    """
    if not 1 <= shoppers <= MAX_SHOPPERS:
        raise BadValue(path, f"{shoppers} shoppers", f"a number from 1 to {MAX_SHOPPERS:,}")


def check_actions(path: str, shoppers: int, load: Load) -> None:
    """Nothing, if what that many would do is not too much for one run.

    Raises:
        BadValue: it is.
    """
    planned = shoppers * load.seconds * 1000 / load.think_ms * BEHAVIOURS[load.behaviour].pace
    if planned > MAX_ACTIONS:
        raise BadValue(path, f"about {planned:,.0f} planned actions", f"at most {MAX_ACTIONS:,} in one run")


def is_condition(kind: str) -> bool:
    """A fault of that kind changes how the cluster is started, and is there from the start to the end."""
    return FAULTS[kind].prepare(Limits()) != Limits()


def _bad_values(scenario: Scenario) -> Iterator[BadValue]:
    if not scenario.question.strip().endswith("?"):
        yield BadValue("question", f"{scenario.question!r} is not a question", "one sentence that ends with '?'")
    if not scenario.family.strip():
        yield BadValue("family", "it is empty", 'a word such as "availability"')
    if not 1 <= scenario.nodes <= MAX_NODES:
        yield BadValue("nodes", f"{scenario.nodes} nodes", f"a number from 1 to {MAX_NODES}")
    yield from _bad_load(scenario.load)
    yield from _bad_settings(scenario.settings)
    yield from _bad_architectures(scenario.architectures)
    yield from _bad_without(scenario)
    if scenario.headline not in MEASURES:
        yield unknown("headline", "measure", scenario.headline, MEASURES)
    for number, fault in enumerate(scenario.fault):
        yield from _bad_fault(f"fault[{number}]", fault, scenario)
    yield from _bad_expectations(scenario)
    yield from _bad_thresholds(scenario)


def _bad_load(load: Load) -> Iterator[BadValue]:
    check_shoppers("load.shoppers", load.shoppers)
    if not MIN_SECONDS <= load.seconds <= MAX_SECONDS:  # NaN compares False, so it ends here too
        yield BadValue("load.seconds", f"{load.seconds:g} seconds", f"from {MIN_SECONDS:g} to {MAX_SECONDS:g}")
    if load.think_ms < 1:
        yield BadValue("load.think_ms", f"{load.think_ms} ms", "1 or more")
    if not 0 <= load.login_within_ms <= load.seconds * 1000:
        yield BadValue("load.login_within_ms", f"{load.login_within_ms} ms", "0 or more, and within load.seconds")
    if not 0 <= load.leavers <= 1:
        yield BadValue("load.leavers", f"{load.leavers:g}", "a share from 0 to 1")
    yield from _bad_mix(load.mix)
    yield from _bad_behaviour(load)
    if not 0 <= load.addresses <= MAX_SHOPPERS:
        yield BadValue("load.addresses", f"{load.addresses} addresses", f"a number from 0 to {MAX_SHOPPERS:,}")
    check_actions("load", load.shoppers, load)


def _bad_mix(mix: dict[str, float]) -> Iterator[BadValue]:
    for do, weight in mix.items():
        if do not in DEFAULT_MIX:
            yield unknown(f"load.mix.{do}", "action", do, DEFAULT_MIX)
        elif not (math.isfinite(weight) and weight >= 0):
            yield BadValue(f"load.mix.{do}", f"a weight of {weight:g}", "0 or more")
    if not any(weight > 0 for weight in {**DEFAULT_MIX, **mix}.values()):
        yield BadValue("load.mix", "every weight is 0: there is nothing to do", "at least one weight above 0")


def _bad_behaviour(load: Load) -> Iterator[BadValue]:
    if load.behaviour not in BEHAVIOURS:
        yield unknown("load.behaviour", "behaviour", load.behaviour, BEHAVIOURS)
    elif load.leavers and not BEHAVIOURS[load.behaviour].may_leave:
        yield BadValue("load.leavers", f"{load.leavers:g}", f"0: a logout would spoil what {load.behaviour!r} shows")


def _bad_settings(settings: dict[str, Any]) -> Iterator[BadValue]:
    """By field, and by type; what the numbers are good for, only a run can tell."""
    kinds = {field.name: field.type for field in msgspec.structs.fields(Limits)}
    for name, value in settings.items():
        path = f"settings.{name}"
        if name not in kinds:
            yield unknown(path, "setting", name, kinds)
            continue
        try:
            msgspec.convert(value, type=kinds[name], strict=True)
        except msgspec.ValidationError as error:
            what = str(error)
            yield BadValue(path, what[0].lower() + what[1:], what)
        if isinstance(value, int | float) and not (math.isfinite(value) and value >= LEAST.get(name, 0)):
            yield BadValue(path, f"{value:g}", f"{LEAST.get(name, 0)} or more")


def _bad_architectures(names: tuple[str, ...]) -> Iterator[BadValue]:
    if not names:
        yield BadValue("architectures", "none is named", "at least one")
    for number, name in enumerate(names):
        if name not in ARCHITECTURES:
            yield unknown("architectures", "architecture", name, ARCHITECTURES)
        elif name in names[:number]:
            yield BadValue("architectures", f"{name!r} is named twice", "each at most once")


def _bad_without(scenario: Scenario) -> Iterator[BadValue]:
    for name, why in scenario.without.items():
        path = f"without.{name}"
        if name not in ARCHITECTURES:
            yield unknown(path, "architecture", name, ARCHITECTURES)
        elif name in scenario.architectures:
            yield BadValue(path, f"{name!r} is among the architectures, too", "either measured or left out")
        elif not why.strip():
            yield BadValue(path, "it is empty", "why this architecture is left out, in a few words")


def _bad_fault(path: str, fault: FaultSpec, scenario: Scenario) -> Iterator[BadValue]:
    seconds = scenario.load.seconds
    nodes = [f"n{number}" for number in range(1, scenario.nodes + 1)]
    if fault.kind not in FAULTS:
        yield unknown(f"{path}.kind", "fault", fault.kind, FAULTS)
        return
    if not 0 <= fault.at_s < seconds:
        yield BadValue(f"{path}.at_s", f"{fault.at_s:g} s", f"0 or more, and less than load.seconds ({seconds:g})")
    if fault.heal_after_s is not None and not fault.heal_after_s > 0:
        yield BadValue(f"{path}.heal_after_s", f"{fault.heal_after_s:g} s", "more than 0")
    if fault.heal_after_s is not None and not (healed := fault.at_s + fault.heal_after_s) <= seconds:
        yield BadValue(
            f"{path}.heal_after_s",
            f"the fault would be healed at {healed:g} s",
            f"at_s + heal_after_s at most load.seconds ({seconds:g}): the audit visits a healed cluster",
        )
    strikes = FAULTS[fault.kind].strikes
    known = ["any", *nodes] if strikes == "node" else ["any", strikes]
    if fault.victim not in known:
        yield unknown(f"{path}.victim", "node" if strikes == "node" else "such victim", fault.victim, known)


def _bad_expectations(scenario: Scenario) -> Iterator[BadValue]:
    for architecture, predictions in scenario.expect.items():
        path = f"expect.{architecture}"
        if architecture not in scenario.architectures:
            yield unknown(path, "architecture of this scenario", architecture, scenario.architectures)
        yield from _bad_measures(path, predictions, "prediction", parse_prediction)


def _bad_thresholds(scenario: Scenario) -> Iterator[BadValue]:
    """A text is of every architecture, so its key is a measure; a table is of the architecture that it is named for."""
    for name, value in scenario.fail_if.items():
        path = f"fail_if.{name}"
        if isinstance(value, str):
            if name in ARCHITECTURES:
                yield BadValue(path, f"{value!r} does not say of which measure", f'[{path}], then: logged_out = "> 0"')
            yield from _bad_measures("fail_if", {name: value}, "threshold", parse_threshold)
        elif name not in scenario.architectures:
            yield unknown(path, "architecture of this scenario", name, scenario.architectures)
        else:
            yield from _bad_measures(path, value, "threshold", parse_threshold)


def _bad_measures(path: str, said: Mapping[str, str], kind: str, parse: Callable[[str], Parsed]) -> Iterator[BadValue]:
    for measure, text in said.items():
        if measure not in MEASURES:
            yield unknown(f"{path}.{measure}", "measure", measure, MEASURES)
        elif problem := _problem(text, parse):
            yield BadValue(f"{path}.{measure}", f"{text!r} cannot be read as a {kind}", problem)


def _problem(text: str, parse: Callable[[str], Parsed]) -> str:
    """What is wrong with it, "" if nothing."""
    try:
        parse(text)
    except ValueError as error:
        return str(error)
    return ""
