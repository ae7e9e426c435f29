"""One small real run of all four architectures, made once; every test looks at it from another side."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from loadtests.model.history import Exchange, read_history
from loadtests.model.plan import read_plan
from tests.left_behind import processes_of
from tests.loadtests.command import SMALL_KILL, twinshop
from tests.loadtests.test_second_opinion import asked, each_script

pytestmark = pytest.mark.cluster

SCHEMA = Path(__file__).parents[2] / "docs" / "reference" / "results.schema.json"


class Run(msgspec.Struct, frozen=True):
    home: Path
    folder: Path
    done: subprocess.CompletedProcess[str]
    results: dict[str, Any]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    home = tmp_path_factory.mktemp("run")
    (home / "small-kill.toml").write_text(SMALL_KILL)
    done = twinshop(home, "run", "small-kill.toml", "--seed", "3", "--json", timeout=150)
    assert done.returncode in (0, 1, 3), done.stderr
    return Run(home, (home / "runs" / "latest").resolve(), done, json.loads(done.stdout))


def test_it_comes_out_as_predicted(run: Run) -> None:
    assert run.done.returncode == 0, run.done.stderr + json.dumps(
        {name: a["reasons"] for name, a in run.results["architectures"].items()}, indent=1
    )
    assert run.results["verdict"] == "as predicted"


def test_stdout_is_the_document_and_nothing_else(run: Run) -> None:
    assert run.done.stdout == (run.folder / "results.json").read_text()
    jsonschema.validate(run.results, json.loads(SCHEMA.read_text()))


def test_sticky_memory_loses_exactly_whom_the_victim_held(run: Run) -> None:
    sticky = run.results["architectures"]["sticky-memory"]
    assert sticky["at_risk"] > 0
    assert sticky["logged_out"]["shoppers"] == sticky["at_risk"]
    assert sticky["reconciliation"]["at_risk_by_balancer"] == sticky["at_risk"]
    assert sticky["logged_out_before_fault"] == 0


def test_round_robin_forgets_most_before_the_kill_and_nearly_everybody_in_the_end(run: Run) -> None:
    result = run.results["architectures"]["roundrobin-memory"]
    assert result["logged_out_before_fault"] >= 0.5 * 24
    assert result["logged_out"]["shoppers"] >= 0.9 * 24


@pytest.mark.parametrize("name", ["signed-token", "redis"])
def test_stateless_shops_forget_nobody(run: Run, name: str) -> None:
    result = run.results["architectures"][name]
    assert result["logged_out"] == {"shoppers": 0, "events": 0, "more_than_once": 0}
    assert result["served_by_victim"] > 0
    assert result["facts_checked"] > 100


def test_the_books_balance_and_the_logs_agree(run: Run) -> None:
    plan = read_plan(run.folder / "plan.json")
    planned = sum(len(shopper.actions) for shopper in plan.shoppers)
    for result in run.results["architectures"].values():
        actions, users = result["actions"], result["users"]
        assert result["books_balance"]
        assert actions["planned"] == planned
        assert planned == sum(actions[outcome] for outcome in ("ok", "failed", "unknown", "not_sent"))
        assert users["shoppers"] == users["kept"] + users["logged_out"] + users["never_logged_in"] == 24
        assert result["reconciliation"]["mismatch_count"] == 0


def test_every_planned_action_is_in_the_history_once(run: Run) -> None:
    plan = read_plan(run.folder / "plan.json")
    steps = Counter(
        (record.architecture, record.shopper, record.step)
        for record in read_history(run.folder / "history.ndjson")
        if isinstance(record, Exchange) and record.why == "plan"
    )
    expected = {
        (name, shopper.shopper, step)
        for name in run.results["architectures"]
        for shopper in plan.shoppers
        for step in range(len(shopper.actions))
    }
    assert set(steps) == expected
    assert set(steps.values()) == {1}


def test_every_loss_has_a_cause_and_a_witness(run: Run) -> None:
    losses = [loss for result in run.results["architectures"].values() for loss in result["losses"]]
    assert losses
    assert all(loss["witness"] for loss in losses)
    sticky = run.results["architectures"]["sticky-memory"]["losses"]
    assert {loss["cause"] for loss in sticky if loss["kind"] == "logged_out"} == {"node_killed"}


@each_script
def test_the_second_opinion_agrees(run: Run, script: Path) -> None:
    done = asked(run.folder, script)
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_can_be_judged_and_written_again_to_the_same_bytes(run: Run, tmp_path: Path) -> None:
    copy = tmp_path / run.folder.name
    shutil.copytree(run.folder, copy)
    before = {name: (copy / name).read_bytes() for name in ("results.json", "report.html")}
    for name in before:
        (copy / name).unlink()
    done = twinshop(tmp_path, "report", str(copy))
    assert done.returncode == 0, done.stderr
    assert {name: (copy / name).read_bytes() for name in before} == before


def test_the_report_needs_no_network(run: Run) -> None:
    page = (run.folder / "report.html").read_text()
    assert len(page) < 500_000
    assert not re.search(r'\bsrc=|<link|href="https?:|fetch\(|XMLHttpRequest|\bimport\(', page)
    assert "url(http" not in page


def test_no_secret_is_left_in_the_folder(run: Run) -> None:
    for path in run.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            for secret in (b"SECRET_KEY", b"CONTROL_TOKEN", b"TWINSHOP_PASSWORD", b'"password":', b"session="):
                assert secret not in content, (path, secret)
    assert not list(run.folder.rglob("cluster.json"))


def test_nothing_is_running_any_more(run: Run) -> None:
    assert processes_of(run.home / "state") == {}
    assert list((run.home / "state" / "ledger").glob("*")) == []
