"""The checks and the tallies: one file each, found by themselves. docs/how-to/add-a-loss.md shows how to add one.

Here is all that can be measured, too: what the checks and tallies declare, and `loadtests.model.measures`.
"""

from collections.abc import Iterable

import loadtests.model.measures
from loadtests.checks.contract import Check, Tally
from loadtests.model.found import classes_in
from loadtests.model.measures import Measure, find_measures, in_order
from loadtests.session_model import causes

NO_CHECKS = {"contract", "witness"}


def find_checks(folders: Iterable[str], package: str) -> list[type[Check] | type[Tally]]:
    """The checks and tallies of these folders, in the order of their first measures' places: so tables have them.

    Raises:
        TypeError: a file holds none, or several; or says of one what is not enough.
    """
    found: list[type[Check] | type[Tally]] = list(
        classes_in(folders, package, Check | Tally, NO_CHECKS, "checks and tallies")
    )
    for it in found:
        if not it.measures:
            raise TypeError(f"{it.__module__}: nothing can be predicted of it; its measures are missing")
    return sorted(found, key=lambda it: min(measure.place for measure in it.measures))


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

__all__ = ["CAUSES", "CHECKS", "MEASURES", "TALLIES", "Check", "Tally", "find_checks"]
