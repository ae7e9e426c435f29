"""Names in a bundle: whatever they are, what is let through lies below the run's folder."""

from __future__ import annotations

import zipfile
from pathlib import Path, PurePosixPath, PureWindowsPath

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtests.campaigns.bundles.manifest import (
    BUNDLE_SCHEMA,
    MANIFEST,
    is_inside,
    is_run_name,
    read_manifest,
    run_name,
    same_elsewhere,
)
from loadtests.model.run_folder import Provenance
from shared.errors import BundleError
from tests.loadtests.campaigns.bundles.made_up import bundle_of
from tests.loadtests.model_run import write_run
from tests.shared.schema_contract import SchemaContract

PARTS = st.lists(st.sampled_from(["..", ".", "", "a", "logs", "n1.log", "C:", "\\", "~", "…", " "]), max_size=6)
NAMES = st.text(max_size=30) | PARTS.map("/".join)


@settings(deadline=None)
@given(NAMES)
def test_what_is_inside_lies_below_the_folder(name: str) -> None:
    if is_inside(name):
        for kind in (PurePosixPath, PureWindowsPath):
            path = kind(name)
            assert not path.is_absolute()
            assert not path.anchor
            assert ".." not in path.parts
            assert len(path.parts) == name.count("/") + 1
        assert (Path("/run") / name).resolve().is_relative_to("/run")


@settings(deadline=None)
@given(NAMES)
def test_a_run_is_one_folder_that_can_be_seen(name: str) -> None:
    if is_run_name(name):
        assert is_inside(name)
        assert PurePosixPath(name).parts == (name,)
        assert not name.startswith(".")


@pytest.mark.parametrize(
    "name", ["run.json", "logs/redis/n1.requests.ndjson", "logs/sticky-memory/load-0.log", "ü.txt"]
)
def test_names_of_a_run_are_inside(name: str) -> None:
    assert is_inside(name)


@pytest.mark.parametrize(
    "letter",
    ["\u202e", "\u202d", "\u2066", "\u2069", "\u200e", "\u200f", "\u061c", "\u200b", "\u200d", "\u2060", "\ufeff",
     "\u00ad", "\u0085", "\u2028", "\u2029", "\U000e0041"],
)  # fmt: skip
def test_a_letter_that_nobody_sees_or_that_turns_the_direction_is_in_no_name(letter: str) -> None:
    for name in (f"notes{letter}.txt", f"{letter}notes.txt", f"logs{letter}/n1.log"):
        assert not is_inside(name)
    assert not is_run_name(f"run{letter}")


@pytest.mark.parametrize(
    "names",
    [("plan.json", "Plan.json"), ("logs/n1.log", "Logs/n2.log"), ("logs/N1.log", "logs/n1.log"),
     ("stra\u00dfe", "STRASSE"), ("\u00fc.txt", "u\u0308.txt"), ("a/b", "A")],
)  # fmt: skip
def test_names_that_are_one_where_case_does_not_count(names: tuple[str, str]) -> None:
    assert same_elsewhere(names) != []
    assert same_elsewhere(("logs/n1.log", "logs/n2.log", "logs/n10.log", "plan.json", "logs.json")) == []


@pytest.fixture(scope="module")
def provenance(tmp_path_factory: pytest.TempPathFactory) -> Provenance:
    return write_run(tmp_path_factory.mktemp("run") / "run").read_provenance()


def test_the_name_is_that_of_the_folder_which_a_run_makes(provenance: Provenance) -> None:
    run = msgspec.structs.replace(provenance, started="2026-11-21T01:30:44Z", scenario="node-kill", seed=7)
    assert run_name(run) == "20261121-013044-node-kill-7"


@settings(deadline=None)
@given(scenario=st.text(max_size=40), started=st.text(max_size=30), seed=st.integers(0, 2**31))
def test_every_run_has_a_name(provenance: Provenance, scenario: str, started: str, seed: int) -> None:
    assert is_run_name(run_name(msgspec.structs.replace(provenance, scenario=scenario, started=started, seed=seed)))


class TestManifest(SchemaContract):
    schema = BUNDLE_SCHEMA
    error = BundleError

    def write(self, folder: Path) -> Path:
        with zipfile.ZipFile(bundle_of(folder / "run", folder / "run.zip")) as archive:
            return Path(archive.extract(MANIFEST, folder))

    def read(self, path: Path) -> object:
        return read_manifest(path.read_bytes(), "run.zip", 10_000_000)
