"""The formula language: of predictions, thresholds, the rules of claims and those of the lesson.

U is the number of shoppers, N the number of nodes, W how many worker processes serve one node, at_risk how many
shoppers' sessions the victim held. A whole number must be met exactly; a formula that does not come out whole is met
within half a unit; both ends of a range belong to it.
"""

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec
import simpleeval

from loadtests.model.results import Prediction

# prediction ::= [ relation ] sum | sum ".." sum        what is measured is compared with it: "at_risk", ">= 0.95 * U"
# threshold  ::= relation sum | sum ".." sum            a bare number would fire when it is met, which nobody means
# rule       ::= both { "or" both }                     true or false by itself: "[calm/redis/failed] == 0 and not …"
# both       ::= each { "and" each }
# each       ::= [ "not" ] ( comparison | "(" rule ")" )
# comparison ::= sum relation sum { relation sum }
# relation   ::= ">=" | "<=" | "==" | ">" | "<" | "!="  ("!=" in rules only)
# sum        ::= product { ( "+" | "-" ) product }
# product    ::= factor { ( "*" | "/" ) factor }
# factor     ::= [ "-" | "+" ] power
# power      ::= atom [ "**" factor ]
# atom       ::= number | name | function "(" sum { "," sum } ")" | "(" sum ")"
# function   ::= "min" | "max" | "abs" | "round" | "floor" | "ceil"
# name       ::= "U" | "N" | "W" | "at_risk"            in predictions and thresholds
#              | "U" | "N" | word { "." word }          in the lesson: left.logged_out, right.cause.store_lost
#              | "[" scenario "/" architecture "/" measure "]"   in claims: one number of one cell
#
# It is a part of Python's, so Python parses it; what is evaluated is only what stands here.

EXPECTED = (
    'a number or formula over U, N, W and at_risk, with min, max, round, floor and ceil if need be ("0", "at_risk", '
    '"ceil(U / N)"), a relation to one (">= 0.95 * U"), or a range ("0.2 * U .. U")'
)
THRESHOLD_EXPECTED = 'a relation ("> 0", ">= 0.05 * U", "== 0") or a range ("1 .. U"): when the run is to fail'
RANGE = ".."
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
_LONG_NAME = re.compile(r"\[[a-z0-9-]+/[a-z0-9-]+/[a-z0-9_]+\]|\b[a-z_]\w*(?:\.\w+)+")
"""Names that are none of Python's; a rule may have them."""
_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: math.pow,  # as floats, so that no exponent takes longer than another
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
_COMPARISONS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.GtE: operator.ge,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.Lt: operator.lt,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Not: operator.not_,
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "min": min,
    "max": max,
    "abs": abs,
    "round": lambda number: round(number),  # one argument: to a whole number, a half goes to the even one
    "floor": math.floor,
    "ceil": math.ceil,
}
_PARTS = {ast.Name, ast.UnaryOp, ast.BinOp, ast.Constant, ast.Call}
"""What a formula is made of; simpleeval knows more (attributes, if-else)."""
_OF_RULES = _PARTS | {ast.Compare, ast.BoolOp}
_NO_FORMULA = (
    simpleeval.InvalidExpression,
    SyntaxError,
    ArithmeticError,
    AttributeError,
    TypeError,
    ValueError,
    KeyError,
    RecursionError,
    MemoryError,  # what Python's parser says of very deep nesting
)


class Terms(msgspec.Struct, frozen=True):
    """What a formula may name."""

    shoppers: int
    nodes: int
    at_risk: int
    workers: int = 1
    """Processes that serve one node."""


_SOME = Terms(shoppers=60, nodes=3, at_risk=20)
_MANY = Terms(shoppers=20_000, nodes=32, at_risk=20_000)
"""What every formula must have a value for. What is negative for both is for all that matter: "U - 100" need not be."""


class Parsed(NamedTuple):
    """A prediction taken apart."""

    relation: str
    """One of >=, <=, ==, >, <; `..` for a range; "" for a plain number or formula."""
    formula: str
    """Of a range, its lower end."""
    upper: str = ""


def parse_prediction(text: str) -> Parsed:
    """Its parts.

    A scenario is checked with it when it is read, long before there is anything to compare with.

    Raises:
        ValueError: it is none; the message says what was expected.
    """
    parsed = _split(text)
    low, high = _ends(text, parsed, _SOME)
    if (low < 0 and _ends(text, parsed, _MANY)[0] < 0) or (parsed.relation == "<" and low == 0):
        raise ValueError(
            f"{text!r} is about less than nothing, and nothing that is measured can be; expected {EXPECTED}"
        )
    # With names in it, it may be empty for some numbers of people and not for others: `predict` says so then.
    if high is not None and low > high and not re.search("[A-Za-z]", text):
        raise ValueError(f"{text!r} is a range that holds nothing; expected {EXPECTED}")
    return parsed


def parse_threshold(text: str) -> Parsed:
    """Its parts.

    Raises:
        ValueError: it is no relation and no range, or cannot be read; the message says what was expected.
    """
    parsed = parse_prediction(text)
    if not parsed.relation:
        raise ValueError(f"it does not say whether {text!r} is to be met or exceeded; expected {THRESHOLD_EXPECTED}")
    return parsed


def predict(measure: str, text: str, measured: float, terms: Terms) -> Prediction:
    """The prediction beside what was measured.

    Raises:
        ValueError: it is no prediction, or has no value with these terms.
    """
    parsed = _split(text)
    low, high = _ends(text, parsed, terms)
    if high is not None:
        if low > high:
            raise ValueError(f"the range {text!r} goes from {low:g} to {high:g}, so nothing lies in it")
        holds = low <= measured <= high
    elif parsed.relation:
        holds = _RELATIONS[parsed.relation](measured, low)
    else:
        holds = _meets(measured, low)
    return Prediction(measure, text, low, measured, holds, high)


def _meets(measured: float, value: float) -> bool:
    # A formula that does not come out whole ("U / N") predicts people, who do: the nearest whole number meets it.
    return measured == value if float(value).is_integer() else abs(measured - value) <= 0.5


def _split(text: str) -> Parsed:
    if len(text) > _LONGEST:  # before it is parsed: nothing that somebody wrote may keep the parser busy
        raise ValueError(f"a prediction of {len(text)} characters; expected {EXPECTED}")
    lower, dots, upper = text.partition(RANGE)  # first: no number that Python reads has two dots in a row
    if dots:
        return Parsed(RANGE, lower.strip(), upper.strip())
    parts = _RELATION.fullmatch(text.strip())
    return Parsed(parts.group(1) or "", parts.group(2).strip()) if parts else Parsed("", text)


def _ends(text: str, parsed: Parsed, terms: Terms) -> tuple[float, float | None]:
    """The formula's value; of a range, both ends."""
    low = _value(text, parsed.formula, terms)
    return low, _value(text, parsed.upper, terms) if parsed.relation == RANGE else None


def names_in(rule: str) -> tuple[str, ...]:
    """The numbers that a rule names, but for plain ones such as U; each once, in order."""
    return tuple(dict.fromkeys(_LONG_NAME.findall(rule)))


def is_true(rule: str, values: Mapping[str, float]) -> bool:
    """Whether a rule holds; what divides by zero does not.

    Raises:
        KeyError: it names a number that is not there.
        ValueError: it is no rule.
    """
    # simpleeval knows no name with a dot or in brackets: each gets one that it knows.
    places = {name: f"v{place}" for place, name in enumerate(names_in(rule))}
    names = {place: values[name] for name, place in places.items()}
    plain = {name: value for name, value in values.items() if name.isidentifier()}
    try:
        value = _evaluate(_LONG_NAME.sub(lambda found: places[found[0]], rule), {**plain, **names}, _OF_RULES)
    except ZeroDivisionError:
        return False
    except _NO_FORMULA as error:
        raise ValueError(f"{rule!r} is no rule: {error}") from error
    if not isinstance(value, bool):
        raise ValueError(f"{rule!r} is no rule: it gives {value!r}, neither true nor false")
    return value


def _value(text: str, formula: str, terms: Terms) -> float:
    """The formula's value, whatever somebody wrote there."""
    names = {"U": terms.shoppers, "N": terms.nodes, "W": terms.workers, "at_risk": terms.at_risk}
    try:
        value = _evaluate(formula, names, _PARTS)
    except ZeroDivisionError:
        raise ValueError(f"{text!r} divides by zero; expected {EXPECTED}") from None
    except _NO_FORMULA as error:
        raise ValueError(f"{text!r} is not a prediction ({error}); expected {EXPECTED}") from None
    # A bool is an int to Python, and "1 < 2" no number to anybody else.
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _LARGEST:
        raise ValueError(f"{text!r} is not a number; expected {EXPECTED}")
    return value


def _evaluate(formula: str, names: Mapping[str, float], parts: set[type[ast.AST]]) -> Any:
    evaluator = simpleeval.SimpleEval({**_OPERATORS, **_COMPARISONS}, _FUNCTIONS, dict(names))
    # What a stranger's scenario may say is decided here: no attribute, no index, nothing that could reach Python
    # itself.
    evaluator.nodes = {kind: node for kind, node in evaluator.nodes.items() if kind in parts}
    return evaluator.eval(formula, previously_parsed=ast.parse(formula.strip(), mode="eval").body)
