"""What conformance says: a sentence for each cell that is worse than the best of its event, and none for the others.

And the two claims that it decides; and all of it as one HTML page and one Markdown table. None of them says anything
that `conformance.json` does not.
"""

import re
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from statistics import median

import msgspec

from compose.architectures import ARCHITECTURES
from compose.balancers import BALANCERS
from loadtests.campaigns.conformance.cells import COLUMN, COLUMNS, BalancerColumn, Conformance, ConformanceCell
from loadtests.model.run_folder import report_beside
from loadtests.planning.scenario_file import load_scenario
from loadtests.report.markdown_pages import markdown_pages
from loadtests.report.shell import PageShell
from shared.whole_file import write_whole

EVENTS = Path(__file__).parent / "events"
HTML_FILE, MARKDOWN_FILE = "conformance.html", "conformance.md"
SHELL = PageShell(Path(__file__).parent)

REPEATS_TO_DECIDE = 3  # of a cell that may decide a claim; below, nobody knows what is timing
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
# Architectures, what each has its place by, and whether more of it is better than `IN_TURN` or less.
_PLACES = (("redis-least-request", "stalled", -1), ("redis-weighted", "busiest_share", 1))
_BETTER, _NO_BETTER = "Better than in turn", "No better than timing"


class Remark(msgspec.Struct, frozen=True):
    """A sentence about one cell."""

    cell: ConformanceCell
    sentence: str


def names_of(cell: ConformanceCell) -> tuple[str, str]:
    """The balancer and the affinity of a cell, for people."""
    balancer = BALANCERS.get(cell.balancer)
    return balancer.title if balancer else cell.balancer, ARCHITECTURES[cell.architecture].affinity


def who(cell: ConformanceCell) -> str:
    """The same in words."""
    return ", by ".join(names_of(cell))


def best(cells: Iterable[ConformanceCell], column: BalancerColumn) -> ConformanceCell | None:
    """The cell with the least median, of those who were at the node; None without any."""
    return min(
        (cell for cell in cells if column.compared(cell)), key=lambda cell: median(column.compared(cell)), default=None
    )


def remarks(known: Conformance) -> Iterator[Remark]:
    """A sentence for each cell that is worse than the best of the same event and affinity, the worst number first."""
    for cell in known.cells:
        beside = [it for it in known.cells if (it.event, it.architecture) == (cell.event, cell.architecture)]
        said = [words for name in _WORST_FIRST if (words := _worse(cell, beside, name))]
        if cell.repeats and said:
            yield Remark(cell, f"{who(cell)}, in {cell.event}: {'; '.join(said)}.")


def _worse(cell: ConformanceCell, beside: list[ConformanceCell], name: str) -> str:
    column = COLUMN[name]
    mine, least = column.compared(cell), best(beside, column)
    # Worse is what no repeat of the best came to: which node a ring gives to whom differs from run to run.
    if not mine or least is None or min(mine) <= max(column.compared(least)):
        return ""
    people = cell.repeats[0].shoppers
    how_long = f", for {COLUMN['trapped_s'].shown(cell)} s at most" if name == "trapped" else ""
    be = "was" if column.shown(cell) == "1" else "were"
    said = f"{column.shown(cell)} of {people} {be} {_VERBS[name]}{how_long}"
    if not cell.struck:
        return f"{said} (at best {column.shown(least)})"
    of = "the number at the node" if column.of_those_there else "all"
    return f"{said}, {column.share(cell)} of {of} (at best {column.share(least)})"


def steadiness(known: Conformance) -> tuple[int, int]:
    """How many whole numbers were the same in every repeat, and how many were repeated at all."""
    whole = [column for column in COLUMNS if column.unit == "people"]
    repeated = [values for cell in known.cells for column in whole if len(values := column.values(cell)) > 1]
    return sum(len(set(values)) == 1 for values in repeated), len(repeated)


def decide_c11(known: Conformance) -> str:
    """Claim C11, "balancing strategies each have their place", of those that keep nobody, for each balancer."""
    # Least request has one if fewer wait, weights if the strong node serves more, than in turn, in each repeat.
    found = known.by_place()
    said = {_BETTER: list[str](), _NO_BETTER: list[str]()}
    for place, turn in found.items():
        for architecture, name, sign in _PLACES if place[2] == IN_TURN else ():
            cell = found.get((*place[:2], architecture), turn)
            column = COLUMN[name]
            mine, theirs = ([sign * value for value in column.values(it)] for it in (cell, turn))
            if cell is not turn and min(len(mine), len(theirs)) >= REPEATS_TO_DECIDE:
                words = f"{who(cell)} ({column.title} {column.shown(cell)}, in turn {column.shown(turn)})"
                said[_BETTER if min(mine) > max(theirs) else _NO_BETTER].append(words)
    if not any(said.values()):
        return f"Not decided: no strategy was run {REPEATS_TO_DECIDE} times or more."
    verdict = "Depends" if said[_NO_BETTER] else "Confirmed, as far as it was run"
    return f"{verdict}. " + " ".join(f"{word}: {'; '.join(of)}." for word, of in said.items() if of)


def decide_c19(known: Conformance) -> str:
    """Claim C19, "any load balancer with sticky sessions will do", by the recommended set-ups, by cookie."""
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
    # If they do, a repeat of the one came to what a repeat of the other did: that is timing, and no difference.
    ranges = [(min(values), max(values)) for cell in beside if (values := COLUMN[name].compared(cell))]
    if ranges:
        least, most = min(high for _low, high in ranges), max(low for low, _high in ranges)
        if least < most:
            yield least, most


# --- the pages --------------------------------------------------------------------------------------------------------


class EventTable(msgspec.Struct, frozen=True):
    """One event: what each balancer did to people in it."""

    event: str
    about: str
    """What happens, and what is asked."""
    columns: tuple[BalancerColumn, ...]
    cells: tuple[ConformanceCell, ...]
    refused: tuple[ConformanceCell, ...]
    """Balancers that cannot, and why."""
    lacking: tuple[ConformanceCell, ...] = ()
    """Those of which a repeat was not counted, and why."""


def write_pages(folder: Path, known: Conformance) -> Path:
    """Write both and return where the HTML page is."""
    tables = [_table_of(known, event) for event in dict.fromkeys(cell.event for cell in known.cells)]
    run = {cell.balancer for cell in known.cells if cell.repeats}
    same, all_of_them = steadiness(known)
    told = {
        "known": known,
        "tables": tables,
        "remarks": tuple(remarks(known)),
        "cells": sum(len(table.cells) for table in tables),
        "columns": COLUMNS,
        "names_of": names_of,
        "who": who,
        "report": partial(report_beside, folder),
        "balancers": {name: balancer for name, balancer in BALANCERS.items() if name in run},
        "c11": decide_c11(known),
        "c19": decide_c19(known),
        "same": same,
        "all_of_them": all_of_them,
    }
    markdown = markdown_pages(Path(__file__).parent).get_template("conformance.md.j2")
    write_whole(folder / MARKDOWN_FILE, markdown.render(told, rows=_rows, first_words=_first_words).encode())
    write_whole(folder / HTML_FILE, SHELL.page("conformance.html.j2", **told))
    return folder / HTML_FILE


def _rows(event: EventTable) -> Iterator[tuple[str, ...]]:
    for cell in event.cells:
        yield *names_of(cell), str(len(cell.repeats)), *(column.shown(cell) for column in event.columns)


def _first_words(why: str) -> str:
    """Of why a balancer cannot, the first sentence: the others stand on the HTML page, and in the reference."""
    return re.split("[;.] ", why)[0]


def _table_of(known: Conformance, event: str) -> EventTable:
    cells = [cell for cell in known.cells if cell.event == event]
    run = tuple(sorted((cell for cell in cells if cell.repeats), key=lambda it: (it.architecture, it.balancer)))
    shown = tuple(column for column in COLUMNS if any(column.values(cell) for cell in run))
    lacking = tuple(cell for cell in cells if cell.failed and cell.lacks(known.repeats))
    return EventTable(event, _about(event), shown, run, tuple(cell for cell in cells if cell.why), lacking)


def _about(event: str) -> str:
    """As its file has it."""
    path = EVENTS / f"{event}.toml"
    if not path.is_file():  # conformance.json may be of a version that had one more
        return ""
    scenario = load_scenario(str(path))
    return f"{scenario.question} {scenario.story.strip()}"
