"""What a measure is: one number of each architecture, and all that is said of it anywhere.

A measure is declared once: what no check counts in the files of this folder (books, service, costs; found by
themselves, docs/how-to/add-a-measure.md shows how to add one), and in a check's own file what that check counts.
`loadtests.checks.MEASURES` has all. Predictions, thresholds, sentences, tables, exports and the reference follow
from the declaration. The idea is k6's registry of metrics (`metrics/registry.go`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

import msgspec

from loadtests.model.application import cannot_count
from loadtests.model.found import modules_in
from loadtests.model.results import ArchitectureResult, Counted

Read = Callable[[ArchitectureResult], float | None]
"""How a measure is read from the results. None: it was not measured, or there is nothing of that kind."""

Sort = Literal["loss", "count", "book", "latency", "cost"]
"""What it counts as: something lost, something else that happened to people, a book's entry, a time, a price."""

Shown = Literal["always", "if any", "never"]
"""`if any`: where it is not 0 everywhere, or where somebody predicted it."""

GROUPS = ("People", "Goods", "Security", "Actions", "Service", "Cost")
"""Under which a table puts its columns, in this order; `Cost` has a table of its own."""

LAST = 100
"""The place of what says nothing of its place: after all that do."""

NOT_MEASURED = "–"
_NOBODY = Counted()


class Measure(msgspec.Struct, frozen=True):
    """Something that a scenario can predict."""

    name: str
    """As scenarios call it: `logged_out`."""
    definition: str
    """One sentence."""
    read: Read
    sort: Sort
    group: str
    """One of `GROUPS`."""
    label: str = ""
    """The head of its column; its name with blanks if it has no other."""
    meaning: str = ""
    """What the report's readers are told, where the definition is too short for them."""
    headline: str = ""
    """How a sentence calls it: "carts lost"."""
    unit: str = ""
    digits: int = 0
    """After the point."""
    counted: str = ""
    """What one of it is, where the number stands: "each time". What is `of_all` counts people, each once."""
    percent: bool = False
    """A share, written in percent."""
    of_all: bool = False
    """It counts shoppers, so it is written as a part of all: "20 of 60"."""
    better: Literal["less", "more", ""] = "less"
    kinds: tuple[str, ...] = ()
    """The losses that are its witnesses."""
    report: Shown = "if any"
    """In the report's table of numbers; costs: in that of costs."""
    terminal: Shown = "if any"
    """In the table on the terminal and in Markdown."""
    compared: bool = False
    """Whether repeats compare it, whatever the scenario asks."""
    anchor: str = ""
    """Its stable id in reports; its name with hyphens if it has no other."""
    place: int = LAST
    """Where it stands in its group."""

    @property
    def key(self) -> str:
        """What its ids in a report end with."""
        return self.anchor or self.name.replace("_", "-")

    @property
    def head(self) -> str:
        """The head of its column."""
        return self.label or spoken(self.name).capitalize()

    @property
    def each(self) -> str:
        """What one of it is, in a word or two; "" where the unit says it."""
        return self.counted or ("people, each once" if self.of_all else "")

    @property
    def phrase(self) -> str:
        """How a sentence calls it."""
        return self.headline or spoken(self.name)

    @property
    def explained(self) -> str:
        """What it means, for readers of a report."""
        return self.meaning or self.definition

    def as_far_as_seen(self) -> Measure:
        """The same, read as None where it could happen unseen and was not seen: that is not a 0."""
        read = self.read
        return msgspec.structs.replace(
            # `or None`: what was seen all the same counts, only the 0 is none.
            self,
            read=lambda it: (read(it) or None) if cannot_count(self.name, it.facts) else read(it),
        )

    def text(self, value: float | None) -> str:
        """The number as a table has it, without its unit."""
        if value is None:
            return NOT_MEASURED
        return f"{100 * value:.1f} %" if self.percent else f"{value:,.{self.digits}f}"


def spoken(name: str) -> str:
    """A name, for reading: "logged out"."""
    return name.replace("_", " ")


def find_measures(folders: Iterable[str], package: str) -> list[Measure]:
    """Those that the files of these folders declare: a tuple `MEASURES` in each."""
    return [measure for module in modules_in(folders, package) for measure in module.MEASURES]


def in_order(measures: list[Measure]) -> dict[str, Measure]:
    """By name, as tables have them.

    Raises:
        TypeError: two have the same name, or one is of a group that there is not.
    """
    found: dict[str, Measure] = {}
    for measure in sorted(measures, key=_standing):  # stable: what has no place stays in the order of its files
        if measure.name in found:
            raise TypeError(f"there are two measures of the name {measure.name!r}")
        found[measure.name] = measure
    return found


def _standing(measure: Measure) -> tuple[int, int]:
    if measure.group not in GROUPS:
        raise TypeError(
            f"the measure {measure.name!r} is of the group {measure.group!r}; there are {', '.join(GROUPS)}"
        )
    return GROUPS.index(measure.group), measure.place


def shoppers_of(tally: str) -> Read:
    """To how many shoppers what that tally counts happened."""
    return lambda it: it.counts.get(tally, _NOBODY).shoppers


def events_of(tally: str) -> Read:
    """How often what that tally counts happened."""
    return lambda it: it.counts.get(tally, _NOBODY).events


def losses_of(kind: str) -> Read:
    """How many losses of that kind there are."""
    return lambda it: sum(loss.kind == kind for loss in it.losses)
