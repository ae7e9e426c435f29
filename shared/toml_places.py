"""Where a key of a TOML file stands: tomllib keeps no places, and an error without its line is half an error."""

import re

_HEADER = re.compile(r"^\s*\[(?P<array>\[)?\s*(?P<name>[^\[\]]+?)\s*\]{1,2}\s*(#.*)?$")
_KEY = re.compile(r"^\s*(?P<key>[A-Za-z0-9_-]+|\"[^\"]+\"|'[^']+')\s*=(?P<value>.*)$")
_LONG_QUOTE = re.compile(r"\"\"\"|'''")


def toml_place(file: str, error: Exception) -> str:
    """The file, and the line that tomllib names, if it does."""
    place = re.search(r"\(at line (\d+)", str(error))
    return f"{file}, line {place[1]}" if place else file


def nearest_line(text: str, path: str) -> int:
    """Where the path stands, or the table that it lies in; 0 if neither is found."""
    while path:
        if line := line_of(text, path):
            return line
        path = path.rpartition(".")[0]
    return 0


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
        if quote:  # within a text of several lines, what looks like a key is none
            quote = "" if quote in line else quote
            continue
        if header := _HEADER.match(line):
            table = _unquoted(header["name"])
            if header["array"]:  # as paths have it, the first one is fault[0]
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
