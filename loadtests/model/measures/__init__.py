"""Measures that no check counts, found by themselves; `loadtests.checks.MEASURES` has all. docs/how-to/add-a-measure.md
shows how to add one.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from pkgutil import iter_modules

from loadtests.model.measures.contract import (
    GROUPS,
    NOT_MEASURED,
    Measure,
    Read,
    events_of,
    in_order,
    losses_of,
    shoppers_of,
    spoken,
)

NO_MEASURES = {"contract"}


def find_measures(folders: Iterable[str], package: str) -> list[Measure]:
    """Those that the files of these folders declare: a tuple `MEASURES` in each."""
    files = sorted(file.name for file in iter_modules(folders) if file.name not in NO_MEASURES)
    return [measure for file in files for measure in import_module(f"{package}.{file}").MEASURES]


__all__ = [
    "GROUPS", "NOT_MEASURED", "Measure", "Read", "events_of", "find_measures", "in_order", "losses_of", "shoppers_of",
    "spoken",
]  # fmt: skip
