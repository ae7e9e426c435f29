"""A workshop from its first round to its end, on real clusters; and what is left when it is ended otherwise."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from compose.supervision.ledger_file import ledgers
from loadtests.judging.judge import judge
from loadtests.model.plan import read_plan
from loadtests.workshop.contract import Begin, Break, Close, EndWorkshop, Heal, Release, RoundSide
from tests.left_behind import ports_of, processes_of, wait_until_gone
from tests.loadtests.command import twinshop
from tests.loadtests.workshop.whole_workshop import WholeWorkshop, whole_workshop
from tests.waiting import until

pytestmark = pytest.mark.cluster

BOTH = ("left", "right")
EPISODE = "kill-one-of-three"
ENDS_WITHIN_S = 5.0
"""On a machine that does nothing else."""
BUSY = 6
"""By how much another one may be slower."""
JSON = {"Accept": "application/json"}


class Person:
    """Somebody with a browser, in one shop."""

    def __init__(self, side: RoundSide) -> None:
        self.session = requests.Session()
        self.shop = side.shop_url
        self.side = side.side
        self.guest = side.guests[0]

    def come_in(self) -> None:
        told = {"user": self.guest.user, "password": self.guest.password}
        assert self.session.post(f"{self.shop}/login", json=told, headers=JSON, timeout=30).status_code == 200
        for _ in range(5):
            assert self.session.get(f"{self.shop}/me", headers=JSON, timeout=30).json()["user"] == self.guest.user
        assert f"<title>{self.side} shop · " in self.session.get(self.shop, timeout=30).text

    def order(self) -> None:
        shown = self.session.get(f"{self.shop}/products", headers=JSON, timeout=30).json()["products"]
        wanted = {"sku": shown[0]["sku"], "quantity": 1}
        self.session.post(f"{self.shop}/cart", json=wanted, headers=JSON, timeout=30)
        key = {"Idempotency-Key": "mine"}
        assert self.session.post(f"{self.shop}/checkout", json={}, headers=JSON | key, timeout=30).status_code == 201


def nothing_is_left(workshop: WholeWorkshop) -> None:
    assert wait_until_gone(workshop.state, BUSY * ENDS_WITHIN_S) == {}
    assert ledgers(workshop.state) == []
    assert not Path(workshop.opened["control"]).parent.exists()
    assert not (workshop.state / "workshop").exists()
    work = [path for path in (workshop.folder / "runs").rglob("work") if path.is_dir()]
    assert work == []


def test_an_episode_from_prediction_to_explanation(tmp_path: Path) -> None:
    with whole_workshop(tmp_path, "--episode", "2") as workshop:
        workshop.reaches("predict")
        assert requests.get(workshop.opened["url"] + "/healthz", timeout=30).status_code == 200
        assert_no_result_exists(workshop)
        assert not workshop.tell(Break("kill", BOTH)).ok
        workshop.do(Release())
        workshop.reaches("run")
        people = [Person(side) for side in workshop.round.sides]
        for person in people:
            person.come_in()
        people[0].order()
        everybody_shops(workshop)
        workshop.do(Break("kill", BOTH, "n2"))
        workshop.sees("observed", 2)
        assert not workshop.tell(Break("store-kill", ("right",))).ok, "this episode has no such button"
        assert until(lambda: workshop.logged_out("sticky-memory") > 0, 20.0)
        workshop.do(Heal())
        workshop.sees("observed_healed", 2)
        assert until(lambda: workshop.round.broken == ())
        workshop.do(Close())
        workshop.reaches("explain")
        assert_it_is_a_run_like_any_other(workshop)
        workshop.do(EndWorkshop())
        assert workshop.end()[0] == 0
        nothing_is_left(workshop)


def assert_no_result_exists(workshop: WholeWorkshop) -> None:
    """People predict: nobody has shopped, nothing was broken, and so nothing can be found out, wherever one looks."""
    run = workshop.run
    assert run.history.read_bytes() == run.events.read_bytes() == b""
    assert not run.results.exists()
    assert not run.report.exists()
    for architecture in ("sticky-memory", "redis"):
        logs = run.logs(architecture)
        assert (logs / "history-0.ndjson").read_bytes() == b""
        asked = (logs / "access.ndjson").read_text() if (logs / "access.ndjson").exists() else ""
        assert "/login" not in asked


def everybody_shops(workshop: WholeWorkshop, names: tuple[str, str] = ("sticky-memory", "redis")) -> None:
    for architecture in names:
        history = workshop.run.logs(architecture) / "history-0.ndjson"
        assert until(lambda history=history: history.read_bytes().count(b'"do":"login"') == 6, 20.0)  # type: ignore[misc]


def assert_it_is_a_run_like_any_other(workshop: WholeWorkshop) -> None:
    results = workshop.results()
    assert results == judge(workshop.run.root), "judged again, offline, it comes to the same"
    assert list(results.architectures) == ["sticky-memory", "redis"]
    for architecture, result in results.architectures.items():
        assert result.books_balance, result.reasons
        assert result.reconciliation.mismatch_count == 0, result.reconciliation.mismatches
        assert result.reconciliation.guests >= 6
        assert result.actions.not_sent == 0
        assert workshop.fault_steps(architecture) == ["injected", "observed", "healed", "observed_healed"]
        assert result.verdict == "as predicted", result.reasons
    memory, redis = results.architectures.values()
    assert memory.logged_out.shoppers == memory.at_risk == memory.reconciliation.at_risk_by_balancer > 0
    assert redis.logged_out.shoppers == 0
    plan = read_plan(workshop.run.plan)
    (fault,) = plan.faults
    assert (fault.kind, fault.victim) == ("kill", "n2")
    assert 0 < fault.at_ms < fault.heal_at_ms <= plan.window_ms < 120_000
    assert workshop.run.report.exists()
    assert (workshop.folder / "runs" / "latest").resolve() == workshop.run.root.resolve()
    assert "guest-" not in workshop.run.history.read_text(), "what a guest ordered is in no shopper's books"
    assert not list(workshop.run.root.rglob("history-*.ndjson"))


def test_who_was_spared_proves_nothing_and_another_episode_begins(tmp_path: Path) -> None:
    with whole_workshop(tmp_path, "--no-predict", "--episode", "2") as workshop:
        workshop.reaches("run")
        everybody_shops(workshop)
        workshop.do(Break("kill", ("left",), "n2"))
        workshop.sees("observed", 1)
        folder = workshop.run
        workshop.do(Begin("2"))
        workshop.reaches("run", 2)
        results = judge(folder.root)
        memory, redis = results.architectures.values()
        assert memory.books_balance
        assert [step.step for step in redis.experiment] == ["planned", "spared"]
        assert redis.verdict == "inconclusive"
        assert redis.reasons == ("the kill was not made here: somebody made it on sticky-memory only",)
        workshop.process.send_signal(signal.SIGTERM)
        assert workshop.end()[0] == 130


def test_one_architecture_behind_two_balancers(tmp_path: Path) -> None:
    names = ("sticky-memory-envoy", "sticky-memory-haproxy")
    with whole_workshop(tmp_path, "--balancer", "envoy", "--balancer", "haproxy") as workshop:
        workshop.reaches("open")
        left, right = workshop.round.sides
        assert (left.architecture, right.architecture) == names
        assert left.shop_url
        assert not right.shop_url, "HAProxy has no listener for people"
        person = Person(left)
        person.come_in()
        everybody_shops(workshop, names)
        workshop.do(Break("kill", BOTH, "n2"))
        workshop.sees("observed", 2)
        assert until(lambda: all(workshop.logged_out(name) for name in names), 20.0)
        workshop.do(Close())
        workshop.reaches("explain")
        results = workshop.results()
        assert list(results.architectures) == list(names)
        for result in results.architectures.values():
            assert result.books_balance, result.reasons
            assert result.reconciliation.mismatch_count == 0, result.reconciliation.mismatches
            assert result.logged_out.shoppers >= result.at_risk > 0
        assert workshop.run.read_provenance().balancers == ("envoy", "haproxy")
        page = workshop.run.report.read_text()
        assert "HAProxy" in page
        assert "Envoy" in page
        for name, configuration in zip(names, ("envoy", "haproxy.cfg"), strict=True):
            assert configuration in (workshop.run.logs(name) / "balancer.configuration").read_text()
        workshop.do(EndWorkshop())
        code, said = workshop.end()
        assert code == 0
        assert "people with browsers cannot enter sticky-memory-haproxy: HAProxy has no listener for them" in said
        nothing_is_left(workshop)


def locusts(workshop: WholeWorkshop) -> list[int]:
    return [pid for pid, words in processes_of(workshop.state).items() if "locust" in words]


def test_a_load_that_dies_fails_the_round_and_the_next_one_is_well(tmp_path: Path) -> None:
    with whole_workshop(tmp_path) as workshop:
        workshop.reaches("open")
        everybody_shops(workshop)
        os.kill(locusts(workshop)[0], signal.SIGKILL)
        workshop.reaches_failed()
        assert "in the middle of the round" in workshop.round.why
        results = judge(Path(workshop.round.folder))
        assert results.verdict == "inconclusive"
        assert locusts(workshop) == []
        workshop.do(Begin())
        workshop.reaches("open", 2)
        workshop.process.send_signal(signal.SIGINT)
        assert workshop.end(60)[0] == 0
        nothing_is_left(workshop)


def in_the_beginning(workshop: WholeWorkshop) -> None:
    assert until(lambda: len(processes_of(workshop.state)) > 3), "some of the clusters' parts run"


def in_predict(workshop: WholeWorkshop) -> None:
    workshop.reaches("predict")


def with_something_broken(workshop: WholeWorkshop) -> None:
    workshop.reaches("predict")
    workshop.do(Release())
    workshop.reaches("run")
    everybody_shops(workshop)
    workshop.do(Break("kill", BOTH))
    workshop.sees("observed", 2)


def while_it_closes(workshop: WholeWorkshop) -> None:
    with_something_broken(workshop)
    workshop.do(Close())
    workshop.reaches("closing")


@pytest.mark.parametrize("when", [in_the_beginning, in_predict, with_something_broken, while_it_closes])
def test_ctrl_c_at_any_moment_leaves_nothing(when: Callable[[WholeWorkshop], None], tmp_path: Path) -> None:
    with whole_workshop(tmp_path, "--episode", "2") as workshop:
        when(workshop)
        folder = workshop.round.folder
        began = time.monotonic()
        workshop.process.send_signal(signal.SIGINT)
        code, said = workshop.end(60)
        took_s = time.monotonic() - began
    assert code == 0, "the normal end of a workshop"
    assert "The workshop is over" in said
    assert "Traceback" not in said
    assert took_s < BUSY * ENDS_WITHIN_S, said
    nothing_is_left(workshop)
    if folder and when is not in_predict:
        results = judge(Path(folder))
        assert {result.verdict for result in results.architectures.values()} == {"inconclusive"}
        if when is with_something_broken:
            assert read_plan(Path(folder) / "plan.json").window_ms < 120_000, "hours of it were never planned"


def test_killed_it_is_cleared_away_by_recover(tmp_path: Path) -> None:
    with whole_workshop(tmp_path, "--episode", "2") as workshop:
        with_something_broken(workshop)
        workshop.process.kill()
        workshop.process.communicate()
        assert processes_of(workshop.state), "its clusters live on"
        lost = twinshop(tmp_path, "goto", "2")
        assert lost.returncode == 4
        assert "twinshop recover" in lost.stderr
        done = twinshop(tmp_path, "recover")
        assert done.returncode == 0, done.stderr
        assert "n3" in done.stdout
        nothing_is_left(workshop)
        assert ports_of(workshop.state) == set()
        none = twinshop(tmp_path, "goto", "2")
        assert none.returncode == 2
        assert "twinshop workshop --episode 2" in none.stderr


def test_a_port_that_is_taken_is_said_at_once(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = twinshop(tmp_path, "workshop", "--no-open", "--port", str(port))
    assert done.returncode == 4
    assert f"port {port}, meant for the dashboard, is taken" in done.stderr
    assert processes_of(tmp_path / "state") == {}


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (("redis",), "two different shops"),
        (("redis", "redis"), "two different shops"),
        (("redis", "sticky-memory", "signed-token"), "two shops, not 3"),
    ],
)
def test_a_workshop_has_two_different_shops(names: tuple[str, ...], says: str, tmp_path: Path) -> None:
    words = [word for name in names for word in ("--architecture", name)]
    done = twinshop(tmp_path, "workshop", "--no-open", *words)
    assert done.returncode == 2
    assert says in done.stderr
