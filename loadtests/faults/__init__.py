"""The faults: one file each, one line here each. docs/how-to/add-a-fault.md shows how to add one."""

from __future__ import annotations

from loadtests.faults.contract import Evidence, Fault, Target
from loadtests.faults.kill import Kill

FAULTS: dict[str, Fault] = {fault.kind: fault for fault in (Kill(),)}

__all__ = ["FAULTS", "Evidence", "Fault", "Target"]
