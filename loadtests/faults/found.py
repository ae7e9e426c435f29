"""Finds the faults: every file of this folder holds one, but for those that are about faults in general."""

from __future__ import annotations

from collections.abc import Iterable

from loadtests.faults.contract import Fault
from loadtests.model.found import classes_in

NO_FAULTS = {"bases", "contract", "effects", "found", "store_server", "words"}


def find_faults(folders: Iterable[str], package: str) -> dict[str, Fault]:
    """One object of each fault in these folders, by kind, in the order of the files' names.

    Raises:
        TypeError: a file holds no fault, or several; or two are of one kind.
    """
    found: dict[str, Fault] = {}
    for one in classes_in(folders, package, Fault, NO_FAULTS, "faults"):
        fault: Fault = one()
        if fault.kind in found:
            raise TypeError(f"{one.__module__}: there is another fault of the kind {fault.kind!r}")
        found[fault.kind] = fault
    return found
