"""Finds checks and tallies: every file of this folder holds one, but for those that are about all of them."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from loadtests.checks.contract import Check, Tally

NO_CHECKS = {"contract", "found", "witness"}


def find_checks(folders: Iterable[str], package: str) -> list[type[Check] | type[Tally]]:
    """Those of these folders, in the order of their first measures' places: so tables and files have them.

    Raises:
        TypeError: a file holds none, or several; or says of one what is not enough.
    """
    files = sorted(file.name for file in iter_modules(folders) if file.name not in NO_CHECKS)
    return sorted((_only_one(import_module(f"{package}.{file}")) for file in files), key=_place)


def _only_one(module: ModuleType) -> type[Check] | type[Tally]:
    # By the module's name: what a file imports, its contract above all, stands among its names, too.
    found = [
        kind
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Check | Tally) and kind.__module__ == module.__name__
    ]
    if len(found) != 1:
        raise TypeError(f"{module.__name__} holds {len(found)} checks and tallies; each file in its folder holds one")
    (it,) = found
    if not it.measures:
        raise TypeError(f"{module.__name__}: nothing can be predicted of it; its measures are missing")
    return it


def _place(it: type[Check] | type[Tally]) -> int:
    return min(measure.place for measure in it.measures)
