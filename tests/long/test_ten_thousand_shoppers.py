"""The budget of one load process: 10,000 live shoppers within 400 MB."""

from __future__ import annotations

import resource
import time
from pathlib import Path

import psutil
import pytest

from compose.supervision.ledger import Ledger
from loadtests.load.load_process import start_load
from loadtests.load.worker_config import WorkerConfig
from loadtests.model.plan import encode_plan
from loadtests.model.scenario import Load, Scenario
from loadtests.planning.make_plan import make_plan
from tests.loadtests.standins import RUN, standin_shop

SHOPPERS = 10_000
BUDGET_MB = 400


@pytest.mark.long
@pytest.mark.skipif(
    resource.getrlimit(resource.RLIMIT_NOFILE)[1] < SHOPPERS + 1000, reason="the system allows too few open files"
)
def test_ten_thousand_shoppers_fit(tmp_path: Path, own_state: Path) -> None:
    shape = Load(shoppers=SHOPPERS, seconds=25, think_ms=15_000, login_within_ms=15_000)
    plan = make_plan(Scenario("Why?", "test", shape), seed=1)
    path = tmp_path / "plan.json"
    path.write_bytes(encode_plan(plan))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 32_768), hard))  # for the shop, which inherits it
    ledger = Ledger.open(own_state, RUN)
    peak_mb = 0.0
    try:
        with standin_shop() as shop:
            load = start_load(ledger, WorkerConfig(path, "redis", RUN, f"{RUN}a", folder=tmp_path), plan, shop.url)
            try:
                process = psutil.Process(load.pids()[0])
                began = False
                while not load.finished():
                    if not began and load.ready():
                        load.go(time.monotonic_ns() + 200_000_000)
                        began = True
                    peak_mb = max(peak_mb, _rss_mb(process))
                    time.sleep(0.1)
            finally:
                load.kill()
    finally:
        ledger.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert load.exit_codes() == (0,), load.problem()
    told = load.progress()
    assert told.ok > 0.99 * (told.sent + told.not_sent)  # the stand-in shop has one core for 10,000 audits in a second
    assert 100 < peak_mb <= BUDGET_MB


def _rss_mb(process: psutil.Process) -> float:
    try:
        return float(process.memory_info().rss) / 1e6
    except psutil.NoSuchProcess:
        return 0.0
