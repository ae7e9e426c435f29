"""Reading a file of records while somebody else writes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from loadtests.workshop.live import tail as tail_module
from loadtests.workshop.live.browser_users import OF_GUESTS
from loadtests.workshop.live.tail import MOST_PROBLEMS, RecordTail


class Line(msgspec.Struct, frozen=True):
    n: int
    user: str = ""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history-0.ndjson"


@pytest.fixture
def tail(path: Path) -> Iterator[RecordTail[Line]]:
    reading = RecordTail(path, msgspec.json.Decoder(Line))
    yield reading
    reading.close()


def add(path: Path, content: bytes) -> None:
    with path.open("ab") as out:
        out.write(content)


def numbers(tail: RecordTail[Line]) -> list[int]:
    return [line.n for line in tail.records()]


def test_a_file_that_does_not_exist_yet_has_no_lines_until_it_does(path: Path, tail: RecordTail[Line]) -> None:
    assert numbers(tail) == []
    add(path, b'{"n":1}\n{"n":2}\n')
    assert numbers(tail) == [1, 2]
    assert numbers(tail) == []
    assert tail.problems == []


def test_half_a_line_waits_for_its_other_half(path: Path, tail: RecordTail[Line]) -> None:
    add(path, b'{"n":1}\n{"n"')
    assert numbers(tail) == [1]
    add(path, b":2")
    assert numbers(tail) == []
    add(path, b'}\n{"n":3}\n')
    assert numbers(tail) == [2, 3]
    assert tail.problems == []


@pytest.mark.parametrize("cut", range(1, 16))
def test_wherever_the_writer_was_interrupted(path: Path, tail: RecordTail[Line], cut: int) -> None:
    whole = b'{"n":1}\n{"n":2}\n'
    add(path, whole[:cut])
    first = numbers(tail)
    add(path, whole[cut:])
    assert first + numbers(tail) == [1, 2]


def test_a_damaged_line_is_told_of_and_skipped(path: Path, tail: RecordTail[Line]) -> None:
    add(path, b'{"n":1}\n{"n":"two"}\n\xff\xfe\n\n{"n":4}\n')
    assert numbers(tail) == [1, 4]
    assert len(tail.problems) == 2
    assert all(problem.startswith("history-0.ndjson: a damaged line") for problem in tail.problems)


def test_problems_are_not_collected_without_end(path: Path, tail: RecordTail[Line]) -> None:
    add(path, b"?\n" * (3 * MOST_PROBLEMS))
    assert numbers(tail) == []
    assert len(tail.problems) == MOST_PROBLEMS


def test_what_was_written_before_the_file_was_deleted_is_read(path: Path, tail: RecordTail[Line]) -> None:
    add(path, b'{"n":1}\n')
    assert numbers(tail) == [1]
    add(path, b'{"n":2}\n')
    path.unlink()
    assert numbers(tail) == [2]
    assert numbers(tail) == numbers(tail) == []
    assert tail.problems == []


def test_another_file_of_the_same_name_is_read_from_its_beginning(path: Path, tail: RecordTail[Line]) -> None:
    add(path, b'{"n":1}\n{"n":')
    assert numbers(tail) == [1]
    path.rename(path.with_suffix(".old"))
    add(path, b'{"n":7}\n')
    assert [*numbers(tail), *numbers(tail)] == [7]
    assert tail.problems == ["history-0.ndjson: a last line that is cut off, skipped"]


def test_a_file_that_was_emptied_is_read_again(path: Path, tail: RecordTail[Line]) -> None:
    add(path, b'{"n":1}\n{"n":2}\n')
    assert numbers(tail) == [1, 2]
    path.write_bytes(b'{"n":3}\n')
    assert [*numbers(tail), *numbers(tail)] == [3]


def test_one_call_reads_no_more_than_a_chunk(
    path: Path, tail: RecordTail[Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail_module, "CHUNK", 20)
    add(path, b'{"n":1}\n{"n":2}\n{"n":3}\n')
    assert numbers(tail) == [1, 2]
    assert tail.behind
    assert numbers(tail) == [3]
    assert not tail.behind


def test_a_line_without_an_end_is_given_up(path: Path, tail: RecordTail[Line], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail_module, "LONGEST_LINE", 10)
    add(path, b"x" * 30)
    assert numbers(tail) == []
    assert tail.problems == ["history-0.ndjson: a line of more than 10 bytes, skipped"]
    add(path, b'\n{"n":1}\n')
    assert numbers(tail) == [1]


def test_only_lines_of_guests_are_decoded(path: Path) -> None:
    tail = RecordTail(path, msgspec.json.Decoder(Line), OF_GUESTS)
    ids = ["5d6409c8a-0042-0001", "0e0b7c1a-5f1e-4d2b-9c1a-112233445566", "5d6409c8b-10000-12", "abcdef12-0001-1111-x"]
    add(path, b"".join(b'{"n":%d,"id":"%s"}\n' % (n, request.encode()) for n, request in enumerate(ids)))
    add(path, b"not even JSON\n")
    assert numbers(tail) == [1, 3]
    assert tail.problems == []
    tail.close()
