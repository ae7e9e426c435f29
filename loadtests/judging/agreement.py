"""Does a run's `results.json` say what its evidence gives? And where not?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from loadtests.model.results import EARLIER, Results
from loadtests.model.run_folder import read_document

MOST = 5
"""As many places are named; one is enough to know."""
_MISSING = object()


class Agreement(msgspec.Struct, frozen=True):
    """What a `results.json` says, beside what the evidence gives. The document counts, not how it is spaced."""

    otherwise: tuple[str, ...]
    """Where it says something else, in words; at most `MOST` places."""
    lacking: tuple[str, ...]
    """What it says nothing of: an earlier version wrote it, which did not count that."""
    earlier: int | None = None
    """The schema that it was written with, if that is one of `loadtests.model.results.EARLIER`."""


def agreement(written: Path, found: Results) -> Agreement:
    """Compare the file with the results that were found.

    Raises:
        RunFolderError: the file cannot be read, or is no JSON.
    """
    document = read_document(written, dict[str, Any])
    schema = document.get("schema")
    earlier = schema if type(schema) is int and schema in EARLIER else None
    otherwise, lacking = [], []
    for place, one, other in _apart(document, msgspec.to_builtins(found), ""):
        if one is _MISSING:
            lacking.append(place)
        elif place != "schema" or earlier is None:
            otherwise.append(f"{place}: {_brief(one)} in results.json, {_brief(other)} by the evidence")
    return Agreement(tuple(otherwise[:MOST]), tuple(lacking), earlier)


def _apart(written: Any, found: Any, place: str) -> Iterator[tuple[str, Any, Any]]:
    """Each place where they are not the same, with what stands there."""
    if isinstance(written, dict) and isinstance(found, dict):
        for key in dict.fromkeys([*written, *found]):
            below = f"{place}.{key}" if place else str(key)
            yield from _apart(written.get(key, _MISSING), found.get(key, _MISSING), below)
    elif isinstance(written, list) and isinstance(found, list | tuple) and len(written) == len(found):
        for number, (one, other) in enumerate(zip(written, found, strict=True)):
            yield from _apart(one, other, f"{place}[{number}]")
    elif written != found:
        yield place, written, found


def _brief(value: Any) -> str:
    if value is _MISSING:
        return "nothing"
    if isinstance(value, list | tuple | dict):
        return f"{len(value)} entries"
    return msgspec.json.encode(value).decode()
