"""What every number means, and the words of the report; both are written down in `glossary.toml`."""

from functools import cache
from pathlib import Path

import msgspec

from loadtests.checks import MEASURES
from loadtests.model.measures import in_order
from loadtests.report.summary import columns

FILE = Path(__file__).with_name("glossary.toml")


class _Number(msgspec.Struct, frozen=True):
    name: str
    text: str


class _Texts(msgspec.Struct, frozen=True):
    numbers: dict[str, _Number]
    """What is no measure, by the last part of its id."""
    words: dict[str, str]


@cache
def _texts() -> _Texts:
    return msgspec.toml.decode(FILE.read_bytes(), type=_Texts)


def definitions() -> dict[str, tuple[str, str]]:
    """What each number of a report is called and means, by the last part of its id."""
    # By name: one with a column may have an anchor as well.
    named = {it.name: it for it in (*columns(), *(it for it in MEASURES.values() if it.anchor))}
    measures = {it.key: (it.head, it.explained) for it in in_order(list(named.values())).values()}
    others = {key: (it.name, it.text) for key, it in _texts().numbers.items()}
    return {"verdict": others["verdict"], **measures, **others}  # in the page's order, which begins with it


def words() -> dict[str, str]:
    """The words, each with its meaning."""
    return _texts().words
