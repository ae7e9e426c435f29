"""Reads scenarios from TOML, strictly: a misspelt key is an error with its line, not a default. And writes them."""

import json
import re
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from loadtests.faults import FAULTS
from loadtests.model.scenario import FaultSpec, Load, Scenario
from loadtests.planning.rules import BadValue, bad_values, mistyped, unknown
from shared.errors import ScenarioError
from shared.toml_places import nearest_line, toml_place

T = TypeVar("T")

SCENARIOS = Path(__file__).parents[1] / "scenarios"
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def scenario_file(name_or_path: str) -> Path:
    """Where the scenario of that name, or in that file, lies. A path has a slash or ends with `.toml`.

    Raises:
        ScenarioError: there is no such file; the message names the nearest.
    """
    is_path = "/" in name_or_path or name_or_path.endswith(".toml")
    path = Path(name_or_path) if is_path else SCENARIOS / f"{name_or_path}.toml"
    with suppress(OSError):  # a name that is longer than a file's can be
        if path.is_file():
            return path
    names = sorted(file.stem for file in SCENARIOS.glob("*.toml"))
    near = " or ".join(map(repr, get_close_matches(path.stem, names)))
    raise ScenarioError(
        f"there is no scenario file {name_or_path}" if is_path else f"there is no scenario named {name_or_path!r}",
        why=f"did you mean {near}?" if near else f"nothing like it is among the {len(names)} that there are",
        next_step="twinshop list",
    )


def load_scenario(name_or_path: str) -> Scenario:
    """The scenario of that name (in loadtests/scenarios) or in that file.

    Raises:
        ScenarioError: the file cannot be read, is not TOML, or makes no sense; says which line or path.
    """
    path, content = scenario_content(name_or_path)
    return read_scenario(content, file=str(path), name=path.stem)


def scenario_content(name_or_path: str) -> tuple[Path, bytes]:
    """The scenario's file and what is in it, read once: what is carried out is what is kept.

    Raises:
        ScenarioError: it cannot be read.
    """
    path = scenario_file(name_or_path)
    try:
        return path, path.read_bytes()
    except OSError as error:
        raise ScenarioError(
            f"cannot read {path}", why=error.strerror or str(error), next_step=f"make {path} readable"
        ) from error


def all_scenarios() -> list[Scenario]:
    """The scenarios that come with Twinshop, by name."""
    return [_shipped(path.stem) for path in sorted(SCENARIOS.glob("*.toml"))]


@cache
def _shipped(name: str) -> Scenario:
    # Every report looks for the cures among all of them, and to read and check them takes 0.3 s; they do not change.
    return load_scenario(name)


def read_scenario(content: bytes, *, file: str, name: str) -> Scenario:
    """The scenario in these bytes; `file` and `name` are for messages and for `Scenario.name`.

    Raises:
        ScenarioError: it is not TOML, or makes no sense; says of all that does not in which line or path, and what was
            expected.
    """
    try:
        text = content.decode("utf-8-sig")  # some editors begin a file with a mark that TOML does not know
        document = tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ScenarioError(
            f"{file}, line {line}: not UTF-8", why=str(error), next_step="save the file as UTF-8"
        ) from error
    except (ValueError, RecursionError) as error:  # also for thousands of digits, or of brackets
        raise ScenarioError(f"{toml_place(file, error)}: not TOML", why=str(error), next_step=f"fix {file}") from error
    bad: dict[str, BadValue] = {}
    for one in _bad_in(document, name):
        # What makes no sense only beside a value that is wrong itself may be right: it is looked at the next time.
        if not any(other.startswith(path) for path in bad for other in one.beside):
            bad.setdefault(one.path, one)
    if bad:
        raise _refusal(file, text, list(bad.values()))
    return msgspec.structs.replace(msgspec.convert(document, type=Scenario), name=name)


def _refusal(file: str, text: str, bad: list[BadValue]) -> ScenarioError:
    """All of it at once, in the order of the file's lines."""
    if len(bad) == 1:
        what = f"{_place(file, text, bad[0].path)}: {bad[0].what}"
        return ScenarioError(what, why=bad[0].expected, next_step=f"fix {bad[0].path} in {file}")
    in_order = sorted(bad, key=lambda one: nearest_line(text, one.path))
    told = [f"{_place('', text, one.path)}: {one.what}; {one.expected}" for one in in_order]
    return ScenarioError(
        f"{file}: {len(bad)} values make no sense", why="\n        ".join(told), next_step=f"fix them in {file}"
    )


def encode_scenario(scenario: Scenario) -> bytes:
    """Its TOML, which `read_scenario` reads as the same scenario; the name is the file's, and not in it.

    Every number is written, defaults too: a later version of Twinshop may have others.
    """
    document = msgspec.to_builtins(msgspec.structs.replace(scenario, name=""))
    del document["name"]
    return "\n".join([*_toml_lines(document, ""), ""]).encode()


def _toml_lines(table: dict[str, Any], path: str) -> Iterator[str]:
    """A string, number or list of JSON is TOML's."""
    # Values first: what follows the head of a table is in that table.
    tables: list[tuple[str, dict[str, Any]]] = []
    for key, value in table.items():
        name = key if _BARE_KEY.fullmatch(key) else json.dumps(key)
        if isinstance(value, dict):
            tables += [(f"[{path}{name}]", value)] if value else []
        elif isinstance(value, list | tuple) and value and isinstance(value[0], dict):
            tables += [(f"[[{path}{name}]]", each) for each in value]
        elif value is not None:
            # DEL may stand in a text of JSON, and not in one of TOML; all other letters of the two agree.
            yield f"{name} = {json.dumps(value, ensure_ascii=False)}".replace("\x7f", "\\u007f")
    for head, below in tables:
        yield from ("", head, *_toml_lines(below, head.strip("[]") + "."))


Said = str | int | float
"""A prediction or a threshold: a text, or one of TOML's numbers, which is read as if it stood in quotes."""
# What stands for a value that is needed and not there, so that the others can be looked at beside it.
_FILLERS = {"question": "?", "family": "?", "kind": next(iter(FAULTS))}


def _bad_in(document: dict[str, Any], name: str) -> Iterator[BadValue]:
    """Every value that makes no sense; what is told of is gone from the document, so that the rest can be looked at."""
    for path, table, key, kind in list(_leaves(document)):
        if bad := mistyped(f"{path}.{key}", table[key], kind):
            del table[key]
            yield bad
        elif kind is Said:
            table[key] = str(table[key])  # one kind of thing from here on: formulas are read from texts
    for path, table, struct in _tables(document):
        yield from _bad_keys(path, table, struct)
    yield from bad_values(msgspec.structs.replace(msgspec.convert(document, type=Scenario), name=name))


def _bad_keys(path: str, table: dict[str, Any], struct: type[msgspec.Struct]) -> Iterator[BadValue]:
    fields = {it.name: it for it in msgspec.structs.fields(struct) if (struct, it.name) != (Scenario, "name")}
    needed = {name for name, field in fields.items() if field.required}
    for name in sorted(needed - set(table)):
        yield BadValue(path.removesuffix(".") or name, f"{name!r} is missing", f"a value for {name}")
    for key in list(table):
        if key not in fields:  # before its type: a misspelt key is best answered with the right one
            bad: BadValue | None = unknown(f"{path}{key}", "key", key, sorted(fields))
        else:
            bad = mistyped(f"{path}{key}", table[key], fields[key].type)
        if bad:
            del table[key]
            yield bad
    table.update({name: _FILLERS[name] for name in needed - set(table)})


def _tables(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], type[msgspec.Struct]]]:
    """The tables that have keys of their own, from the inside; the document is the last."""
    faults = document.get("fault")
    for number, fault in enumerate(faults if isinstance(faults, list) else ()):
        if isinstance(fault, dict):
            yield f"fault[{number}].", fault, FaultSpec
    if isinstance(document.get("load"), dict):
        yield "load.", document["load"], Load
    yield "", document, Scenario


def _leaves(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], str, Any]]:
    """Where many values are alike, each by itself: msgspec does not say which of them it means."""
    load: Any = document.get("load")
    fail_if: Any = document.get("fail_if")
    tables: list[tuple[str, Any, Any]] = [("load.mix", load.get("mix") if isinstance(load, dict) else None, float)]
    tables += [("without", document.get("without"), str)]
    tables += [(f"expect.{name}", said, Said) for name, said in _items(document.get("expect"))]
    tables += [(f"fail_if.{name}", said, Said) for name, said in _items(fail_if) if isinstance(said, dict)]
    for path, table, kind in tables:
        yield from ((path, table, key, kind) for key, _value in _items(table))
    yield from (("fail_if", fail_if, key, Said) for key, value in _items(fail_if) if not isinstance(value, dict))


def _items(value: Any) -> list[tuple[str, Any]]:
    return list(value.items()) if isinstance(value, dict) else []


def _place(file: str, text: str, path: str) -> str:
    line = nearest_line(text, path)
    return ", ".join(part for part in (file, f"line {line}" if line else "", path) if part)
