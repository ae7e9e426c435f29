"""Finds the faults: every file of this folder holds one, but for those that are about faults in general."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from loadtests.faults.contract import Fault

NO_FAULTS = {"bases", "contract", "effects", "found", "store_server", "words"}


def find_faults(folders: Iterable[str], package: str) -> dict[str, Fault]:
    """One object of each fault in these folders, by kind, in the order of the files' names.

    Raises:
        TypeError: a file holds no fault, or several; or two are of one kind.
    """
    found: dict[str, Fault] = {}
    for file in sorted(iter_modules(folders), key=lambda file: file.name):
        if file.ispkg or file.name in NO_FAULTS:
            continue
        fault = _only_fault(import_module(f"{package}.{file.name}"))
        if fault.kind in found:
            raise TypeError(f"{file.name}.py: there is another fault of the kind {fault.kind!r}")
        found[fault.kind] = fault
    return found


def _only_fault(module: ModuleType) -> Fault:
    faults = [
        kind
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Fault) and kind.__module__ == module.__name__
    ]
    if len(faults) != 1:
        raise TypeError(f"{module.__name__} holds {len(faults)} faults; each file in its folder holds one")
    return faults[0]()
