"""A reader never meets half a file, and a writer that fails leaves nothing of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.whole_file import write_whole


def test_the_new_one_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    reader = path.open("rb")
    (tmp_path / ".file.new").write_bytes(b"left by somebody who was killed")
    write_whole(path, b"new")
    assert (reader.read(), path.read_bytes()) == (b"old", b"new")
    reader.close()
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_only_we_may_read_it_where_asked_for(tmp_path: Path) -> None:
    write_whole(tmp_path / "secret", b"", mode=0o600)
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600


def test_a_failure_leaves_the_old_one_and_no_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
