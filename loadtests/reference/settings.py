"""The page of settings: every bound and switch that can decide an outcome, with its default."""

from __future__ import annotations

import msgspec

from compose.cluster import Limits, Range, ranges
from loadtests.model.plan import ClientLimits
from loadtests.model.scenario import FaultSpec, Load, Scenario
from loadtests.reference.attributes import Attribute, attributes_of
from loadtests.reference.markdown import code, page, table
from loadtests.running.fault_run import FaultBounds


def settings() -> str:
    """docs/reference/settings.md."""
    return page(
        "Settings",
        "Every bound and switch that can decide an outcome, with its default. All of them are printed in each report.",
        "## Of a cluster",
        "A scenario changes them below `[settings]`; [cures](../how-to/cures.md) are such changes. What is not in its "
        "range is refused before anything starts, with exit code 2.",
        _table(Limits),
        "## Of a scenario's load and its faults",
        "Below `[load]`, and in each `[[fault]]`; `nodes` stands above both.",
        _ranged(Load, FaultSpec, Scenario),
        "## Of the shoppers' client",
        "The same for every architecture, and for every scenario.",
        _table(ClientLimits),
        "## Of watching faults",
        "How long a fault may take to be seen; one that is not seen in time makes the run inconclusive.",
        _table(FaultBounds),
    )


def _table(kind: type[msgspec.Struct]) -> str:
    its = ranges(kind)
    return table(
        ("setting", "default", "kind", *(("range", "because") if its else ()), "meaning"),
        [
            (code(it.name), code(it.default), code(it.type), *(_range(it.name, its) if its else ()), _meaning(it))
            for it in attributes_of(kind)
        ],
    )


def _ranged(*kinds: type[msgspec.Struct]) -> str:
    """Only what has a range."""
    rows = [
        (code(it.name), code(it.default), *_range(it.name, ranges(kind)), _meaning(it))
        for kind in kinds
        for it in attributes_of(kind)
        if it.name in ranges(kind)
    ]
    return table(("key", "default", "range", "because", "meaning"), rows)


def _range(name: str, its: dict[str, Range]) -> tuple[str, str]:
    return (str(its[name]), its[name].why) if name in its else ("", "")


def _meaning(it: Attribute) -> str:
    return it.about or _spelt(it.name)


def _spelt(name: str) -> str:
    """What its name says, where nothing more needs to be said."""
    words = name.split("_")
    units = {"s": "seconds", "ms": "milliseconds", "mb": "megabytes"}
    unit = units.get(words[-1], "")
    text = " ".join(words[:-1] if unit else words)
    return f"{text.capitalize()}{f', in {unit}' if unit else ''}."
