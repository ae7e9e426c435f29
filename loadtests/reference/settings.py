"""The page of settings: every bound and switch that can decide an outcome, with its default."""

from __future__ import annotations

import msgspec

from compose.cluster import Limits
from loadtests.model.plan import ClientLimits
from loadtests.reference.attributes import attributes_of
from loadtests.reference.markdown import code, page, table
from loadtests.running.fault_run import FaultBounds


def settings() -> str:
    """docs/reference/settings.md."""
    return page(
        "Settings",
        "Every bound and switch that can decide an outcome, with its default. All of them are printed in each report.",
        "## Of a cluster",
        "A scenario changes them below `[settings]`; [cures](../how-to/cures.md) are such changes.",
        _table(Limits),
        "## Of the shoppers' client",
        "The same for every architecture, and for every scenario.",
        _table(ClientLimits),
        "## Of watching faults",
        "How long a fault may take to be seen; one that is not seen in time makes the run inconclusive.",
        _table(FaultBounds),
    )


def _table(kind: type[msgspec.Struct]) -> str:
    return table(
        ("setting", "default", "kind", "meaning"),
        [(code(it.name), code(it.default), code(it.type), it.about or _spelt(it.name)) for it in attributes_of(kind)],
    )


def _spelt(name: str) -> str:
    """What its name says, where nothing more needs to be said."""
    words = name.split("_")
    units = {"s": "seconds", "ms": "milliseconds", "mb": "megabytes"}
    unit = units.get(words[-1], "")
    text = " ".join(words[:-1] if unit else words)
    return f"{text.capitalize()}{f', in {unit}' if unit else ''}."
