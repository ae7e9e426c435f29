"""Facts side by side: one row a fact, one value a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

NONE = "–"
"""A run that has no such thing."""

Facts = Mapping[str, str]
"""Values as text, by name."""


class Row(msgspec.Struct, frozen=True):
    """One fact of each run, in the runs' order."""

    what: str
    values: tuple[str, ...]
    same: bool


def rows(facts: Sequence[Facts]) -> tuple[Row, ...]:
    """Every fact that at least one run has, in the order in which the runs name them."""
    names = dict.fromkeys(name for run in facts for name in run)
    return tuple(_row(name, tuple(run.get(name, NONE) for run in facts)) for name in names)


def different(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Those that are not the same everywhere."""
    return tuple(row for row in rows if not row.same)


def flat(value: Any, name: str = "") -> dict[str, str]:
    """A document as facts: `load.shoppers`, `fault[0].kind`; lists of plain values stay together."""
    if isinstance(value, dict):
        parts = [(f"{name}.{key}" if name else str(key), it) for key, it in value.items()]
    elif isinstance(value, list | tuple) and any(isinstance(it, dict | list | tuple) for it in value):
        parts = [(f"{name}[{number}]", it) for number, it in enumerate(value)]
    else:
        return {name: _text(value)}
    return {key: text for part, it in parts for key, text in flat(it, part).items()}


def by_architecture(facts: Mapping[str, Facts]) -> dict[str, str]:
    """Facts that each architecture has, as one: said once where they agree, and of each one where they do not."""
    found = {}
    for name in dict.fromkeys(name for one in facts.values() for name in one):
        values = {architecture: one.get(name, NONE) for architecture, one in facts.items()}
        agreed = set(values.values())
        found[name] = agreed.pop() if len(agreed) == 1 else ", ".join(f"{it} {text}" for it, text in values.items())
    return found


def _row(name: str, values: tuple[str, ...]) -> Row:
    return Row(name, values, len(set(values)) == 1)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(_text(it) for it in value) or "none"
    if isinstance(value, float):
        return f"{value:g}"
    return "none" if value in (None, "", {}) else " ".join(str(value).split())
