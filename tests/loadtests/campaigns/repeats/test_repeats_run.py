"""`twinshop run --repeat`, with runs that are made up: order, controls, failures, Ctrl-C, the same again offline."""

from __future__ import annotations

import json
import shutil
import signal
import tomllib
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from compose.engines.registry import engine_named
from compose.supervision.ledger_file import ledgers
from loadtests.campaigns import one_run
from loadtests.campaigns.one_run import InThisProcess
from loadtests.campaigns.repeats import repeats_run as whole
from loadtests.campaigns.repeats.repeats import PAGE, REPEATS_SCHEMA, Block, Repeats, read_repeats, repeats_schema
from loadtests.campaigns.repeats.repeats_run import MOST_FAILURES, Repeated, again, job_of, repeat
from loadtests.campaigns.repeats.statistics import SCIPY
from loadtests.campaigns.runner import Launcher, Outcome, Over, RunJob
from loadtests.cli import main
from loadtests.judging.judge import judge
from loadtests.model.plan import plan_sha256
from loadtests.model.results import VerdictWord
from loadtests.model.run_folder import REPEATS, RunFolder
from loadtests.planning.make_plan import make_plan
from loadtests.planning.scenario_file import load_scenario
from loadtests.running.progress import Silent
from loadtests.running.run import Finished, RunRequest, write_results
from shared.errors import Busy, EnvironmentNotReady, Interrupted, NotReadyInTime, RunFolderError, UsageError
from tests.left_behind import processes_of
from tests.loadtests.campaigns.repeats.made_up import changed
from tests.loadtests.command import SMALL_KILL, start
from tests.loadtests.model_run import write_run
from tests.shared.schema_contract import SchemaContract
from tests.waiting import until

NAMES = ("sticky-memory", "redis")


def number_of(job: RunJob) -> int:
    """Of the block that it is to make."""
    return int(job.together.removeprefix("block "))


def kind_of(job: RunJob) -> str:
    return job.control or ("again" if len(job.architectures) == 1 else "fault")


class FakeRuns(Launcher):
    """Every block ends at once; its run folder is the model's, which is true to itself."""

    def __init__(self, folder: Path, fail: Callable[[RunJob], Exception | None] = lambda _job: None) -> None:
        self.folder = folder
        self.jobs: list[RunJob] = []
        self._fail = fail

    def start(self, job: RunJob) -> Over:
        self.jobs.append(job)
        error = self._fail(job)
        if error is not None:
            raise error
        run = write_run(self.folder / f"{number_of(job)}-{kind_of(job)}")
        write_results(run)
        return Over(Outcome(run.root.name, job.architectures))


def carry_out(
    tmp_path: Path, repeats: int = 2, fail: Callable[[RunJob], Exception | None] = lambda _job: None
) -> tuple[Repeated, FakeRuns]:
    launchers: list[FakeRuns] = []

    def launcher_in(folder: Path) -> FakeRuns:
        launchers.append(FakeRuns(folder, fail))
        return launchers[0]

    request = RunRequest("node-kill", NAMES, runs=tmp_path / "runs")
    return repeat(request, repeats, engine_named("processes"), Silent(), launcher_in), launchers[0]


def test_blocks_and_controls_are_run_in_order_and_written(tmp_path: Path) -> None:
    done, runs = carry_out(tmp_path)
    assert [(number_of(job), kind_of(job), job.architectures) for job in runs.jobs] == [
        (1, "fault", NAMES),
        (2, "fault", NAMES[::-1]), (2, "again", NAMES[:1]), (2, "no-fault", NAMES[::-1]), (2, "placebo", NAMES[::-1]),
    ]  # fmt: skip
    assert done.ended_by is None
    assert done.folder.name.endswith("-node-kill-x2")
    assert read_repeats(done.folder) == done.repeats
    assert (done.folder / PAGE).read_bytes().startswith(b"<!doctype html>")
    assert (done.folder / "scenario.toml").is_file()
    shot = done.repeats.blocks[0].shot("sticky-memory")
    assert shot is not None
    assert (
        shot.values["logged_out"] == judge(done.folder / "1-fault").architectures["sticky-memory"].logged_out.shoppers
    )


@pytest.mark.parametrize(
    ("repeats", "told"),
    [
        (2, "2 blocks of 2 architectures and their controls: 5 runs, about 2 min; no difference can be shown before "
            "--repeat 9, 2 only give the counts"),
        (20, "a difference can be shown if at least 9 of the 20 faults count"),
    ],
)  # fmt: skip
def test_before_it_starts_it_says_how_long_it_takes_and_what_can_be_shown(
    tmp_path: Path, repeats: int, told: str
) -> None:
    class Said(Silent):
        def say(self, message: str) -> None:
            said.append(message)

    said: list[str] = []
    began: list[str] = []

    def launcher_in(folder: Path) -> FakeRuns:
        return FakeRuns(folder, lambda _job: began.extend(said) or Interrupted("enough"))

    request = RunRequest("node-kill", NAMES, runs=tmp_path / "runs")
    done = repeat(request, repeats, engine_named("processes"), Said(), launcher_in)
    assert [line for line in began if told in line]
    assert done.repeats.least_faults == 9


def test_without_scipy_nothing_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loadtests.campaigns.repeats.statistics.find_spec", lambda _name: None)
    with pytest.raises(EnvironmentNotReady, match="SciPy is not installed") as caught:
        carry_out(tmp_path)
    assert "-m pip install 'scipy" in caught.value.next_step
    assert not (tmp_path / "runs").exists()


def test_what_it_advises_to_install_is_the_extra() -> None:
    extras = tomllib.loads((Path(__file__).parents[4] / "pyproject.toml").read_text())["project"]
    (asked,) = extras["optional-dependencies"]["statistics"]
    assert f"'{asked}'" in SCIPY
    assert asked not in extras["dependencies"]


def test_the_file_is_as_its_published_schema_says(tmp_path: Path) -> None:
    from jsonschema import Draft202012Validator

    done, _ = carry_out(tmp_path)
    Draft202012Validator(json.loads(repeats_schema())).validate(json.loads((done.folder / REPEATS).read_bytes()))
    published = Path(__file__).parents[4] / "docs" / "reference" / "repeats.schema.json"
    assert published.read_bytes() == repeats_schema()


def test_again_offline_gives_the_same_bytes_elsewhere(tmp_path: Path) -> None:
    done, _ = carry_out(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(done.folder, elsewhere)
    (elsewhere / PAGE).unlink()
    again(elsewhere)
    assert (elsewhere / REPEATS).read_bytes() == (done.folder / REPEATS).read_bytes()
    assert (elsewhere / PAGE).read_bytes() == (done.folder / PAGE).read_bytes()


def test_a_run_that_was_put_there_from_elsewhere_is_refused(tmp_path: Path) -> None:
    done, _ = carry_out(tmp_path)
    results = RunFolder(done.folder / "1-fault").results
    results.write_text(results.read_text().replace(done.repeats.blocks[0].plan_sha256, "f" * 64))
    with pytest.raises(RunFolderError, match="is not the run of block 1"):
        again(done.folder)


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    done, _ = carry_out(tmp_path)
    whole_file = (done.folder / REPEATS).read_text()
    (done.folder / REPEATS).write_text(whole_file[: len(whole_file) // 2])
    with pytest.raises(RunFolderError, match="damaged"):
        again(done.folder)


def test_ctrl_c_keeps_the_finished_blocks_and_writes_the_page(tmp_path: Path) -> None:
    done, runs = carry_out(
        tmp_path, 20, lambda job: Interrupted("interrupted by SIGINT") if number_of(job) == 3 else None
    )
    assert isinstance(done.ended_by, Interrupted)
    assert [block.number for block in done.repeats.blocks] == [1, 2]
    assert len(runs.jobs) == 3
    assert not (done.folder.parent / "latest").is_symlink(), "what was cut short is not the newest"
    assert done.repeats.interrupted == "interrupted by SIGINT"
    assert "interrupted by SIGINT" in (done.folder / PAGE).read_text()


def test_ctrl_c_before_anything_was_finished_is_written_too(tmp_path: Path) -> None:
    done, _ = carry_out(tmp_path, 2, lambda _job: Interrupted("interrupted by SIGINT"))
    assert done.repeats.blocks == ()
    assert done.repeats.verdict == "inconclusive"


def test_a_block_that_cannot_be_measured_takes_no_other_with_it(tmp_path: Path) -> None:
    done, runs = carry_out(tmp_path, 4, lambda job: NotReadyInTime("n1 was not ready") if number_of(job) == 2 else None)
    assert done.ended_by is None
    assert number_of(runs.jobs[-1]) == 4
    failed = [block for block in done.repeats.blocks if block.error]
    assert {block.error for block in failed} == {"n1 was not ready"}
    assert "n1 was not ready" in (done.folder / PAGE).read_text()


def test_a_machine_that_can_no_more_ends_it(tmp_path: Path) -> None:
    done, runs = carry_out(tmp_path, 20, lambda job: NotReadyInTime("n1 was not ready") if number_of(job) > 2 else None)
    assert isinstance(done.ended_by, NotReadyInTime)
    assert len(runs.jobs) == 2 + MOST_FAILURES


def test_a_first_block_that_fails_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NotReadyInTime):
        carry_out(tmp_path, 2, lambda _job: NotReadyInTime("n1 was not ready"))


def test_the_machine_is_held_all_the_while(tmp_path: Path, own_state: Path) -> None:
    from compose.supervision.ledger import hold_machine

    with hold_machine(own_state), pytest.raises(Busy):
        carry_out(tmp_path)
    assert not (tmp_path / "runs").exists()


def test_one_architecture_alone_is_nothing_to_compare(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing to compare"):
        repeat(RunRequest("calm", ("redis",), runs=tmp_path), 2, engine_named("processes"), Silent())


def test_a_block_becomes_a_run_with_its_seed_control_and_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[RunRequest] = []

    def run(request: RunRequest, *_args: object, held: bool) -> Finished:
        assert held
        asked.append(request)
        made = write_run(tmp_path / str(len(asked)))
        return Finished(made, write_results(made))

    monkeypatch.setattr(one_run, "run", run)
    launcher = InThisProcess(RunRequest("node-kill", shoppers=5, runs=tmp_path), engine_named("processes"), Silent())
    for kind, control in (("fault", ""), ("again", ""), ("no-fault", "no-fault"), ("placebo", "placebo")):
        block = Block(3, kind, 7, "", "", "", ("redis",), "inconclusive", ())  # type: ignore[arg-type]
        over = launcher.start(job_of("node-kill", block, 10.0))
        assert (asked[-1].seed, asked[-1].control, asked[-1].architectures) == (7, control, ("redis",))
        assert (asked[-1].runs, asked[-1].shoppers) == (tmp_path, 5)
        assert over.ending().run == str(len(asked))


def test_each_block_says_which_plan_it_should_have_had(tmp_path: Path) -> None:
    done, _ = carry_out(tmp_path)
    scenario = load_scenario("node-kill")
    for block in done.repeats.blocks:
        control = block.kind if block.kind in ("no-fault", "placebo") else ""
        plan = make_plan(scenario, seed=block.seed, shoppers=None, control=control)
        assert block.planned_sha256 == plan_sha256(plan)


def test_what_was_begun_and_not_finished_is_no_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that was interrupted is judged as far as it went, and left out here."""

    def run(request: RunRequest, *_args: object, held: bool) -> Finished:
        made = write_run(request.runs / "cut-short")
        return Finished(made, write_results(made), Interrupted("interrupted by SIGTERM"))

    monkeypatch.setattr(one_run, "run", run)
    request = RunRequest("node-kill", NAMES, runs=tmp_path / "runs")
    done = repeat(request, 2, engine_named("processes"), Silent())
    assert done.repeats.blocks == ()
    assert isinstance(done.ended_by, Interrupted)
    assert (done.folder / "cut-short" / "results.json").is_file()


def test_latest_points_to_it_and_report_makes_it_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done, _ = carry_out(tmp_path)
    latest = done.folder.parent / "latest"
    before = (done.folder / PAGE).read_bytes()
    (done.folder / PAGE).unlink()
    assert main(["report", str(latest)]) == 0
    assert capsys.readouterr().out == f"{latest / PAGE}\n"
    assert (done.folder / PAGE).read_bytes() == before


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--repeat", "1"), "expected a whole number from 2 to 1,000, not '1'"),
        (("--repeat", "3", "--control", "placebo"), "repeats have their own controls"),
        (("--repeat", "3", "--architecture", "redis"), "nothing to compare"),
        (("--control", "sham"), "no-fault"),
    ],
)
def test_bad_usage(words: tuple[str, ...], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "node-kill", "--runs", str(tmp_path / "runs"), *words]) == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("verdict", "fired", "code"),
    [("as predicted", False, 0), ("as predicted", True, 1), ("not as predicted", False, 1), ("inconclusive", False, 3)],
)
def test_the_exit_code_is_that_of_the_worst_block(
    verdict: VerdictWord, fired: bool, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    done, _ = carry_out(tmp_path)
    blocks = tuple(changed(done.repeats.blocks, 2, verdict=verdict, fired=fired))
    repeats = msgspec.structs.replace(done.repeats, blocks=blocks, verdict=verdict)
    monkeypatch.setattr(whole, "repeat", lambda *_args: Repeated(done.folder, repeats))
    assert main(["run", "node-kill", "--repeat", "2", "-q"]) == code
    assert capsys.readouterr().out.startswith(repeats.answer)


QUICK_KILL = (
    SMALL_KILL.replace("seconds = 6", "seconds = 3.5")
    .replace("2.5", "1.6")
    .replace("heal_after_s = 1.5", "heal_after_s = 0.8")
)
SMALL = ("--repeat", "2", "--architecture", "sticky-memory", "--architecture", "redis", "--runs", "r")


@pytest.mark.long
@pytest.mark.cluster
def test_real_blocks_with_real_controls(tmp_path: Path, own_state: Path) -> None:
    (tmp_path / "quick.toml").write_text(QUICK_KILL)
    process = start(tmp_path, "run", "quick.toml", *SMALL, "--shoppers", "12", "--json")
    out, err = process.communicate(timeout=280)
    assert process.returncode in (0, 3), err  # a machine that is too busy makes it inconclusive, never refuted
    repeats = msgspec.json.decode(out, type=Repeats)
    assert [block.kind for block in repeats.blocks] == ["fault", "fault", "again", "no-fault", "placebo"]
    assert all(block.plan_sha256 == block.planned_sha256 for block in repeats.blocks)
    assert not list((tmp_path / "r").glob("*-x2/latest")), "the newest are the repeats, not a block of them"
    fault, placebo = repeats.blocks[0].shot("sticky-memory"), repeats.blocks[-1].shot("sticky-memory")
    assert fault is not None
    assert placebo is not None
    assert fault.values["logged_out"]
    assert placebo.values["logged_out"] == 0
    assert {each.reason[:14] for each in repeats.comparisons} == {"too few faults"}
    assert processes_of(own_state) == {}
    assert ledgers(own_state) == []


@pytest.mark.cluster
def test_ctrl_c_after_the_first_block(tmp_path: Path, own_state: Path) -> None:
    (tmp_path / "quick.toml").write_text(QUICK_KILL.replace("[load]", "nodes = 2\n\n[load]", 1).replace("3.5", "2.6"))
    process = start(tmp_path, "run", "quick.toml", *SMALL, "--shoppers", "6")
    assert until(lambda: len(list((tmp_path / "r").glob("*-x2/*-quick-*/run.json"))) == 2, 100)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    (folder,) = (tmp_path / "r").glob("*-x2")
    assert [block.number for block in read_repeats(folder).blocks] == [1]
    assert "not comparable" in out
    assert (folder / PAGE).is_file()
    assert processes_of(own_state) == {}
    assert ledgers(own_state) == []


class TestRepeats(SchemaContract):
    schema = REPEATS_SCHEMA

    def write(self, folder: Path) -> Path:
        done, _ = carry_out(folder)
        return done.folder / REPEATS

    def read(self, path: Path) -> object:
        return read_repeats(path.parent)
