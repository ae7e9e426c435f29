"""Damaged evidence is named by its line; only the log of a process that may be killed may end too early."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from shared import ndjson
from shared.errors import RunFolderError
from shared.ndjson import BLOCK, read_batches, read_records

WHOLE = b'{"name":"tea"}\n'
decode = msgspec.json.Decoder(dict[str, str]).decode


def read(path: Path, content: bytes, *, may_be_cut_off: bool = False) -> list[dict[str, str]]:
    path.write_bytes(content)
    return list(read_records(path, decode, "an article", may_be_cut_off=may_be_cut_off))


@pytest.mark.parametrize("may_be_cut_off", [True, False])
def test_damage_is_named_by_its_line(tmp_path: Path, may_be_cut_off: bool) -> None:
    with pytest.raises(RunFolderError, match="log, line 2: not an article"):
        read(tmp_path / "log", WHOLE + b"nonsense\n" + WHOLE, may_be_cut_off=may_be_cut_off)


@pytest.mark.parametrize("cut", range(1, len(WHOLE)))
def test_a_line_that_is_cut_off_anywhere(tmp_path: Path, cut: int) -> None:
    with pytest.raises(RunFolderError, match="log, line 2: not an article"):
        read(tmp_path / "log", WHOLE + WHOLE[:cut])
    whole = 1 + (cut == len(WHOLE) - 1)  # nothing is missing but the end of the line
    assert len(read(tmp_path / "log", WHOLE + WHOLE[:cut], may_be_cut_off=True)) == whole


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="cannot read"):
        list(read_records(tmp_path / "none", decode, "an article"))


@pytest.fixture(params=["few bytes", "many bytes"])
def how_many(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "many bytes":
        monkeypatch.setattr(ndjson, "BULK", 0)


def batches(path: Path, content: bytes) -> list[dict[str, str]]:
    path.write_bytes(content)
    decoder = msgspec.json.Decoder(dict[str, str])
    return [record for records in read_batches(path, decoder, "an article") for record in records]


@pytest.mark.usefixtures("how_many")
@pytest.mark.parametrize("times", [0, 1, 2, 3 * BLOCK // len(WHOLE)])
def test_records_come_in_lists_as_they_stand(tmp_path: Path, times: int) -> None:
    assert batches(tmp_path / "log", WHOLE * times) == [{"name": "tea"}] * times


@pytest.mark.usefixtures("how_many")
@pytest.mark.parametrize(
    "damaged",
    {
        "two on one line": b'{"a":"1"}{"b":"2"}\n',
        "two on one line, and an empty one": b'{"a":"1"}{"b":"2"}\n\n',
        "one on two lines": b'{"a":\n"1"}\n',
        "one on two lines, and two on one": b'{"a":\n"1"}{"b":"2"}\n',
        "an empty line": b"\n",
        "a blank before": b' {"a":"1"}{"b":"2"}\n\n',
        "no end of the line": b'{"a":"1"}',
    }.values(),
)
def test_a_list_is_of_lines_that_are_one_record_each(tmp_path: Path, damaged: bytes) -> None:
    with pytest.raises(RunFolderError, match="log, line 2: not an article"):
        batches(tmp_path / "log", WHOLE + damaged)
    if damaged.endswith(b"\n"):
        with pytest.raises(RunFolderError, match="log, line 2: not an article"):
            batches(tmp_path / "log", WHOLE + damaged + WHOLE)
