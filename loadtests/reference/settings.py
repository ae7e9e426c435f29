"""The pages of settings and of an application's description: every bound, switch and key, with its default.

What a field means is the docstring below it, which Python itself does not keep: it is read from the source.
"""

import ast
import inspect
import textwrap
from itertools import pairwise

import msgspec

from compose import description as file
from compose.cluster import Limits, Range, ranges
from compose.interface import Call, Extract, Sign
from loadtests.model.plan import ClientLimits
from loadtests.model.scenario import FaultSpec, Load, Scenario
from loadtests.reference.markdown import code, page, table
from loadtests.running.fault_run import FaultBounds


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


def settings() -> str:
    """docs/reference/settings.md."""
    return page(
        "Settings",
        "Every bound and switch that can decide an outcome, with its default. All of them are printed in each report.",
        "## Of a cluster",
        "A scenario changes them below `[settings]`; [cures](../how-to/cures.md) are such changes. What is not in its "
        "range is refused before anything starts, with exit code 2.",
        _table(Limits),
        "## Of a scenario's load and its faults",
        "Below `[load]`, and in each `[[fault]]`; `nodes` stands above both.",
        _ranged(Load, FaultSpec, Scenario),
        "## Of the shoppers' client",
        "The same for every architecture, and for every scenario.",
        _table(ClientLimits),
        "## Of watching faults",
        "How long a fault may take to be seen; one that is not seen in time makes the run inconclusive.",
        _table(FaultBounds),
    )


def _table(kind: type[msgspec.Struct]) -> str:
    its = ranges(kind)
    return table(
        ("setting", "default", "kind", *(("range", "because") if its else ()), "meaning"),
        [
            (code(it.name), code(it.written), code(it.type), *(_range(it.name, its) if its else ()), _meaning(it))
            for it in attributes_of(kind)
        ],
    )


def _ranged(*kinds: type[msgspec.Struct]) -> str:
    """Only what has a range."""
    rows = [
        (code(it.name), code(it.written), *_range(it.name, ranges(kind)), _meaning(it))
        for kind in kinds
        for it in attributes_of(kind)
        if it.name in ranges(kind)
    ]
    return table(("key", "default", "range", "because", "meaning"), rows)


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


def application() -> str:
    """docs/reference/application.md."""
    tables: list[tuple[str, tuple[type[msgspec.Struct], ...]]] = [
        ("The file", (file.Description,)),
        ("`[node]`", (file.NodeCommand,)),
        ("`[accounts]`", (file.AccountSource,)),
        ("Each request: `[login]`, `[who]`, `[remember]`, `[recall]`, `[logout]`", (Call,)),
        ("Beyond that, of single requests", (file.LoginCall, file.WhoCall, file.RememberCall, file.RecallCall)),
        ("Where something stands in an answer", (Extract,)),
        ("How an answer can be told", (Sign,)),
        ("`[variant.NAME]`", (file.DescribedVariant,)),
        ("`[service]`, in the place of `[node]`", (file.NodeService,)),
        ("`[running]`, in the place of `[node]`", (file.Running,)),
        ("`[fault.KIND]`, beside `[running]`", (file.FaultCommands,)),
    ]
    in_containers = ", ".join(code(f"{{{word}}}") for word in file.IN_CONTAINERS)
    return page(
        "The description of an application",
        "Every key of the file that `twinshop run SCENARIO --app FILE` reads. [Test your own application]"
        "(../how-to/test-your-own-application.md) begins with the smallest one; `twinshop app new` writes a commented "
        "one; `twinshop app schema` prints the JSON Schema, which also lies in `application.schema.json`.",
        *(part for title, kinds in tables for part in (f"## {title}", _keys(*kinds))),
        "## Words in commands and in `env`",
        table(("word", "stands for"), [(code(f"{{{word}}}"), meaning) for word, meaning in file.PLACES.items()]),
        f"In the `env` of a service, and of its variants: {in_containers}.",
    )


def _keys(*kinds: type[msgspec.Struct]) -> str:
    rows = [
        (code(it.name), code(it.type), code(it.written), it.about or "See its table below.")
        for kind in kinds
        for it in attributes_of(kind)
        if it.name != "folder"  # which nobody writes: it is where the file was found
    ]
    return table(("key", "kind", "default", "meaning"), rows)
