"""What cells say in words: a sentence for each that is worse than the best of its event, and none for the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from statistics import median

import msgspec

from compose.architectures import ARCHITECTURES
from compose.balancers import BALANCERS
from loadtests.campaigns.conformance.cells import COLUMNS, BalancerColumn, Conformance, ConformanceCell

REPEATS_TO_DECIDE = 3
"""Of a cell that may decide a claim; below, nobody knows what is timing."""
_WORST_FIRST = ("logged_out", "trapped", "met_errors", "stalled", "moved", "again")
_VERBS = {
    "logged_out": "logged out",
    "trapped": "sent again and again to a node that was down",
    "met_errors": "shown an error",
    "stalled": "kept waiting",
    "moved": "moved although their node lived",
    "again": "logged out more than once",
}

IN_TURN = "redis"
_PLACES = (("redis-least-request", "stalled", -1), ("redis-weighted", "busiest_share", 1))
"""Architectures, what each has its place by, and whether more of it is better than `IN_TURN` or less."""
_BETTER, _NO_BETTER = "Better than in turn", "No better than timing"


class Remark(msgspec.Struct, frozen=True):
    """A sentence about one cell."""

    cell: ConformanceCell
    sentence: str


def who(cell: ConformanceCell) -> str:
    """The balancer and the affinity of a cell, for people."""
    balancer = BALANCERS.get(cell.balancer)
    affinity = ARCHITECTURES[cell.architecture].affinity
    return f"{balancer.title if balancer else cell.balancer}, by {affinity}"


def best(cells: Iterable[ConformanceCell], column: BalancerColumn) -> ConformanceCell | None:
    """The cell with the least median, of those who were at the node; None without any."""
    return min(
        (cell for cell in cells if column.compared(cell)), key=lambda cell: median(column.compared(cell)), default=None
    )


def remarks(known: Conformance) -> Iterator[Remark]:
    """A sentence for each cell that is worse than the best of the same event and affinity, the worst number first.

    Worse is what no repeat of the best came to: which node a ring gives to whom differs from run to run.
    """
    for cell in known.cells:
        beside = [it for it in known.cells if (it.event, it.architecture) == (cell.event, cell.architecture)]
        said = [words for name in _WORST_FIRST if (words := _worse(cell, beside, name))]
        if cell.repeats and said:
            yield Remark(cell, f"{who(cell)}, in {cell.event}: {'; '.join(said)}.")


def _worse(cell: ConformanceCell, beside: list[ConformanceCell], name: str) -> str:
    column = next(column for column in COLUMNS if column.name == name)
    mine, least = column.compared(cell), best(beside, column)
    if not mine or least is None or min(mine) <= max(column.compared(least)):
        return ""
    people = cell.repeats[0].shoppers
    seconds = next(column for column in COLUMNS if column.name == "trapped_s").shown(cell)
    how_long = f", for {seconds} s at most" if name == "trapped" else ""
    be = "was" if column.shown(cell) == "1" else "were"
    said = f"{column.shown(cell)} of {people} {be} {_VERBS[name]}{how_long}"
    if not cell.struck:
        return f"{said} (at best {column.shown(least)})"
    of = "the number at the node" if column.of_those_there else "all"
    return f"{said}, {column.share(cell)} of {of} (at best {column.share(least)})"


def steadiness(known: Conformance) -> tuple[int, int]:
    """How many whole numbers were the same in every repeat, and how many were repeated at all."""
    whole = [column for column in COLUMNS if column.unit == "people"]
    cells = [(cell, column) for cell in known.cells for column in whole if len(column.values(cell)) > 1]
    return sum(column.steadiness(cell) == "always" for cell, column in cells), len(cells)


def decide_c11(known: Conformance) -> str:
    """Claim C11, "balancing strategies each have their place", of those that keep nobody, for each balancer.

    Least request has one if fewer wait, weights have one if the strong node serves more, than in turn, in each repeat.
    """
    found = known.by_place()
    said = {_BETTER: list[str](), _NO_BETTER: list[str]()}
    for place, turn in found.items():
        for architecture, name, sign in _PLACES if place[2] == IN_TURN else ():
            cell = found.get((*place[:2], architecture), turn)
            column = next(column for column in COLUMNS if column.name == name)
            mine, theirs = ([sign * value for value in column.values(it)] for it in (cell, turn))
            if cell is not turn and min(len(mine), len(theirs)) >= REPEATS_TO_DECIDE:
                words = f"{who(cell)} ({column.title} {column.shown(cell)}, in turn {column.shown(turn)})"
                said[_BETTER if min(mine) > max(theirs) else _NO_BETTER].append(words)
    if not any(said.values()):
        return f"Not decided: no strategy was run {REPEATS_TO_DECIDE} times or more."
    verdict = "Depends" if said[_NO_BETTER] else "Confirmed, as far as it was run"
    return f"{verdict}. " + " ".join(f"{word}: {'; '.join(of)}." for word, of in said.items() if of)


def decide_c19(known: Conformance) -> str:
    """Claim C19, "any load balancer with sticky sessions will do", by the recommended set-ups, by cookie.

    Two balancers differ in an event if no repeat of the one came to what a repeat of the other did.
    """
    cells = [cell for cell in known.cells if _recommended(cell) and len(cell.repeats) >= REPEATS_TO_DECIDE]
    if len({cell.balancer for cell in cells}) <= 1:
        return f"Not decided: fewer than two balancers were run {REPEATS_TO_DECIDE} times or more."
    apart = [
        f"{event}: {_of(least, most, [cell for cell in cells if cell.event == event])} were {_VERBS[name]}"
        for event in dict.fromkeys(cell.event for cell in cells)
        for name in ("logged_out", "trapped")
        for least, most in _apart([cell for cell in cells if cell.event == event], name)
    ]
    if not apart:
        return "Confirmed, as far as it was run: the recommended set-ups differ in no count by more than timing."
    return f"Refuted: with a cookie and their recommended settings, balancers differ. {'; '.join(apart)}."


def _of(least: float, most: float, cells: list[ConformanceCell]) -> str:
    if any(cell.struck for cell in cells):
        return f"{100 * least:.0f} to {100 * most:.0f} % of the people at the node"
    return f"{least:g} to {most:g} people"


def _recommended(cell: ConformanceCell) -> bool:
    balancer = BALANCERS.get(cell.balancer)
    return cell.architecture == "sticky-memory" and balancer is not None and not balancer.variant.name


def _apart(beside: list[ConformanceCell], name: str) -> Iterator[tuple[float, float]]:
    """The most that the best came to and the least that the worst did, if these ranges do not overlap."""
    column = next(column for column in COLUMNS if column.name == name)
    ranges = [(min(values), max(values)) for cell in beside if (values := column.compared(cell))]
    if ranges:
        least, most = min(high for _low, high in ranges), max(low for low, _high in ranges)
        if least < most:
            yield least, most
