"""Predictions: a number or formula ("0", "at_risk", "U / N"), or a relation (">= 0.95 * U").

U is the number of shoppers, N the number of nodes, at_risk how many shoppers' sessions the victim held. A whole number
must be met exactly; a formula that does not come out whole is met within half a unit.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable
from typing import Any

import msgspec
import simpleeval

from loadtests.results import Prediction

EXPECTED = 'a number or formula over U, N and at_risk ("0", "at_risk", "U / N"), or a relation to one (">= 0.95 * U")'
_LONGEST = 200
_LARGEST = 1e12
_RELATION = re.compile(r"(>=|<=|==|>|<)?(.*)", re.DOTALL)
_RELATIONS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "==": operator.eq,
}


def _power(base: float, exponent: float) -> float:
    """As floats, so that no exponent takes longer than another."""
    return math.pow(base, exponent)


_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: _power,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
_PARTS = {ast.Name, ast.UnaryOp, ast.BinOp, ast.Constant}
"""What a formula is made of; simpleeval knows more (comparisons, attributes, if-else)."""
_NO_FORMULA = (
    simpleeval.InvalidExpression,
    SyntaxError,
    ArithmeticError,
    TypeError,
    ValueError,
    RecursionError,
    MemoryError,  # what Python's parser says of very deep nesting
)


class Terms(msgspec.Struct, frozen=True):
    """What a formula may name."""

    shoppers: int
    nodes: int
    at_risk: int


def parse_prediction(text: str) -> tuple[str, str]:
    """Its relation ("" for a plain number or formula) and its formula.

    A scenario is checked with it when it is read, long before there is anything to compare with.

    Raises:
        ValueError: it is none; the message says what was expected.
    """
    relation, formula = _split(text)
    _value(text, formula, Terms(shoppers=60, nodes=3, at_risk=20))
    return relation, formula


def predict(measure: str, text: str, measured: float, terms: Terms) -> Prediction:
    """The prediction beside what was measured.

    Raises:
        ValueError: it is no prediction, or has no value with these terms.
    """
    relation, formula = _split(text)
    value = _value(text, formula, terms)
    holds = _RELATIONS[relation](measured, value) if relation else _meets(measured, value)
    return Prediction(measure, text, value, measured, holds)


def _meets(measured: float, value: float) -> bool:
    return measured == value if float(value).is_integer() else abs(measured - value) <= 0.5


def _split(text: str) -> tuple[str, str]:
    if len(text) > _LONGEST:
        raise ValueError(f"a prediction of {len(text)} characters; expected {EXPECTED}")
    parts = _RELATION.fullmatch(text.strip())
    return (parts.group(1) or "", parts.group(2).strip()) if parts else ("", text)


def _value(text: str, formula: str, terms: Terms) -> float:
    """The formula's value, whatever somebody wrote there."""
    names = {"U": terms.shoppers, "N": terms.nodes, "at_risk": terms.at_risk}
    evaluator = simpleeval.SimpleEval(operators=_OPERATORS, functions={}, names=names)
    evaluator.nodes = {kind: node for kind, node in evaluator.nodes.items() if kind in _PARTS}
    try:
        value = evaluator.eval(formula, previously_parsed=ast.parse(formula, mode="eval").body)
    except ZeroDivisionError:
        raise ValueError(f"{text!r} divides by zero; expected {EXPECTED}") from None
    except _NO_FORMULA as error:
        raise ValueError(f"{text!r} is not a prediction ({error}); expected {EXPECTED}") from None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _LARGEST:
        raise ValueError(f"{text!r} is not a number; expected {EXPECTED}")
    return value
