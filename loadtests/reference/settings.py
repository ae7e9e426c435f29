"""What the pages of settings and of an application's description say: every bound, switch and key, with its default.

What a field means is the docstring below it, which Python itself does not keep: it is read from the source.
"""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from itertools import pairwise

import msgspec

from compose.cluster import Range, ranges
from compose.description import PLACES
from loadtests.report.markdown_pages import code, table


class Attribute(msgspec.Struct, frozen=True):
    """One field."""

    name: str
    type: str
    default: str
    """As it stands in the source; empty if there is none."""
    about: str
    """Its docstring, as one line; empty if there is none."""

    @property
    def written(self) -> str:
        """The default as people write it in TOML, which has no word for what is not there."""
        if self.default in ("True", "False"):
            return self.default.lower()
        nothing = self.default in ("None", "{}", "[]") or self.default.endswith(("()", "dict)"))
        return "none" if nothing else self.default


def attributes_of(kind: type[msgspec.Struct]) -> tuple[Attribute, ...]:
    """The fields that this class itself declares, in order."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    body = tree.body if isinstance(tree, ast.ClassDef) else []
    # In pairs: a field's docstring is the statement below it, and the last field may have none.
    return tuple(
        _attribute(statement, follower)
        for statement, follower in pairwise([*body, None])
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
    )


def _attribute(statement: ast.AnnAssign, follower: ast.stmt | None) -> Attribute:
    kind = statement.annotation
    if isinstance(kind, ast.Subscript) and ast.unparse(kind.value) == "Annotated" and isinstance(kind.slice, ast.Tuple):
        kind = kind.slice.elts[0]  # the range beside it is told in its own words
    about = ""
    if isinstance(follower, ast.Expr) and isinstance(follower.value, ast.Constant):
        about = " ".join(str(follower.value.value).split())
    return Attribute(
        ast.unparse(statement.target),
        ast.unparse(kind),
        "" if statement.value is None else ast.unparse(statement.value),
        about,
    )


# --- what stands in the tables ----------------------------------------------------------------------------------------


def settings(kind: type[msgspec.Struct]) -> str:
    """A table of all fields, with their ranges if any of them has one."""
    its = ranges(kind)
    return table(
        ("setting", "default", "kind", *(("range", "because") if its else ()), "meaning"),
        (
            (code(it.name), code(it.written), code(it.type), *(_range(it.name, its) if its else ()), _meaning(it))
            for it in attributes_of(kind)
        ),
    )


def ranged(*kinds: type[msgspec.Struct]) -> Iterator[tuple[str, ...]]:
    """A row for each field that has a range."""
    for kind in kinds:
        its = ranges(kind)
        for it in attributes_of(kind):
            if it.name in its:
                yield code(it.name), code(it.written), *_range(it.name, its), _meaning(it)


def _range(name: str, its: dict[str, Range]) -> tuple[str, str]:
    return (str(its[name]), its[name].why) if name in its else ("", "")


def _meaning(it: Attribute) -> str:
    return it.about or _spelt(it.name)


def _spelt(name: str) -> str:
    """What its name says, where nothing more needs to be said."""
    words = name.split("_")
    units = {"s": "seconds", "ms": "milliseconds", "mb": "megabytes"}
    unit = units.get(words[-1], "")
    text = " ".join(words[:-1] if unit else words)
    return f"{text.capitalize()}{f', in {unit}' if unit else ''}."


def keys(*kinds: type[msgspec.Struct]) -> Iterator[tuple[str, ...]]:
    """A row for each key of a description."""
    for kind in kinds:
        for it in attributes_of(kind):
            if it.name != "folder":  # which nobody writes: it is where the file was found
                yield code(it.name), code(it.type), code(it.written), it.about or "See its table below."


def places() -> Iterator[tuple[str, str]]:
    """A row for each word that a description can have in its commands and in `env`."""
    return ((code(f"{{{word}}}"), meaning) for word, meaning in PLACES.items())
