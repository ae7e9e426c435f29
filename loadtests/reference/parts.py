"""What the pages of Twinshop's parts say: architectures, faults, checks, behaviours, measures, commands."""

from collections.abc import Iterator
from typing import Any

import click

from compose.architectures import ARCHITECTURES
from loadtests.behaviours import BEHAVIOURS
from loadtests.checks import CAUSES, CHECKS, MEASURES, TALLIES
from loadtests.cli import COMMANDS, command_named, twinshop
from loadtests.faults import FAULTS
from loadtests.planning.scenario_file import all_scenarios
from loadtests.report.exports.tables import ExportTable
from loadtests.report.markdown_pages import code

Rows = Iterator[tuple[str, ...]]
WIDTH = 100  # of the terminal on which help is shown


def architectures() -> Rows:
    """A row for each architecture."""
    for it in ARCHITECTURES.values():
        yield code(it.name), code(it.app), it.store, it.affinity, str(it.replicas or "–"), it.summary


def faults() -> Rows:
    """A row for each kind of fault, with the scenarios that have it."""
    users: dict[str, list[str]] = {}
    for scenario in all_scenarios():
        # A scenario that strikes twice with one kind is still one scenario.
        for kind in dict.fromkeys(fault.kind for fault in scenario.fault):
            users.setdefault(kind, []).append(scenario.name)
    for kind, it in sorted(FAULTS.items()):
        causes = ", ".join(code(cause.name) for cause in it.causes) or "–"
        takes_memory = "yes" if it.takes_memory else "no"
        yield code(kind), it.sentence, it.strikes, takes_memory, causes, _listed(users.get(kind, []))


def causes() -> Rows:
    """A row for each cause, with the faults that it can come from."""
    faults_of: dict[str, list[str]] = {}
    for kind, fault in sorted(FAULTS.items()):
        for cause in fault.causes:
            faults_of.setdefault(cause.name, []).append(f"[{kind}](faults.md)")
    for name, meaning in sorted(CAUSES.items()):
        yield code(name), meaning, ", ".join(faults_of.get(name, [])) or "–"


def _listed(names: list[str]) -> str:
    return ", ".join(f"[{name}](scenarios.md#{name})" for name in names) or "–"


def behaviours() -> Rows:
    """A row for each behaviour, with the scenarios that have it."""
    users: dict[str, list[str]] = {}
    for scenario in all_scenarios():
        users.setdefault(scenario.load.behaviour, []).append(scenario.name)
    for name, it in BEHAVIOURS.items():
        yield code(name), it.sentence, ", ".join(sorted(it.uses)) or "–", f"{it.pace:g}", _listed(users.get(name, []))


def measures() -> Rows:
    """A row for each measure."""
    for name, it in MEASURES.items():
        yield code(name), it.sort, it.unit, it.better or "–", it.definition


def losses() -> Rows:
    """A row for each loss: when it is one."""
    return ((code(it.kind), it.rule) for it in CHECKS.values())


def losses_and_guarantees() -> Rows:
    """The same, with the session guarantee that each breaks."""
    return ((code(it.kind), it.rule + (f" Breaks *{it.breaks}*." if it.breaks else "")) for it in CHECKS.values())


def tallies() -> Rows:
    """A row for each thing that is counted beside losses."""
    return ((code(it.name), it.rule) for it in TALLIES.values())


def columns(table: ExportTable[Any]) -> Rows:
    """A row for each column of a table that can be exported."""
    return ((code(it.name), it.kind, it.about) for it in table.heads())


def helps() -> dict[str, list[str]]:
    """The help of each command, and of those below it; of `twinshop` itself under ""."""
    found = {"": [_help(twinshop, "twinshop")]}
    for name in COMMANDS:
        command = command_named(name)
        below = command.commands.items() if isinstance(command, click.Group) else ()
        whole = f"twinshop {name}"
        found[name] = [_help(command, whole), *(_help(it, f"{whole} {word}") for word, it in below)]
    return found


def _help(command: click.Command, name: str) -> str:
    """As on a terminal that is `WIDTH` wide."""
    # A fixed width, as click otherwise asks the terminal, and the page would depend on who makes it.
    with click.Context(
        command, info_name=name, help_option_names=["-h", "--help"], terminal_width=WIDTH, max_content_width=WIDTH
    ) as context:
        return "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
