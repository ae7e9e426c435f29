"""Conformance as one HTML page and one Markdown table; both say nothing that `conformance.json` does not."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from compose.architectures import ARCHITECTURES
from compose.balancers import BALANCERS
from loadtests.campaigns.conformance.cells import COLUMNS, BalancerColumn, Conformance, ConformanceCell
from loadtests.campaigns.conformance.sentences import decide_c11, decide_c19, remarks, steadiness, who
from loadtests.model.run_folder import RunFolder
from loadtests.planning.scenario_file import load_scenario
from loadtests.report.shell import PageShell
from loadtests.report.tables import Markdown, Table
from shared.whole_file import write_whole

EVENTS = Path(__file__).parent / "events"
HTML_FILE, MARKDOWN_FILE = "conformance.html", "conformance.md"
SHELL = PageShell(Path(__file__).parent)


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
    tables = tables_of(known)
    write_whole(folder / MARKDOWN_FILE, markdown(known, tables).encode())
    same, all_of_them = steadiness(known)
    run = {cell.balancer for cell in known.cells if cell.repeats}
    page = SHELL.page(
        "conformance.html.j2",
        known=known,
        tables=tables,
        remarks=tuple(remarks(known)),
        cells=sum(len(table.cells) for table in tables),
        columns=COLUMNS,
        who=who,
        affinity=lambda cell: ARCHITECTURES[cell.architecture].affinity,
        report=lambda cell, number: _report(folder, cell, number),
        balancers={name: balancer for name, balancer in BALANCERS.items() if name in run},
        c11=decide_c11(known),
        c19=decide_c19(known),
        same=same,
        all_of_them=all_of_them,
    )
    write_whole(folder / HTML_FILE, page)
    return folder / HTML_FILE


def tables_of(known: Conformance) -> tuple[EventTable, ...]:
    """The events, by name."""
    return tuple(_table_of(known, event) for event in dict.fromkeys(cell.event for cell in known.cells))


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


def markdown(known: Conformance, tables: tuple[EventTable, ...]) -> str:
    """The tables for pages and pull requests."""
    same, all_of_them = steadiness(known)
    parts = [
        f"{known.shoppers} people, three nodes, sessions in their memory (in a store where nobody belongs to a node); "
        f"seed {known.seed}, up to {known.repeats} repeats of the same plan, Twinshop {known.twinshop}. A number alone "
        f"was the same in every repeat; of others the median and the range. {same} of {all_of_them} repeated "
        "whole numbers were always the same.",
    ]
    for table in tables:
        head = ("balancer", "affinity", "repeats", *(column.title for column in table.columns))
        rows = tuple(
            (*_names(cell), str(len(cell.repeats)), *(column.shown(cell) for column in table.columns))
            for cell in table.cells
        )
        parts += [f"### {table.event}", *filter(None, [table.about])]
        parts += [Markdown().write(Table(head, rows, align="<<>")).strip()] if rows else []
        if table.refused:  # in their first words: the others stand on the page, and in the reference
            parts.append(" ".join(f"{re.split('[;.] ', cell.why)[0]}." for cell in table.refused))
        parts += [f"- {who(cell)}, a repeat that does not count: {cell.failed}" for cell in table.lacking]
    parts += ["### Any load balancer with sticky sessions will do (C19)", decide_c19(known)]
    parts += ["### Balancing strategies each have their place (C11)", decide_c11(known)]
    parts += ["### What differs from the best", *(f"- {remark.sentence}" for remark in remarks(known))]
    return "\n\n".join(parts) + "\n"


def _names(cell: ConformanceCell) -> tuple[str, str]:
    balancer = BALANCERS.get(cell.balancer)
    return balancer.title if balancer else cell.balancer, ARCHITECTURES[cell.architecture].affinity


def _report(folder: Path, cell: ConformanceCell, number: int) -> str:
    """The address of a repeat's report as seen from the page; empty if there is none."""
    run = cell.runs[number] if number < len(cell.runs) else ""
    return f"{run}/report.html" if run and RunFolder(folder / run).report.is_file() else ""
