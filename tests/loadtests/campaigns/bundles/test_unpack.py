"""Opening a bundle: the very run again, or an error in words and nothing left behind. It comes from somebody else."""

from __future__ import annotations

import hashlib
import random
import shutil
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loadtests import cli
from loadtests.campaigns.bundles import manifest as limits
from loadtests.campaigns.bundles import unpack as module
from loadtests.campaigns.bundles.unpack import run_in, unpack
from shared.errors import BundleError, EnvironmentNotReady, Interrupted, RunFolderError, TwinshopError, UsageError
from tests.loadtests.campaigns.bundles.made_up import RUN, bundle_of, files_below, finished_run, rewritten


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes]]:
    """A bundle, and what is in the run that it was made of."""
    place = tmp_path_factory.mktemp("made")
    bundle = bundle_of(place / "run", place / "run.zip")
    return bundle, files_below(place / "run")


@pytest.fixture
def bundle(made: tuple[Path, dict[str, bytes]]) -> Path:
    return made[0]


def refused(bundle: Path, into: Path, *says: str, error: type[TwinshopError] = BundleError) -> None:
    """In words, and nothing is left."""
    with pytest.raises(error) as found:
        unpack(bundle, into)
    assert [word for word in says if word not in str(found.value)] == [], str(found.value)
    assert not into.exists(), "nothing is left of it, nor the folder that was made for it"


def test_it_is_the_run_again(made: tuple[Path, dict[str, bytes]], tmp_path: Path) -> None:
    bundle, original = made
    folder = unpack(bundle, tmp_path / "some" / "where")
    assert folder == tmp_path / "some" / "where" / RUN
    assert files_below(folder) == original
    assert list(folder.parent.iterdir()) == [folder]


def test_report_and_check_of_it_give_the_same_bytes(
    made: tuple[Path, dict[str, bytes]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle, original = made
    folder = unpack(bundle, tmp_path / "elsewhere")
    for name in ("results.json", "report.html"):
        (folder / name).unlink()
    assert cli.main(["report", str(folder)]) == 0
    assert files_below(folder) == original
    assert capsys.readouterr().out.strip() == str(folder / "report.html")


def test_what_is_opened_makes_the_same_bundle(bundle: Path, tmp_path: Path) -> None:
    again = cli.main(["bundle", str(unpack(bundle, tmp_path / "elsewhere")), "--out", str(tmp_path / "again.zip")])
    assert again == 0
    assert (tmp_path / "again.zip").read_bytes() == bundle.read_bytes()


def test_the_commands_print_where_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    finished_run(tmp_path / "run")
    assert cli.main(["bundle", "run"]) == 0
    assert capsys.readouterr().out == f"{RUN}.zip\n"
    assert cli.main(["open", f"{RUN}.zip"]) == 0
    assert capsys.readouterr().out == f"runs/{RUN}\n"
    assert cli.main(["open", f"{RUN}.zip"]) == 2
    assert "exists already" in capsys.readouterr().err


def test_a_run_in_either_form_can_be_read(bundle: Path, tmp_path: Path) -> None:
    run = finished_run(tmp_path / "run")
    with run_in(bundle) as inside, run_in(run.root) as same:
        assert same == run.root
        assert files_below(inside) == files_below(same)
    assert not inside.exists()


class TestDamaged:
    """200 random places each; the seeds make it the same ones every time."""

    def test_cut_off_anywhere(self, bundle: Path, tmp_path: Path) -> None:
        whole = bundle.read_bytes()
        broken = tmp_path / "broken.zip"
        for length in [0, 1, len(whole) - 1, *random.Random(1).sample(range(len(whole)), 197)]:
            broken.write_bytes(whole[:length])
            refused(broken, tmp_path / "into", "broken.zip is no whole bundle", "nothing of it was kept")

    def test_cut_off_at_the_front(self, bundle: Path, tmp_path: Path) -> None:
        whole = bundle.read_bytes()
        broken = tmp_path / "broken.zip"
        for start in random.Random(2).sample(range(1, len(whole)), 50):
            broken.write_bytes(whole[start:])
            refused(broken, tmp_path / "into", "broken.zip is no whole bundle")

    @pytest.mark.parametrize("change", ["one bit", "any byte"])
    def test_a_byte_changed_anywhere_is_found_or_does_not_matter(
        self, made: tuple[Path, dict[str, bytes]], tmp_path: Path, change: str
    ) -> None:
        bundle, original = made
        whole = bundle.read_bytes()
        chance = random.Random(f"3/{change}")
        directory = whole.index(b"PK\x01\x02")
        places = chance.sample(range(len(whole)), 100) + chance.sample(range(directory, len(whole)), 100)
        refusals = 0
        for place in places:
            other = whole[place] ^ (1 << chance.randrange(8) if change == "one bit" else chance.randrange(1, 256))
            (tmp_path / "broken.zip").write_bytes(whole[:place] + bytes([other]) + whole[place + 1 :])
            try:
                folder = unpack(tmp_path / "broken.zip", tmp_path / "into")
            except BundleError:
                refusals += 1
                assert not (tmp_path / "into").exists(), place
            else:
                assert files_below(folder) == original, place
                shutil.rmtree(tmp_path / "into")
        assert refusals > 100, "the changes are found, where they matter"

    def test_the_command_says_so_and_exits_2(
        self, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "broken.zip").write_bytes(bundle.read_bytes()[:-300])
        assert cli.main(["open", str(tmp_path / "broken.zip"), "--into", str(tmp_path / "into")]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert "Traceback" not in said.err
        assert "broken.zip is no whole bundle" in said.err

    @pytest.mark.parametrize("content", [b"", b"not a zip file", b"PK\x05\x06" + bytes(18)], ids=repr)
    def test_no_bundle_at_all(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "no.zip").write_bytes(content)
        refused(tmp_path / "no.zip", tmp_path / "into", "no.zip is no whole bundle")

    def test_no_file_at_all(self, tmp_path: Path) -> None:
        refused(tmp_path / "no.zip", tmp_path / "into", "cannot read")
        refused(tmp_path, tmp_path / "into", "cannot read")


def test_an_unknown_schema_is_told_with_the_version_that_wrote_it(bundle: Path, tmp_path: Path) -> None:
    def later(said: dict[str, Any]) -> None:
        said.update(schema=2, twinshop="0.9.0", something="new")

    other = rewritten(bundle, tmp_path / "later.zip", manifest=later)
    refused(
        other,
        tmp_path / "into",
        "later.zip was written with schema 2",
        "reads schema 1",
        "Twinshop 0.9.0",
        "with that version",
    )


def test_a_run_of_an_unknown_schema_is_told(bundle: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(bundle) as archive:
        content = archive.read(f"{RUN}/run.json").replace(b'"schema":1', b'"schema":7')

    def honest(said: dict[str, Any]) -> None:
        (entry,) = (it for it in said["files"] if it["name"] == "run.json")
        entry.update(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())

    other = rewritten(bundle, tmp_path / "later.zip", manifest=honest, contents={f"{RUN}/run.json": content})
    refused(other, tmp_path / "into", "the run in the bundle", "schema 7", error=RunFolderError)


def renamed(to: str) -> Callable[[dict[str, Any]], object]:
    """The manifest calls the last file so."""
    return lambda said: said["files"][-1].update(name=to)


class TestHostile:
    @pytest.mark.parametrize(
        "name",
        [
            "../outside", "/etc/outside", "logs/../../outside", "a/./b", "a//b", "", "C:\\outside", "a\\..\\b", "a:b",
            "nul\x00l", "new\nline", "trailing ", "x" * 300, "a/" * 20 + "b", "logs", "run.json/inside",
        ],
        ids=lambda name: repr(name)[:24],
    )  # fmt: skip
    def test_names_that_lead_elsewhere(self, bundle: Path, tmp_path: Path, name: str) -> None:
        def only(said: dict[str, Any]) -> None:
            said["files"][-1]["name"] = name
            said["files"].sort(key=lambda it: it["name"])

        other = rewritten(bundle, tmp_path / "hostile.zip", manifest=only, contents={f"{RUN}/{name}": b"gotcha"})
        before = sorted(tmp_path.rglob("*"))
        refused(other, tmp_path / "into", "is no whole bundle")
        assert sorted(tmp_path.rglob("*")) == before

    @pytest.mark.parametrize("run", ["..", ".", "", "/tmp", "a/b", "../run", ".hidden", "a\\b"])
    def test_a_run_that_is_called_so(self, bundle: Path, tmp_path: Path, run: str) -> None:
        other = rewritten(bundle, tmp_path / "hostile.zip", manifest=lambda said: said.update(run=run))
        refused(other, tmp_path / "into", "would not lie in the run's folder")

    def test_a_link(self, bundle: Path, tmp_path: Path) -> None:
        def link(info: zipfile.ZipInfo) -> None:
            if info.filename.endswith("run.json"):
                info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16

        other = rewritten(bundle, tmp_path / "link.zip", entry=link)
        refused(other, tmp_path / "into", "run.json' is no plain file")

    def test_a_file_more_than_the_manifest_names(self, bundle: Path, tmp_path: Path) -> None:
        other = rewritten(bundle, tmp_path / "more.zip", contents={"../outside": b"gotcha"})
        refused(other, tmp_path / "into", "are not those of bundle.json: '../outside'")

    def test_a_file_less(self, bundle: Path, tmp_path: Path) -> None:
        other = rewritten(bundle, tmp_path / "less.zip", contents={f"{RUN}/history.ndjson": None})
        refused(other, tmp_path / "into", "are not those of bundle.json", "history.ndjson")

    def test_evidence_that_nobody_promised(self, bundle: Path, tmp_path: Path) -> None:
        def without(said: dict[str, Any]) -> None:
            said["files"] = [it for it in said["files"] if it["name"] != "history.ndjson"]

        other = rewritten(bundle, tmp_path / "less.zip", manifest=without, contents={f"{RUN}/history.ndjson": None})
        refused(other, tmp_path / "into", "it lacks history.ndjson")

    def test_another_content_of_the_same_length(self, bundle: Path, tmp_path: Path) -> None:
        with zipfile.ZipFile(bundle) as archive:
            forged = archive.read(f"{RUN}/history.ndjson").replace(b'"status":200', b'"status":401', 1)
        other = rewritten(bundle, tmp_path / "forged.zip", contents={f"{RUN}/history.ndjson": forged})
        refused(other, tmp_path / "into", "history.ndjson is not what the bundle was made of")

    def test_a_manifest_twice(self, bundle: Path, tmp_path: Path) -> None:
        other = Path(shutil.copy(bundle, tmp_path / "twice.zip"))
        with zipfile.ZipFile(other, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("bundle.json", "{}")
        refused(other, tmp_path / "into", "names a file twice")

    def test_a_manifest_that_names_a_file_twice(self, bundle: Path, tmp_path: Path) -> None:
        other = rewritten(bundle, tmp_path / "twice.zip", manifest=lambda said: said["files"].append(said["files"][-1]))
        refused(other, tmp_path / "into", "does not name each file once")

    @pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    def test_packed_otherwise(self, bundle: Path, tmp_path: Path, method: int) -> None:
        def other_method(info: zipfile.ZipInfo) -> None:
            info.compress_type = method

        other = rewritten(bundle, tmp_path / "other.zip", entry=other_method)
        refused(other, tmp_path / "into", "is not packed as a bundle's files are")


class TestBombs:
    def test_more_than_the_manifest_says_is_never_written(
        self, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The zip's directory may lie about the size, too: what counts is what comes out."""
        bomb = rewritten(bundle, tmp_path / "bomb.zip", contents={f"{RUN}/history.ndjson": bytes(50_000_000)})
        content = bomb.read_bytes()
        assert len(content) < 500_000
        with zipfile.ZipFile(bundle) as archive:
            honest = archive.getinfo(f"{RUN}/history.ndjson").file_size
        (tmp_path / "liar.zip").write_bytes(
            content.replace((50_000_000).to_bytes(4, "little"), honest.to_bytes(4, "little"))
        )
        written: list[int] = []
        update = module._pieces

        def counted(*arguments: Any) -> Any:
            for piece in update(*arguments):
                written.append(len(piece))
                yield piece

        monkeypatch.setattr(module, "_pieces", counted)
        refused(bomb, tmp_path / "into", "are not those of bundle.json")
        refused(tmp_path / "liar.zip", tmp_path / "into", "is no whole bundle")
        assert sum(written) < 10_000_000

    def test_more_than_the_limit(self, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(limits, "MOST_BYTES", 1000)
        refused(bundle, tmp_path / "into", "too large to open", "1,000 bytes")

    def test_more_than_so_many_times_its_own_size(self, bundle: Path, tmp_path: Path) -> None:
        """A bomb that says what it is: 64 MB of nothing in 64 kB."""
        nothing = bytes(64 * 2**20)
        said = {"name": "zeros", "bytes": len(nothing), "sha256": hashlib.sha256(nothing).hexdigest()}
        bomb = rewritten(
            bundle,
            tmp_path / "bomb.zip",
            manifest=lambda it: it["files"].append(said),
            contents={f"{RUN}/zeros": nothing},
        )
        assert bomb.stat().st_size < 200_000
        refused(bomb, tmp_path / "into", "too large to open", "200 times the bundle's own")

    @pytest.mark.parametrize("name", ["Zlan.json", "z\u202enosj.nalp"])
    def test_names_that_only_look_like_others(self, bundle: Path, tmp_path: Path, name: str) -> None:
        said = [{"name": each, "bytes": 0, "sha256": hashlib.sha256(b"").hexdigest()} for each in (name, "zlan.json")]
        more = {f"{RUN}/{each['name']}": b"" for each in said}

        def change(it: dict[str, Any]) -> None:
            it["files"] = sorted([*it["files"], *said], key=lambda file: file["name"])

        odd = rewritten(bundle, tmp_path / "odd.zip", manifest=change, contents=more)
        refused(odd, tmp_path / "into", "odd.zip is no whole bundle", ascii(name) if "\u202e" in name else name)

    def test_more_files_than_the_limit(self, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(limits, "MOST_FILES", 3)
        refused(bundle, tmp_path / "into", "too large to open", "3 files")

    def test_a_manifest_without_end(self, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "MOST_MANIFEST_BYTES", 100)
        refused(bundle, tmp_path / "into", "'bundle.json' is longer than it may be")

    def test_a_size_beyond_all_limits(self, bundle: Path, tmp_path: Path) -> None:
        other = rewritten(bundle, tmp_path / "huge.zip", manifest=lambda said: said["files"][0].update(bytes=10**30))
        refused(other, tmp_path / "into", "bundle.json")

    def test_a_disk_without_room(self, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        free = shutil.disk_usage(tmp_path)._replace(free=1000)
        monkeypatch.setattr(module.shutil, "disk_usage", lambda _place: free)
        refused(bundle, tmp_path / "into", "no room", "1,000 are free", error=EnvironmentNotReady)


class TestNeverOverwrites:
    @pytest.mark.parametrize("kind", ["folder", "file", "dangling link"])
    def test_what_is_there_stays(self, bundle: Path, tmp_path: Path, kind: str) -> None:
        there = tmp_path / RUN
        if kind == "folder":
            there.mkdir()
        elif kind == "file":
            there.write_text("mine")
        else:
            there.symlink_to("nowhere")
        before = sorted(tmp_path.iterdir())
        with pytest.raises(UsageError, match="exists already"):
            unpack(bundle, tmp_path)
        assert sorted(tmp_path.iterdir()) == before

    def test_a_file_is_no_place(self, bundle: Path, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("mine")
        with pytest.raises(UsageError, match="is no folder"):
            unpack(bundle, tmp_path / "file")

    def test_interrupted_it_leaves_nothing(self, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupted(*_arguments: object) -> None:
            assert list((tmp_path / "into").iterdir()), "it has begun"
            raise Interrupted("interrupted by SIGINT")

        monkeypatch.setattr(module, "_check_readable", interrupted)
        refused(bundle, tmp_path / "into", error=Interrupted)
