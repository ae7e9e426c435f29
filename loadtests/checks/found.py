"""Finds checks and tallies: every file of this folder holds one, but for those that are about all of them."""

from __future__ import annotations

from collections.abc import Iterable

from loadtests.checks.contract import Check, Tally
from loadtests.model.found import classes_in

NO_CHECKS = {"contract", "found", "witness"}


def find_checks(folders: Iterable[str], package: str) -> list[type[Check] | type[Tally]]:
    """Those of these folders, in the order of their first measures' places: so tables and files have them.

    Raises:
        TypeError: a file holds none, or several; or says of one what is not enough.
    """
    found = classes_in(folders, package, Check | Tally, NO_CHECKS, "checks and tallies")
    return sorted(map(_measured, found), key=_place)


def _measured(it: type[Check] | type[Tally]) -> type[Check] | type[Tally]:
    if not it.measures:
        raise TypeError(f"{it.__module__}: nothing can be predicted of it; its measures are missing")
    return it


def _place(it: type[Check] | type[Tally]) -> int:
    return min(measure.place for measure in it.measures)
