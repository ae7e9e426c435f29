"""What makes sense in a scenario: every rule beyond the types of its fields, each with what was expected instead."""

import json
import math
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from textwrap import shorten
from typing import Any, Literal, get_args, get_origin

import msgspec

from compose.architectures import ARCHITECTURES, did_you_mean
from compose.balancers import BALANCERS
from compose.cluster import Limits, ranges
from loadtests.behaviours import BEHAVIOURS
from loadtests.behaviours.workload import DEFAULT_MIX
from loadtests.checks import MEASURES
from loadtests.faults import FAULTS
from loadtests.model.formulas import Parsed, parse_prediction, parse_threshold
from loadtests.model.scenario import FaultSpec, Load, Scenario

MAX_ACTIONS = 5_000_000  # planned actions of one run; what checks and reports are made for
MAX_NAME_BYTES = 200  # of a scenario's: a run's folder has it in its own name, which most systems bound at 255


class BadValue(Exception):
    """One value that makes no sense: its `path` in the file, `what` is wrong, what was `expected`.

    `beside`: the paths of values beside which it makes none; should one of those be wrong itself, this may be right.
    """

    def __init__(self, path: str, what: str, expected: str, *beside: str) -> None:
        super().__init__(f"{path}: {what}")
        self.path = path
        self.what = what
        self.expected = expected
        self.beside = beside


def unknown(path: str, thing: str, word: str, known: Collection[str], *beside: str) -> BadValue:
    """A word that is none of those known."""
    expected = f"one of {', '.join(known)}{did_you_mean(word, known)}"
    return BadValue(path, f"there is no {thing} {word!r}", expected, *beside)


def mistyped(path: str, value: object, kind: Any) -> BadValue | None:
    """Why the value is not of that type; None if it is."""
    if get_origin(kind) is Literal and isinstance(value, str) and value not in get_args(kind):
        return unknown(path, "value", value, get_args(kind))
    try:
        msgspec.convert(value, type=kind, strict=True)
    except msgspec.ValidationError as error:
        # msgspec tells the place in its message alone: "Expected `int`, got `str` - at `$[...].x`".
        expected, _, where = str(error).partition(" - at `")
        below = where.removesuffix("`").removeprefix("$").removesuffix("[...]")
        told = (
            expected[0].lower() + expected[1:]
            if below
            else shorten(json.dumps(value, default=str), 40, placeholder=" …")
        )
        return BadValue(f"{path}{below}", told, expected)
    return None


def check_rules(scenario: Scenario) -> None:
    """Nothing, if the scenario makes sense.

    Raises:
        BadValue: the first value that does not.
    """
    for bad in bad_values(scenario):
        raise bad


def check_shoppers(path: str, shoppers: int) -> None:
    """Nothing, if that many can shop.

    Raises:
        BadValue: they are none, or too many.
    """
    for bad in _out_of_range(Load, {"shoppers": shoppers}, ""):
        raise BadValue(path, bad.what, bad.expected)


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
    # By what it does and not by its name: a new condition is one file, and nothing here.
    return FAULTS[kind].prepare(Limits()) != Limits()


def bad_values(scenario: Scenario) -> Iterator[BadValue]:
    """Every value that makes no sense."""
    if len(os.fsencode(scenario.name)) > MAX_NAME_BYTES:
        name = f"{scenario.name[:20]!r}… is too long for the name of a run's folder"
        yield BadValue("name", name, f"a file's name of at most {MAX_NAME_BYTES} bytes")
    if not scenario.question.strip().endswith("?"):
        yield BadValue("question", f"{scenario.question!r} is not a question", "one sentence that ends with '?'")
    if not scenario.family.strip():
        yield BadValue("family", "it is empty", 'a word such as "availability"')
    yield from _out_of_range(Scenario, {"nodes": scenario.nodes}, "")
    yield from _bad_load(scenario.load)
    yield from _bad_settings(scenario.settings)
    yield from _bad_architectures(scenario.architectures)
    if scenario.balancer and scenario.balancer not in BALANCERS:
        yield unknown("balancer", "balancer", scenario.balancer, BALANCERS)
    yield from _bad_without(scenario)
    if scenario.headline not in MEASURES:
        yield unknown("headline", "measure", scenario.headline, MEASURES)
    for number, fault in enumerate(scenario.fault):
        yield from _bad_fault(f"fault[{number}]", fault, scenario)
    yield from _bad_expectations(scenario)
    yield from _bad_thresholds(scenario)


def _out_of_range(kind: type[msgspec.Struct], values: Mapping[str, Any], prefix: str) -> Iterator[BadValue]:
    """The numbers among those values that are not in the range which stands beside their field."""
    for name, its in ranges(kind).items():
        value = values.get(name)
        if value is not None and not its.least <= value <= its.most:  # NaN compares False, so it ends here too
            yield BadValue(f"{prefix}{name}", f"{value:,.15g} {its.unit}".rstrip(), f"from {its}: {its.why}")


def _bad_load(load: Load) -> Iterator[BadValue]:
    bad = list(_out_of_range(Load, msgspec.structs.asdict(load), "load."))
    yield from bad
    if load.login_within_ms > load.seconds * 1000:
        yield BadValue(
            "load.login_within_ms", f"{load.login_within_ms} ms", "0 or more, and within load.seconds",
            "load.seconds",
        )  # fmt: skip
    yield from _bad_mix(load.mix)
    yield from _bad_behaviour(load)
    if load.behaviour in BEHAVIOURS and not bad:  # a think_ms of 0 was told of, and nothing can be divided by it
        try:
            check_actions("load", load.shoppers, load)
        except BadValue as too_many:
            yield too_many


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
    kinds = {field.name: field.type for field in msgspec.structs.fields(Limits)}
    well = {}
    for name, value in settings.items():
        path = f"settings.{name}"
        if name not in kinds:
            yield unknown(path, "setting", name, kinds)
        elif bad := mistyped(path, value, kinds[name]):
            yield bad
        else:
            well[name] = msgspec.convert(value, type=kinds[name], strict=True)
    yield from _out_of_range(Limits, well, "settings.")  # of those whose type is right
    if (cost := well.get("password_cost", 2)) & (cost - 1):
        yield BadValue("settings.password_cost", f"{cost}", "a power of two: scrypt takes no other")
    if limit := well.get("rate_limit"):
        yield from _bad_rate_limit(limit)


def _bad_rate_limit(limit: str) -> Iterator[BadValue]:
    from limits import parse_many  # here, for few scenarios have one, and it takes a tenth of a second

    try:
        few = min(each.amount for each in parse_many(limit)) < 1
    except ValueError:
        few = True
    if few:
        yield BadValue("settings.rate_limit", f"{limit!r}", 'a limit of 1 or more such as "5 per second", or ""')


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
    bad = list(_out_of_range(type(fault), msgspec.structs.asdict(fault), f"{path}."))
    yield from bad
    if not bad and not fault.at_s < seconds:
        expected = f"0 or more, and less than load.seconds ({seconds:g})"
        yield BadValue(f"{path}.at_s", f"{fault.at_s:g} s", expected, "load.seconds")
    elif not bad and fault.heal_after_s is not None and (healed := fault.at_s + fault.heal_after_s) > seconds:
        yield BadValue(
            f"{path}.heal_after_s",
            f"the fault would be healed at {healed:g} s",
            f"at_s + heal_after_s at most load.seconds ({seconds:g}): the audit visits a healed cluster",
            "load.seconds",
        )
    if fault.kind not in FAULTS:
        yield unknown(f"{path}.kind", "fault", fault.kind, FAULTS)
        return
    if any(_out_of_range(Scenario, {"nodes": scenario.nodes}, "")):
        return  # that is told of already, and 10**30 nodes cannot be listed
    strikes = FAULTS[fault.kind].strikes
    # What was added before can be struck, too.
    grown = sum(FAULTS[one.kind].grows for one in scenario.fault if one.kind in FAULTS and one.at_s < fault.at_s)
    nodes = [f"n{number}" for number in range(1, scenario.nodes + grown + 1)]
    known = ["any", *nodes] if strikes == "node" else ["any", strikes]
    if fault.victim not in known:
        thing = "node" if strikes == "node" else "such victim"
        yield unknown(f"{path}.victim", thing, fault.victim, known, f"{path}.kind", "nodes")


def _bad_expectations(scenario: Scenario) -> Iterator[BadValue]:
    for architecture, predictions in scenario.expect.items():
        path = f"expect.{architecture}"
        if architecture not in scenario.architectures:
            yield unknown(path, "architecture of this scenario", architecture, scenario.architectures, "architectures")
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
            yield unknown(path, "architecture of this scenario", name, scenario.architectures, "architectures")
        else:
            yield from _bad_measures(path, value, "threshold", parse_threshold)


def _bad_measures(path: str, said: Mapping[str, str], kind: str, parse: Callable[[str], Parsed]) -> Iterator[BadValue]:
    for measure, text in said.items():
        if measure not in MEASURES:
            yield unknown(f"{path}.{measure}", "measure", measure, MEASURES)
            continue
        try:
            parse(text)
        except ValueError as error:
            yield BadValue(f"{path}.{measure}", f"{text!r} cannot be read as a {kind}", str(error))
