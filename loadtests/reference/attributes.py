"""The fields of a struct with their defaults and the docstrings below them, which Python itself does not keep."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator

import msgspec


class Attribute(msgspec.Struct, frozen=True):
    """One field."""

    name: str
    type: str
    default: str
    """As it stands in the source; empty if there is none."""
    about: str
    """Its docstring, as one line; empty if there is none."""


def attributes_of(kind: type[msgspec.Struct]) -> tuple[Attribute, ...]:
    """The fields that this class itself declares, in order."""
    body = _body(kind)
    followers = [*body[1:], None]
    return tuple(
        _attribute(statement, follower)
        for statement, follower in zip(body, followers, strict=True)
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
    )


def _body(kind: type[msgspec.Struct]) -> list[ast.stmt]:
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    return tree.body if isinstance(tree, ast.ClassDef) else []


def _attribute(statement: ast.AnnAssign, follower: ast.stmt | None) -> Attribute:
    kind = statement.annotation
    if isinstance(kind, ast.Subscript) and ast.unparse(kind.value) == "Annotated" and isinstance(kind.slice, ast.Tuple):
        kind = kind.slice.elts[0]  # the range beside it is told in its own words
    return Attribute(
        ast.unparse(statement.target),
        ast.unparse(kind),
        "" if statement.value is None else ast.unparse(statement.value),
        " ".join("".join(_docstring(follower)).split()),
    )


def _docstring(follower: ast.stmt | None) -> Iterator[str]:
    if isinstance(follower, ast.Expr) and isinstance(follower.value, ast.Constant):
        yield str(follower.value.value)
