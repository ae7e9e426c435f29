"""Each architecture's part of the history, found by halving; and a history that was put together otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.judging.judge import ArchitectureFiles, parts_of
from loadtests.model.history import Exchange, encode_records, read_history
from shared.errors import RunFolderError

BEGUN = ("redis", "sticky-memory", "signed-token", "hash")


def line(architecture: str, number: int) -> Exchange:
    return Exchange(architecture, 1, f"a-0001-{number}", "plan", "cart", "ok", 0, 0, number, sku="x" * (number % 40))


def write(folder: Path, names: list[str]) -> Path:
    history = folder / "history.ndjson"
    history.write_bytes(encode_records(line(name, number) for number, name in enumerate(names)))
    return history


def read_in_parts(history: Path) -> list[object]:
    parts = parts_of(history, BEGUN)
    files = [ArchitectureFiles(name, (), history, part, BEGUN) for name, part in parts.items()]
    return [each for its in files for some in its.records() for each in some]


@given(st.permutations(BEGUN), st.lists(st.integers(1, 60), min_size=1, max_size=4))
def test_the_parts_are_the_whole(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], lengths: list[int]
) -> None:
    told = [name for name, length in zip(names, lengths, strict=False) for _ in range(length)]
    history = write(tmp_path_factory.mktemp("history"), told)
    assert read_in_parts(history) == list(read_history(history))
    assert list(parts_of(history, BEGUN)) == list(dict.fromkeys(told))


def test_nothing_at_all(tmp_path: Path) -> None:
    assert parts_of(write(tmp_path, []), BEGUN) == {}


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["redis"] * 9 + ["hash"] * 9 + ["redis"] * 9, "tells of 'redis' twice"),
        (["redis"] * 40 + ["hash"] + ["redis"] * 40, "tells of 'redis' twice"),
        (["redis"] * 40 + ["foreign"] + ["redis"] * 40, "tells of 'foreign' and no event does"),
        (["redis"] * 9 + ["foreign"] * 9, "tells of 'foreign' and no event does"),
    ],
)
def test_otherwise(tmp_path: Path, names: list[str], words: str) -> None:
    with pytest.raises(RunFolderError, match=words):
        read_in_parts(write(tmp_path, names))


@pytest.mark.parametrize("number", range(0, 60, 7))
def test_a_damaged_line_is_named_wherever_it_is(tmp_path: Path, number: int) -> None:
    history = write(tmp_path, [name for name in BEGUN[:3] for _ in range(20)])
    lines = history.read_bytes().splitlines(keepends=True)
    lines[number] = b"{" + lines[number]
    history.write_bytes(b"".join(lines))
    with pytest.raises(RunFolderError, match=f"line {number + 1}: not a history record"):
        read_in_parts(history)


@pytest.mark.parametrize("field", ["sent_us", "quantity"])
def test_a_number_that_nobody_measured_is_an_error(tmp_path: Path, field: str) -> None:
    """Not one that turns up where numbers of 64 bits are added."""
    exchange = Exchange("redis", 1, "a-1", "plan", "add", "ok", 0, **{field: 10**30})  # type: ignore[arg-type]
    history = tmp_path / "history.ndjson"
    history.write_bytes(encode_records([exchange]))
    with pytest.raises(RunFolderError, match=r"line 1: not a history record"):
        list(read_history(history))
