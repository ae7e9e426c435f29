"""Reads scenarios from TOML, strictly: a misspelt key is an error with its line, not a default. And writes them."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from loadtests.model.scenario import FaultSpec, Load, Scenario
from loadtests.planning.rules import BadValue, check_rules, did_you_mean, unknown
from shared.errors import ScenarioError

T = TypeVar("T")

SCENARIOS = Path(__file__).parents[1] / "scenarios"
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def scenario_file(name_or_path: str) -> Path:
    """Where the scenario of that name, or in that file, lies. A path has a slash or ends with `.toml`.

    Raises:
        ScenarioError: there is no such file; the message lists the known names.
    """
    is_path = "/" in name_or_path or name_or_path.endswith(".toml")
    path = Path(name_or_path) if is_path else SCENARIOS / f"{name_or_path}.toml"
    if path.is_file():
        return path
    names = sorted(file.stem for file in SCENARIOS.glob("*.toml"))
    raise ScenarioError(
        f"there is no scenario file {name_or_path}" if is_path else f"there is no scenario named {name_or_path!r}",
        why=f"known scenarios: {', '.join(names)}{did_you_mean(Path(name_or_path).stem, names)}",
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
    return [load_scenario(path.stem) for path in sorted(SCENARIOS.glob("*.toml"))]


def read_scenario(content: bytes, *, file: str, name: str) -> Scenario:
    """The scenario in these bytes; `file` and `name` are for messages and for `Scenario.name`.

    Raises:
        ScenarioError: it is not TOML, or makes no sense; says which line or path and what was expected.
    """
    try:
        text = content.decode("utf-8-sig")  # some editors begin a file with a mark that TOML does not know
        document = tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ScenarioError(
            f"{file}, line {line}: not UTF-8", why=str(error), next_step="save the file as UTF-8"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(
            f"{_toml_place(file, error)}: not TOML", why=str(error), next_step=f"mend {file}"
        ) from error
    try:
        _check_keys(document)
        scenario = msgspec.structs.replace(_convert(document), name=name)
        check_rules(scenario)
    except BadValue as bad:
        raise ScenarioError(
            f"{_place(file, text, bad.path)}: {bad.what}", why=bad.expected, next_step=f"mend {bad.path} in {file}"
        ) from bad
    return scenario


def encode_scenario(scenario: Scenario) -> bytes:
    """Its TOML, which `read_scenario` reads as the same scenario; the name is the file's, and not in it.

    Every number is written, defaults too: a later version of Twinshop may have others.
    """
    document = msgspec.to_builtins(msgspec.structs.replace(scenario, name=""))
    del document["name"]
    return "\n".join([*_toml_lines(document, ""), ""]).encode()


def _toml_lines(table: dict[str, Any], path: str) -> Iterator[str]:
    """Values first: what follows the head of a table is in that table. A string, number or list of JSON is TOML's."""
    tables: list[tuple[str, dict[str, Any]]] = []
    for key, value in table.items():
        name = key if _BARE_KEY.fullmatch(key) else json.dumps(key)
        if isinstance(value, dict):
            tables += [(f"[{path}{name}]", value)] if value else []
        elif isinstance(value, list | tuple) and value and isinstance(value[0], dict):
            tables += [(f"[[{path}{name}]]", each) for each in value]
        elif value is not None:
            yield f"{name} = {json.dumps(value, ensure_ascii=False)}".replace("\x7f", "\\u007f")
    for head, below in tables:
        yield from ("", head, *_toml_lines(below, head.strip("[]") + "."))


def _check_keys(document: dict[str, Any]) -> None:
    """Unknown keys, before the types: a misspelt key is best answered with the right one."""
    _check_table(document, "", set(Scenario.__struct_fields__) - {"name"})
    for path, table, kind in _tables(document):
        if isinstance(table, dict):
            _check_table(table, f"{path}.", set(kind.__struct_fields__))


def _tables(document: dict[str, Any]) -> list[tuple[str, Any, type[msgspec.Struct]]]:
    faults = document.get("fault", [])
    found: list[tuple[str, Any, type[msgspec.Struct]]] = [("load", document.get("load"), Load)]
    if isinstance(faults, list):
        found += [(f"fault[{number}]", fault, FaultSpec) for number, fault in enumerate(faults)]
    return found


def _check_table(table: dict[str, Any], prefix: str, known: set[str]) -> None:
    for key in table:
        if key not in known:
            raise unknown(f"{prefix}{key}", "key", key, sorted(known))


def _convert(document: dict[str, Any]) -> Scenario:
    """Types, value by value where there are many alike: msgspec does not say which one of them it means."""
    for path, value, kind in _leaves(document):
        _converted(value, kind, path)
    return _converted(document, Scenario, "")


def _leaves(document: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for path, table, kind in _tables(document):
        if path != "load":
            yield path, table, kind
    load = document.get("load")
    for do, weight in _items(load.get("mix") if isinstance(load, dict) else None):
        yield f"load.mix.{do}", weight, float
    for architecture, why in _items(document.get("without")):
        yield f"without.{architecture}", why, str
    for architecture, predictions in _items(document.get("expect")):
        for measure, prediction in _items(predictions):
            yield f"expect.{architecture}.{measure}", prediction, str
    for name, value in _items(document.get("fail_if")):
        for measure, threshold in _items(value):
            yield f"fail_if.{name}.{measure}", threshold, str
        if not isinstance(value, dict):
            yield f"fail_if.{name}", value, str


def _items(value: Any) -> list[tuple[str, Any]]:
    return list(value.items()) if isinstance(value, dict) else []


def _converted(value: Any, kind: type[T], prefix: str) -> T:
    try:
        return msgspec.convert(value, type=kind, strict=True)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `")
        below = where.removesuffix("`").removeprefix("$").lstrip(".").removesuffix("[...]")
        path = ".".join(part for part in (prefix, below) if part)
        missing = re.search(r"missing required field `(\w+)`", what)
        if missing:
            raise BadValue(path or missing[1], f"{missing[1]!r} is missing", f"a value for {missing[1]}") from error
        raise BadValue(path, what[0].lower() + what[1:], what) from error


def _toml_place(file: str, error: tomllib.TOMLDecodeError) -> str:
    place = re.search(r"\(at line (\d+)", str(error))
    return f"{file}, line {place[1]}" if place else file


def _place(file: str, text: str, path: str) -> str:
    """The file, the line where the path (or the table it lies in) stands, and the path."""
    look = path
    while look:
        line = line_of(text, look)
        if line is not None:
            return f"{file}, line {line}, {path}"
        look = look.rpartition(".")[0]
    return f"{file}, {path}" if path else file


_HEADER = re.compile(r"^\s*\[(?P<array>\[)?\s*(?P<name>[^\[\]]+?)\s*\]{1,2}\s*(#.*)?$")
_KEY = re.compile(r"^\s*(?P<key>[A-Za-z0-9_-]+|\"[^\"]+\"|'[^']+')\s*=(?P<value>.*)$")
_LONG_QUOTE = re.compile(r"\"\"\"|'''")


def line_of(text: str, path: str) -> int | None:
    """The line (from 1) of a path such as `load.shoppers`, `fault[0].at_s` or `expect.redis`; None if not found.

    tomllib keeps no places, hence this. It reads the usual way of writing a scenario: `[table]`, `[[array]]`,
    `key = value`, multi-line strings. What it cannot find (inline tables, dotted keys) it does not guess.
    """
    return _lines(text).get(path)


def _lines(text: str) -> dict[str, int]:
    found: dict[str, int] = {}
    counts: dict[str, int] = {}
    table = ""
    quote = ""
    for number, line in enumerate(text.splitlines(), 1):
        if quote:
            quote = "" if quote in line else quote
            continue
        if header := _HEADER.match(line):
            table = _unquoted(header["name"])
            if header["array"]:
                counts[table] = counts.get(table, -1) + 1
                table = f"{table}[{counts[table]}]"
            found.setdefault(table, number)
        elif key := _KEY.match(line):
            name = _unquoted(key["key"])
            found.setdefault(f"{table}.{name}" if table else name, number)
            quote = _left_open(key["value"])
    return found


def _unquoted(name: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in name.split("."))


def _left_open(value: str) -> str:
    """The quotes of a multi-line string that begins in this value and does not end in it."""
    quotes = _LONG_QUOTE.findall(value)
    return quotes[0] if len(quotes) % 2 else ""
