"""The tree of errors is complete: what is drawn in the docstring is what there is, and nobody grows one elsewhere."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from shared import errors

ROOT = Path(errors.__file__).parents[1]
PACKAGES = ("shared", "stateful_app", "stateless_app", "compose", "loadtests")


def drawn() -> dict[str, tuple[str, int]]:
    """Each error in the docstring, with its parent and its exit code."""
    found: dict[str, tuple[str, int]] = {}
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"^ {4}([│├└─ ]*)([A-Z]\w+) +(\d+)", line)
        if match:
            depth = len(match[1]) // 4
            above = [*above[:depth], match[2]]
            found[match[2]] = (above[-2] if depth else "Exception", int(match[3]))
    return found


def there() -> dict[str, tuple[str, int]]:
    """Each error that the module defines."""
    classes = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)]
    return {one.__name__: (one.__base__.__name__ if one.__base__ else "", one.exit_code) for one in classes}


def test_the_drawing_is_the_tree() -> None:
    assert drawn() == there()
    assert len(drawn()) >= 9, "the drawing was read"


def test_no_error_of_the_tree_grows_elsewhere() -> None:
    grown = []
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            if path == Path(errors.__file__):
                continue
            for found in ast.walk(ast.parse(path.read_text())):
                if isinstance(found, ast.ClassDef):
                    bases = {ast.unparse(base).rpartition(".")[2] for base in found.bases}
                    grown += [f"{path}: {found.name}"] if bases & set(there()) else []
    assert grown == []


def test_the_exit_codes_are_those_of_the_command_line() -> None:
    assert {code for _, code in there().values()} == {1, 2, 4, 5, 130}


def test_a_message_says_what_why_and_what_next() -> None:
    error = errors.UsageError("what happened", why="why", next_step="a command")
    assert str(error) == "what happened\n  why:  why\n  next: a command"
    assert str(errors.TwinshopError("only this")) == "only this"


def test_not_ready_in_time_shows_the_log() -> None:
    error = errors.NotReadyInTime("n1 did not start", log=Path("/logs/n1.log"), tail="one\ntwo")
    assert str(error) == "n1 did not start\n  log:  /logs/n1.log\n  | one\n  | two"
