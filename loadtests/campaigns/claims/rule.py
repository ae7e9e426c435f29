"""A rule over measured cells: "[node-kill/sticky-memory/logged_out] > 0".

In brackets stands one number of one cell: scenario, architecture, and a measure (of `loadtests.judging.verdict`, or
shoppers, nodes, at_risk). Around them: arithmetic, comparisons, and, or, not, min, max, abs.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Mapping

import msgspec
import simpleeval

from loadtests.campaigns.cell_words import number
from loadtests.campaigns.cells import Cell, Place

REFERENCE = re.compile(r"\[([a-z0-9-]+)/([a-z0-9-]+)/([a-z0-9_]+)\]")
OF_THE_RUN = ("shoppers", "nodes", "at_risk")
"""Numbers of a cell that are no measures."""
_PARTS = {ast.Expr, ast.Name, ast.UnaryOp, ast.BinOp, ast.Constant, ast.Compare, ast.BoolOp, ast.Call}


class Missing(LookupError):
    """A number that a rule needs is not there; says why."""


class Reference(msgspec.Struct, frozen=True):
    """One number of one cell."""

    scenario: str
    architecture: str
    measure: str

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
        Missing: a number that it needs is not there.
        ValueError: it is no rule.
    """
    values = {reference: reference.value(cells) for reference in references(rule)}
    return evaluate(rule, values)


def evaluate(rule: str, values: Mapping[Reference, float]) -> bool:
    """Whether it holds with these values.

    Raises:
        ValueError: it is no rule.
    """
    names = {f"v{place}": value for place, value in enumerate(values.values())}
    places = {reference: f"v{place}" for place, reference in enumerate(values)}
    return truth_of(REFERENCE.sub(lambda found: places[Reference(*found.groups())], rule), names, rule)


def truth_of(formula: str, names: Mapping[str, float], rule: str) -> bool:
    """Whether a formula of plain names is true; `rule` is what somebody wrote, for messages.

    Raises:
        ValueError: it is no rule.
    """
    evaluator = simpleeval.SimpleEval(functions={"min": min, "max": max, "abs": abs}, names=dict(names))
    evaluator.nodes = {kind: node for kind, node in evaluator.nodes.items() if kind in _PARTS}
    evaluator.operators[ast.Pow] = operator.pow
    try:
        value = evaluator.eval(formula)
    except ZeroDivisionError:
        return False
    except (simpleeval.InvalidExpression, SyntaxError, TypeError, KeyError) as error:
        raise ValueError(f"{rule!r} is no rule: {error}") from error
    if not isinstance(value, bool):
        raise ValueError(f"{rule!r} is no rule: it gives {value!r}, neither true nor false")
    return value


def told(text: str, cells: Mapping[Place, Cell]) -> str:
    """A sentence with its numbers.

    Raises:
        Missing: one of them is not there.
    """
    return REFERENCE.sub(lambda found: number(Reference(*found.groups()).value(cells)), text)
