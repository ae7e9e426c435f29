"""Damaged evidence is named by its line; only the log of a process that may be killed may end too early."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from shared.errors import RunFolderError
from shared.ndjson import read_records

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
