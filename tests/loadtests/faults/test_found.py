"""The registry finds what is in the folder, and nothing that is not a fault."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import loadtests.faults
from loadtests.faults import FAULTS, NO_FAULTS, find_faults

ONE = """
from loadtests.faults.freeze import Freeze
class {name}(Freeze):
    kind = "{kind}"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A second folder of the package, as if its files lay beside the others."""
    monkeypatch.setattr(loadtests.faults, "__path__", [*loadtests.faults.__path__, str(tmp_path)])
    yield tmp_path
    for file in tmp_path.glob("*.py"):
        sys.modules.pop(f"loadtests.faults.{file.stem}", None)
        vars(loadtests.faults).pop(file.stem, None)


def found(folder: Path) -> dict[str, object]:
    return dict(find_faults([str(folder)], "loadtests.faults"))


def test_every_file_is_a_fault() -> None:
    files = {path.stem for path in Path(*loadtests.faults.__path__).glob("*.py")} - {"__init__"} - NO_FAULTS
    assert {kind.replace("-", "_") for kind in FAULTS} == files


def test_a_new_file_is_enough(folder: Path) -> None:
    (folder / "sleepy.py").write_text(ONE.format(name="Sleepy", kind="sleepy"))
    assert list(found(folder)) == ["sleepy"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds 0 faults"),
        ("from loadtests.faults.freeze import Freeze\n", "holds 0 faults"),
        (ONE.format(name="A", kind="a") + ONE.format(name="B", kind="b"), "holds 2 faults"),
    ],
)
def test_a_file_holds_one_fault(folder: Path, text: str, words: str) -> None:
    (folder / "odd_one.py").write_text(text)
    with pytest.raises(TypeError, match=words):
        found(folder)


def test_two_of_one_kind(folder: Path) -> None:
    (folder / "first_one.py").write_text(ONE.format(name="First", kind="same"))
    (folder / "second_one.py").write_text(ONE.format(name="Second", kind="same"))
    with pytest.raises(TypeError, match="another fault of the kind 'same'"):
        found(folder)
