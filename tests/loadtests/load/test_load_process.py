"""Whole load processes against a shop that behaves, misbehaves, or is somebody else's."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from compose.supervision.ledger import Ledger
from loadtests.behaviours import BEHAVIOURS
from loadtests.load.load_process import LoadProcesses, merge_histories, start_load
from loadtests.load.worker_config import WorkerConfig
from loadtests.model.history import WRITES, Exchange, encode_records, read_history
from loadtests.model.plan import Plan, as_carried_out, encode_plan
from loadtests.model.scenario import Load, Scenario
from loadtests.planning.make_plan import make_plan
from tests.loadtests.standins import RUN, StandinShop, standin_shop
from tests.waiting import until

READY_S = 60.0
LEAD_NS = 200_000_000

cluster = pytest.mark.cluster


def plan_of(shoppers: int = 12, seconds: float = 2.0, leavers: float = 0.0, behaviour: str = "shop") -> Plan:
    shape = Load(shoppers, seconds, 150, login_within_ms=400, leavers=leavers, behaviour=behaviour)
    plan = make_plan(Scenario("Why?", "test", shape), seed=1)
    # A machine that is busy with other tests makes nobody late and no answer lost.
    patient = msgspec.structs.replace(plan.client, late_ms=60_000, answer_timeout_ms=10_000)
    return msgspec.structs.replace(plan, client=patient)


@pytest.fixture
def shop() -> Iterator[StandinShop]:
    with standin_shop() as running:
        yield running


@contextmanager
def loaded(
    plan: Plan, url: str, folder: Path, state: Path, *, workers: int = 1, run: str = RUN, live: bool = False
) -> Iterator[LoadProcesses]:
    path = folder / "plan.json"
    path.write_bytes(encode_plan(plan))
    ledger = Ledger.open(state, run)
    load = None
    try:
        config = WorkerConfig(path, "redis", run, f"{run}a", folder=folder, workers=workers, live=int(live))
        load = start_load(ledger, config, plan, url)
        assert until(load.ready, READY_S), load.progress()
        yield load
    finally:
        if load is not None:
            load.kill()
        ledger.close()


def history_of(load: LoadProcesses, folder: Path) -> list[Exchange]:
    out = folder / "merged.ndjson"
    out.unlink(missing_ok=True)
    assert not merge_histories(load.histories(), out)
    return [record for record in read_history(out) if isinstance(record, Exchange)]


def assert_every_planned_action_once(plan: Plan, history: list[Exchange]) -> None:
    found = Counter((each.shopper, each.step, each.do) for each in history if each.why == "plan")
    expected = {(who.shopper, step, action.do) for who in plan.shoppers for step, action in enumerate(who.actions)}
    assert set(found) == expected
    assert set(found.values()) == {1}


@cluster
@pytest.mark.parametrize("workers", [1, 2])
def test_a_calm_run(workers: int, shop: StandinShop, tmp_path: Path, own_state: Path) -> None:
    plan = plan_of(leavers=0.3)
    with loaded(plan, shop.url, tmp_path, own_state, workers=workers) as load:
        assert load.progress().phase == "waiting"
        assert not shop.seen()
        load.go(time.monotonic_ns() + LEAD_NS)
        assert until(load.finished, READY_S), load.progress()
    assert load.exit_codes() == (0,) * workers
    history = history_of(load, tmp_path)
    assert_every_planned_action_once(plan, history)
    assert {each.request for each in history} == {request for _, _, request, _ in shop.seen()}
    assert len(history) == len(shop.seen()) == load.progress().sent
    done = [each.done_us for each in history]
    assert done == sorted(done)
    assert load.progress().phase == "done"
    assert load.progress().logged_out == 0
    assert {each.outcome for each in history if each.why == "plan"} == {"ok"}
    leavers = {who.shopper for who in plan.shoppers if who.actions[-1].do == "logout"}
    audited = {each.shopper: each.status for each in history if each.why == "audit" and each.do == "me"}
    assert leavers
    assert audited == {who.shopper: 401 if who.shopper in leavers else 200 for who in plan.shoppers}
    early = [each for each in history if each.why == "audit" and each.sent_us < plan.window_ms * 1000]
    assert not early


@cluster
def test_a_live_window_is_ended_early(shop: StandinShop, tmp_path: Path, own_state: Path) -> None:
    plan = plan_of(seconds=600)
    end_ms = 2000
    with loaded(plan, shop.url, tmp_path, own_state, workers=2, live=True) as load:
        load.go(time.monotonic_ns() + LEAD_NS)
        load.end_window(end_ms)
        assert until(load.finished, READY_S), load.progress()
    assert load.exit_codes() == (0, 0)
    history = history_of(load, tmp_path)
    carried_out = as_carried_out(plan, end_ms, ())
    assert_every_planned_action_once(carried_out, history)
    assert 0 < sum(len(who.actions) for who in carried_out.shoppers) < len(history)
    assert {each.outcome for each in history} == {"ok"}
    audits = [each for each in history if each.why == "audit"]
    assert {each.shopper for each in audits} == {who.shopper for who in plan.shoppers}
    assert min(each.sent_us for each in audits) >= end_ms * 1000


@cluster
def test_who_hears_too_late_that_the_window_ends_gives_up(shop: StandinShop, tmp_path: Path, own_state: Path) -> None:
    with loaded(plan_of(seconds=600), shop.url, tmp_path, own_state, live=True) as load:
        load.go(time.monotonic_ns() - 5_000_000_000)
        assert until(lambda: load.progress().phase == "load", READY_S)
        load.end_window(1000)
        assert until(load.finished, READY_S), load.progress()
    assert load.exit_codes() == (4,)
    assert "too late that the load window was to end" in load.problem()


@cluster
def test_a_window_that_is_not_live_is_never_ended_early(shop: StandinShop, tmp_path: Path, own_state: Path) -> None:
    plan = plan_of()
    with loaded(plan, shop.url, tmp_path, own_state) as load:
        load.end_window(500)
        load.go(time.monotonic_ns() + LEAD_NS)
        assert until(load.finished, READY_S), load.progress()
    assert_every_planned_action_once(plan, history_of(load, tmp_path))


@cluster
def test_every_behaviour_is_carried_out(shop: StandinShop, tmp_path: Path, own_state: Path) -> None:
    each_its_own = [
        plan_of(len(BEHAVIOURS), behaviour=behaviour).shoppers[number] for number, behaviour in enumerate(BEHAVIOURS)
    ]
    plan = msgspec.structs.replace(plan_of(), shoppers=tuple(each_its_own))
    with loaded(plan, shop.url, tmp_path, own_state) as load:
        load.go(time.monotonic_ns() + LEAD_NS)
        assert until(load.finished, READY_S), load.progress()
    assert load.exit_codes() == (0,), load.problem()
    history = history_of(load, tmp_path)
    assert_every_planned_action_once(plan, history)
    assert {each.request for each in history if each.request} == {request for _, _, request, _ in shop.seen()}
    done = [each.done_us for each in history]
    assert done == sorted(done)
    assert load.progress().logged_out == 0
    not_ok = [each for each in history if each.why == "plan" and each.outcome != "ok"]
    # A second click finds an empty cart; what was asked beside a logout may be answered after it.
    assert {(each.do, each.status) for each in not_ok} <= {("checkout", 400), ("linger", 401)}
    assert {each.jar for each in history} == {"main", "second", "stolen", "planted", "thief"}
    assert any(each.overlapped for each in history)


@cluster
def test_everybody_who_is_logged_out_is_counted_and_shops_on(
    shop: StandinShop, tmp_path: Path, own_state: Path
) -> None:
    plan = plan_of()
    with loaded(plan, shop.url, tmp_path, own_state) as load:
        load.go(time.monotonic_ns() + LEAD_NS)
        logged_in = ["POST", "/login"]
        assert until(lambda: [each[:2] for each in shop.seen()].count(logged_in) == 12, READY_S), load.progress()
        assert until(lambda: load.progress().ok > 12, READY_S), load.progress()  # the answers have come, too
        shop.forget()
        assert until(load.finished, READY_S), load.progress()
    assert load.exit_codes() == (0,)
    assert load.progress().logged_out == 12
    history = history_of(load, tmp_path)
    assert_every_planned_action_once(plan, history)
    assert Counter(each.shopper for each in history if each.why == "recovery") == dict.fromkeys(range(1, 13), 1)
    assert all(each.status == 200 for each in history if each.why == "audit")


@cluster
def test_being_told_to_end_leaves_whole_books(shop: StandinShop, tmp_path: Path, own_state: Path) -> None:
    plan = plan_of(seconds=30)
    shop.rule("GET /cart", "hang 20", times=-1)
    with loaded(plan, shop.url, tmp_path, own_state) as load:
        load.go(time.monotonic_ns() + LEAD_NS)
        assert until(lambda: load.progress().ok > 20, READY_S), load.progress()
        load.stop(5.0)
        assert load.finished()
    assert 0 not in load.exit_codes()
    history = history_of(load, tmp_path)
    assert_every_planned_action_once(plan, history)
    assert {each.error for each in history if each.outcome == "not_sent"} <= {"stopped", "late"}
    stopped = {(each.do in WRITES, each.outcome) for each in history if each.error == "stopped" and each.sent_us >= 0}
    assert stopped <= {(False, "failed"), (True, "unknown")}
    assert {each.request for each in history if each.request} >= {request for _, _, request, _ in shop.seen()}


@cluster
def test_a_killed_process_leaves_what_it_had_written_and_a_bad_exit_code(
    shop: StandinShop, tmp_path: Path, own_state: Path
) -> None:
    with loaded(plan_of(seconds=30), shop.url, tmp_path, own_state) as load:
        load.go(time.monotonic_ns() + LEAD_NS)
        assert until(lambda: load.progress().ok > 20, READY_S), load.progress()
        load.kill()
        assert load.finished()
        assert load.exit_codes() == (-9,)
        load.kill()
    assert len(history_of(load, tmp_path)) > 20


@cluster
@pytest.mark.parametrize("answer", ["foreign", "foreign ffffffff"])
def test_somebody_elses_shop_ends_the_load_with_the_reason(
    answer: str, shop: StandinShop, tmp_path: Path, own_state: Path
) -> None:
    shop.rule("GET /cart", answer, times=-1)
    with loaded(plan_of(seconds=30), shop.url, tmp_path, own_state) as load:
        load.go(time.monotonic_ns() + LEAD_NS)
        assert until(load.finished, READY_S), load.progress()
    assert load.exit_codes() == (4,)
    assert f"expected run {RUN}" in load.problem()
    assert "giving up: GET /cart: an answer" in (tmp_path / "load-0.log").read_text()
    assert_every_planned_action_once(plan_of(seconds=30), history_of(load, tmp_path))


@cluster
def test_the_balancers_own_answers_are_not_foreign(shop: StandinShop, tmp_path: Path, own_state: Path) -> None:
    shop.rule("GET /cart", "balancer", times=5)
    plan = plan_of()
    with loaded(plan, shop.url, tmp_path, own_state) as load:
        load.go(time.monotonic_ns() + LEAD_NS)
        assert until(load.finished, READY_S), load.progress()
    assert load.exit_codes() == (0,)
    failed = [each for each in history_of(load, tmp_path) if each.outcome == "failed"]
    assert [(each.status, each.node) for each in failed] == [(503, "")] * 5


@cluster
def test_a_full_disk_voids_the_run_instead_of_shortening_it(shop: StandinShop, tmp_path: Path, own_state: Path) -> None:
    (tmp_path / "history-0.ndjson").symlink_to("/dev/full")
    with loaded(plan_of(), shop.url, tmp_path, own_state) as load:
        load.go(time.monotonic_ns() + LEAD_NS)
        assert until(load.finished, READY_S), load.progress()
    assert load.exit_codes() == (4,)
    assert "cannot write the history: [Errno 28] No space left on device" in load.problem()


@cluster
def test_more_workers_than_shoppers_are_not_started(shop: StandinShop, tmp_path: Path, own_state: Path) -> None:
    with loaded(plan_of(shoppers=2, seconds=1), shop.url, tmp_path, own_state, workers=4) as load:
        load.go(time.monotonic_ns() + LEAD_NS)
        assert until(load.finished, READY_S), load.progress()
    assert load.exit_codes() == (0, 0)


@cluster
def test_a_plan_that_cannot_be_read_ends_the_process_at_once(tmp_path: Path, own_state: Path) -> None:
    plan = plan_of()
    (tmp_path / "broken.json").write_text("{")
    ledger = Ledger.open(own_state, RUN)
    config = WorkerConfig(tmp_path / "broken.json", "redis", RUN, RUN, folder=tmp_path)
    load = start_load(ledger, config, plan, "http://127.0.0.1:1")
    try:
        assert until(load.finished, READY_S), load.progress()
        assert 0 not in load.exit_codes()
        assert not load.ready()
        assert "damaged" in (tmp_path / "load-0.log").read_text()
    finally:
        load.kill()
        ledger.close()


def made_up(shopper: int, *times_us: int) -> list[Exchange]:
    return [Exchange("redis", shopper, f"r-{shopper}-{at}", "plan", "cart", "ok", at, at, at) for at in times_us]


def test_histories_are_merged_in_time_and_appended(tmp_path: Path) -> None:
    one, two, out = tmp_path / "history-0.ndjson", tmp_path / "history-1.ndjson", tmp_path / "history.ndjson"
    earlier = made_up(9, 1000)
    out.write_bytes(encode_records(earlier))
    one.write_bytes(encode_records(made_up(1, 1, 4, 9)))
    two.write_bytes(encode_records(made_up(2, 2, 3, 12)))
    assert not merge_histories([one, two], out)
    records = [record for record in read_history(out) if isinstance(record, Exchange)]
    assert [each.done_us for each in records] == [1000, 1, 2, 3, 4, 9, 12]


def test_a_last_line_that_was_cut_off_is_dropped_with_a_remark(tmp_path: Path) -> None:
    one, out = tmp_path / "history-0.ndjson", tmp_path / "history.ndjson"
    one.write_bytes(encode_records(made_up(1, 1, 4))[:-7])
    remarks = merge_histories([one, tmp_path / "history-1.ndjson"], out)
    assert remarks == ("history-0.ndjson, line 2: cut off, dropped", "history-1.ndjson was never written")
    assert len(list(read_history(out))) == 1


def test_a_damaged_line_is_dropped_with_a_remark(tmp_path: Path) -> None:
    one, out = tmp_path / "history-0.ndjson", tmp_path / "history.ndjson"
    one.write_bytes(encode_records(made_up(1, 1)) + b'{"done_us":\n' + encode_records(made_up(1, 4)))
    assert merge_histories([one], out) == ("history-0.ndjson, line 2: not a record, dropped",)
    assert len(list(read_history(out))) == 2


def test_the_harness_side_never_imports_locust() -> None:
    patches = "{'locust', 'gevent', 'geventhttpclient'}"
    code = f"import sys, loadtests.load.load_process; sys.exit(bool({patches} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
