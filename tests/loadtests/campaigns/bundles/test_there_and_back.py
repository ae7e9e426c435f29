"""Whatever lies in a run's folder comes back as it was, and the same bundle is made of it again."""

from __future__ import annotations

import shutil
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtests.campaigns.bundles.manifest import is_inside
from loadtests.campaigns.bundles.pack import CHUNK_BYTES, pack
from loadtests.campaigns.bundles.unpack import unpack
from tests.loadtests.campaigns.bundles.made_up import files_below, finished_run

_NUMBERS = count()
LETTERS = st.characters(codec="utf-8", categories=["L", "N"], include_characters=" .-_+#")
NAMES = st.text(LETTERS, min_size=1, max_size=12).filter(lambda name: is_inside(name) and not name.startswith("."))
CONTENTS = st.binary(max_size=200) | st.integers(-1, 1).map(lambda more: b"x" * (CHUNK_BYTES + more))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finished_run(tmp_path_factory.mktemp("run") / "run").root


@settings(max_examples=30, deadline=None)
@given(logs=st.dictionaries(NAMES, CONTENTS, max_size=4), deep=st.dictionaries(NAMES, CONTENTS, max_size=2))
def test_there_and_back(
    run: Path, tmp_path_factory: pytest.TempPathFactory, logs: dict[str, bytes], deep: dict[str, bytes]
) -> None:
    place = tmp_path_factory.mktemp(f"round-{next(_NUMBERS)}")
    folder = place / "run"
    shutil.copytree(run, folder)
    for below, files in (("logs/more", logs), ("logs/more deep/er", deep)):
        (folder / below).mkdir(parents=True)
        for name, content in files.items():
            (folder / below / name).write_bytes(content)
    bundle = pack(folder, place / "one.zip").file
    opened = unpack(bundle, place / "into")
    assert files_below(opened) == files_below(folder)
    assert pack(opened, place / "two.zip").file.read_bytes() == bundle.read_bytes()
    shutil.rmtree(place)
