"""A new run's folder is made, or it is said why not; a run's files are text."""

from __future__ import annotations

from pathlib import Path

import pytest

from compose.engines.persisted_cluster import CONFIGURATION
from loadtests.model.run_folder import RUN_SCHEMA, RunFolder, check_text, make_folder, run_inside
from shared.errors import EnvironmentNotReady, RunFolderError, UsageError
from tests.loadtests.model_run import write_run
from tests.shared.schema_contract import SchemaContract


def test_it_is_made_with_all_above_it(tmp_path: Path) -> None:
    assert make_folder(tmp_path / "runs" / "one") == tmp_path / "runs" / "one"
    assert (tmp_path / "runs" / "one").is_dir()


def test_nothing_is_written_into_one_that_is_there(tmp_path: Path) -> None:
    make_folder(tmp_path / "one")
    with pytest.raises(UsageError, match="one exists already"):
        make_folder(tmp_path / "one")


def test_what_is_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "runs").touch()
    with pytest.raises(EnvironmentNotReady, match="cannot make the folder") as refused:
        make_folder(tmp_path / "runs" / "one")
    assert refused.value.next_step == "name another place: --runs DIR"


def test_a_run_lies_in_the_folder_of_its_campaign(tmp_path: Path) -> None:
    (tmp_path / "campaign" / "one").mkdir(parents=True)
    (tmp_path / "another").mkdir()
    campaign = tmp_path / "campaign"
    assert run_inside(campaign, "one", "matrix.json") == campaign / "one"
    for elsewhere in ("..", ".", "../another", str(tmp_path / "another"), "one/../../another", "gone"):
        with pytest.raises(RunFolderError, match=r"matrix\.json names a run that is not there"):
            run_inside(campaign, elsewhere, "matrix.json")


def test_a_link_that_leads_nowhere_is_no_run_of_the_same_second(tmp_path: Path) -> None:
    (tmp_path / "runs").symlink_to(tmp_path / "gone")
    with pytest.raises(EnvironmentNotReady) as refused:
        make_folder(tmp_path / "runs" / "one")
    assert refused.value.why == "a link on the way leads nowhere"
    with pytest.raises(UsageError, match="exists already"):
        make_folder(tmp_path / "runs")


@pytest.mark.parametrize("name", ["results.json", "scenario.toml", "logs/redis/n1.log", f"logs/redis/{CONFIGURATION}"])
def test_a_byte_that_is_no_text_is_told_with_its_line(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_bytes(b"one\ntwo\n")
    check_text(tmp_path)
    (tmp_path / name).write_bytes(b"one\nt\xffo\n")
    with pytest.raises(RunFolderError, match=f"{name}, line 2: not UTF-8"):
        check_text(tmp_path)


class TestProvenance(SchemaContract):
    schema = RUN_SCHEMA

    def write(self, folder: Path) -> Path:
        return write_run(folder / "run").provenance

    def read(self, path: Path) -> object:
        return RunFolder(path.parent).read_provenance()
