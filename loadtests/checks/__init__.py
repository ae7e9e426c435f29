"""The checks and the tallies: one file each, found by themselves. docs/how-to/add-a-loss.md shows how to add one.

Here is all that can be measured, too: what the checks and tallies declare, and `loadtests.model.measures`.
"""

from __future__ import annotations

import loadtests.model.measures
from loadtests.checks.contract import Check, Tally
from loadtests.checks.found import find_checks
from loadtests.model.measures import Measure, find_measures, in_order
from loadtests.session_model import causes

_FOUND = find_checks(__path__, __name__)
CHECKS: dict[str, type[Check]] = {it.kind: it for it in _FOUND if issubclass(it, Check)}
"""They name losses; by kind."""
TALLIES: dict[str, type[Tally]] = {it.name: it for it in _FOUND if issubclass(it, Tally)}
"""They count what is no loss; by name, in the order of `results.json`."""
# Once, for all readers: where a loss cannot be seen, its 0 is no finding.
MEASURES: dict[str, Measure] = in_order([measure.as_far_as_seen() for measure in (
    *find_measures(loadtests.model.measures.__path__, loadtests.model.measures.__name__),
    *(measure for it in _FOUND for measure in it.measures),
)])  # fmt: skip
"""All that can be predicted of one architecture, by name, as tables have it."""
CAUSES: dict[str, str] = {
    **causes.CAUSES,
    **{cause.name: cause.meaning for check in CHECKS.values() for cause in check.causes},
}
"""Every cause that a loss can have, and what it means."""

__all__ = ["CAUSES", "CHECKS", "MEASURES", "TALLIES", "Check", "Tally"]
