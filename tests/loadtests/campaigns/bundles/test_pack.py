"""A bundle: the same run gives the same bytes, wherever it lies, and everything of it is inside."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
import zipfile
from pathlib import Path

import msgspec
import pytest

from loadtests.campaigns.bundles import pack as module
from loadtests.campaigns.bundles.manifest import MANIFEST, Manifest
from loadtests.campaigns.bundles.pack import pack
from loadtests.running.provenance import twinshop_version
from shared.errors import Interrupted, RunFolderError, TwinshopError, UsageError
from tests.loadtests.campaigns.bundles.made_up import RUN, bundle_of, files_below, finished_run


def test_the_same_run_gives_the_same_bytes_wherever_it_lies(tmp_path: Path) -> None:
    run = finished_run(tmp_path / "one")
    copy = tmp_path / "another" / "called otherwise"
    shutil.copytree(run.root, copy)
    for path in copy.rglob("*"):
        os.utime(path, (1, time.time()))
        path.chmod(0o700)
    first = pack(run.root, tmp_path / "a.zip").file.read_bytes()
    assert first == pack(run.root, tmp_path / "b.zip").file.read_bytes()
    assert first == pack(copy, tmp_path / "c.zip").file.read_bytes()


def test_any_zip_program_can_open_it(tmp_path: Path) -> None:
    run = finished_run(tmp_path / "run")
    shutil.unpack_archive(pack(run.root, tmp_path / "run.zip").file, tmp_path / "by hand")
    assert files_below(tmp_path / "by hand" / RUN) == files_below(run.root)


def test_the_manifest_has_every_file_with_its_size_and_hash(tmp_path: Path) -> None:
    run = finished_run(tmp_path / "run")
    packed = pack(run.root, tmp_path / "run.zip")
    with zipfile.ZipFile(packed.file) as archive:
        manifest = msgspec.json.decode(archive.read(MANIFEST), type=Manifest)
    assert manifest == packed.manifest
    assert (manifest.schema, manifest.twinshop, manifest.run) == (1, twinshop_version(), RUN)
    assert {file.name: (file.bytes, file.sha256) for file in manifest.files} == {
        name: (len(content), hashlib.sha256(content).hexdigest()) for name, content in files_below(run.root).items()
    }


def test_it_is_named_for_the_run_and_lies_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where runs lie git does not look; the folder that somebody stands in may be a checkout."""
    run = finished_run(tmp_path / "runs" / "mine")
    (tmp_path / "latest").symlink_to(run.root)
    monkeypatch.chdir(tmp_path)
    assert pack(Path("latest")).file == Path("runs") / f"{RUN}.zip"
    assert {path.name for path in tmp_path.iterdir()} == {"runs", "latest"}
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {"mine", f"{RUN}.zip"}


def test_drafts_are_no_part_of_a_run(tmp_path: Path) -> None:
    run = finished_run(tmp_path / "run")
    (run.root / ".report.html.new").write_text("half a rep")
    assert ".report.html.new" not in {file.name for file in pack(run.root, tmp_path / "run.zip").manifest.files}


def test_a_link_to_a_run_is_as_good_as_the_run(tmp_path: Path) -> None:
    run = finished_run(tmp_path / "run")
    (tmp_path / "latest").symlink_to("run")
    through_link = pack(tmp_path / "latest", tmp_path / "a.zip").file.read_bytes()
    assert through_link == pack(run.root, tmp_path / "b.zip").file.read_bytes()


class TestRefused:
    def refused(self, tmp_path: Path, error: type[TwinshopError], says: str, out: str = "run.zip") -> None:
        before = sorted(tmp_path.rglob("*"))
        with pytest.raises(error) as found:
            pack(tmp_path / "run", tmp_path / out)
        assert says in str(found.value)
        assert sorted(tmp_path.rglob("*")) == before, "nothing is left of it"

    def test_what_is_no_run(self, tmp_path: Path) -> None:
        (tmp_path / "run").mkdir()
        self.refused(tmp_path, RunFolderError, "run.json")

    def test_a_run_without_its_evidence(self, tmp_path: Path) -> None:
        finished_run(tmp_path / "run").history.unlink()
        self.refused(tmp_path, RunFolderError, "lacks history.ndjson")

    def test_a_link_in_it(self, tmp_path: Path) -> None:
        finished_run(tmp_path / "run")
        (tmp_path / "run" / "logs" / "link").symlink_to("/etc/hostname")
        self.refused(tmp_path, RunFolderError, "is no plain file")

    def test_a_name_that_not_every_system_knows(self, tmp_path: Path) -> None:
        finished_run(tmp_path / "run")
        (tmp_path / "run" / "a\\b").write_text("")
        self.refused(tmp_path, RunFolderError, "not every system")

    def test_more_than_anybody_could_open(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        finished_run(tmp_path / "run")
        monkeypatch.setattr(module, "MOST_BYTES", 1000)
        self.refused(tmp_path, RunFolderError, "too large for a bundle")

    def test_a_file_that_is_there(self, tmp_path: Path) -> None:
        bundle_of(tmp_path / "run", tmp_path / "run.zip")
        self.refused(tmp_path, UsageError, "exists already")

    def test_a_folder_that_is_not_there(self, tmp_path: Path) -> None:
        finished_run(tmp_path / "run")
        self.refused(tmp_path, UsageError, "there is no folder", out="nowhere/run.zip")

    def test_the_run_itself_as_the_place(self, tmp_path: Path) -> None:
        finished_run(tmp_path / "run")
        self.refused(tmp_path, UsageError, "the run's own folder", out="run/logs/run.zip")

    def test_interrupted_it_leaves_nothing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        finished_run(tmp_path / "run")

        def interrupted(*_arguments: object) -> None:
            assert (tmp_path / ".run.zip.new").exists(), "it has begun"
            raise Interrupted("interrupted by SIGINT")

        monkeypatch.setattr(module, "_add", interrupted)
        self.refused(tmp_path, Interrupted, "SIGINT")

    def test_what_an_interrupted_one_left_is_in_nobodys_way(self, tmp_path: Path) -> None:
        """SIGKILL cannot be heard."""
        run = finished_run(tmp_path / "run")
        (tmp_path / ".run.zip.new").write_text("half a bundle")
        pack(run.root, tmp_path / "run.zip")
        assert not (tmp_path / ".run.zip.new").exists()

    @pytest.mark.parametrize("change", [b"", b"shorter", b"x" * 200_000], ids=["emptied", "shorter", "longer"])
    def test_a_file_that_changes_meanwhile(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: bytes
    ) -> None:
        run = finished_run(tmp_path / "run")
        entry = module._entry

        def changed_after_its_size_was_read(name: str) -> zipfile.ZipInfo:
            if not name.endswith("plan.json"):
                return entry(name)

            class Sized(zipfile.ZipInfo):
                def __setattr__(self, field: str, value: object) -> None:
                    super().__setattr__(field, value)
                    if field == "file_size" and value:
                        run.plan.write_bytes(change)

            made = Sized(name, (1980, 1, 1, 0, 0, 0))
            made.compress_type = zipfile.ZIP_DEFLATED
            return made

        monkeypatch.setattr(module, "_entry", changed_after_its_size_was_read)
        self.refused(tmp_path, RunFolderError, "changed while it was read")
