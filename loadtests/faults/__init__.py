"""The faults: one file each, found by themselves. docs/how-to/add-a-fault.md shows how to add one."""

from __future__ import annotations

from loadtests.faults.contract import Evidence, Fault, FaultSteps, Target
from loadtests.faults.found import find_faults

FAULTS: dict[str, Fault] = find_faults(__path__, __name__)
"""By what a scenario calls them."""

__all__ = ["FAULTS", "Evidence", "Fault", "FaultSteps", "Target"]
