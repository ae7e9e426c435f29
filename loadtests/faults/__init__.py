"""The faults: one file each, found by themselves. docs/how-to/add-a-fault.md shows how to add one."""

from collections.abc import Iterable

from loadtests.faults.contract import Evidence, Fault, FaultSteps, Target
from loadtests.model.found import classes_in

NO_FAULTS = {"bases", "contract", "effects", "store_server", "words"}


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


FAULTS: dict[str, Fault] = find_faults(__path__, __name__)
"""By what a scenario calls them."""

__all__ = ["FAULTS", "NO_FAULTS", "Evidence", "Fault", "FaultSteps", "Target", "find_faults"]
