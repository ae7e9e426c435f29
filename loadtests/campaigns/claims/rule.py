"""A rule over measured cells: "[node-kill/sticky-memory/logged_out] > 0".

In brackets stands one number of one cell: scenario, architecture, and a measure (or shoppers, nodes, at_risk). The
language is that of `loadtests.model.formulas`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from loadtests.campaigns.cells import Cell, Place
from loadtests.campaigns.jobs import TIMES
from loadtests.model.formulas import is_true
from loadtests.model.wording import number

REFERENCE = re.compile(r"\[([a-z0-9-]+)/([a-z0-9-]+)/([a-z0-9_]+)\]")
OF_THE_RUN = ("shoppers", "nodes", "at_risk")  # numbers of a cell that are no measures


class Missing(LookupError):
    """A number that a rule needs is not there; says why."""


class Reference(msgspec.Struct, frozen=True):
    """One number of one cell."""

    scenario: str
    architecture: str
    measure: str

    @property
    def name(self) -> str:
        """As it stands in a rule."""
        return f"[{self.scenario}/{self.architecture}/{self.measure}]"

    def value(self, cells: Mapping[Place, Cell]) -> float:
        """Its value.

        Raises:
            Missing: the cell was not run, is inconclusive, or has no such number.
        """
        cell = cells.get((self.scenario, self.architecture))
        where = f"{self.scenario} on {self.architecture}"
        if cell is None or not cell.was_run:
            raise Missing(f"{where} was not run")
        if cell.word == "inconclusive":
            raise Missing(f"{where} is inconclusive")
        if self.measure in OF_THE_RUN:
            return float(getattr(cell, self.measure))
        if self.measure not in cell.measures:
            raise Missing(f"{where} has no {self.measure}")
        return cell.measures[self.measure]


def references(text: str) -> tuple[Reference, ...]:
    """The numbers that a rule or a sentence names, each once, in order."""
    return tuple(dict.fromkeys(Reference(*found) for found in REFERENCE.findall(text)))


def holds(rule: str, cells: Mapping[Place, Cell]) -> bool:
    """Whether it holds.

    Raises:
        Missing: a number that it needs is not there, or it compares times of different machines.
        ValueError: it is no rule.
    """
    named = references(rule)
    values = {reference.name: reference.value(cells) for reference in named}
    # Two machines are two speeds: what differs could be they. Counts hardly depend on speed.
    times = [cells[it.scenario, it.architecture] for it in named if it.measure in TIMES]
    if len({cell.machine for cell in times}) > 1:
        where = ", ".join(f"{cell.scenario} on {cell.architecture}" for cell in times)
        raise Missing(f"the times of {where} were measured on different machines")
    return is_true(rule, values)


def told(text: str, cells: Mapping[Place, Cell]) -> str:
    """A sentence with its numbers.

    Raises:
        Missing: one of them is not there.
    """
    return REFERENCE.sub(lambda found: number(Reference(*found.groups()).value(cells)), text)
