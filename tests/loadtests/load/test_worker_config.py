from __future__ import annotations

from pathlib import Path

import pytest

from loadtests.load.worker_config import WorkerConfig, worker_config_from
from shared.errors import UsageError


def test_what_is_told_is_what_is_heard(tmp_path: Path) -> None:
    told = WorkerConfig(tmp_path / "plan.json", "redis", "0123abcd", "0123abcda", "pass word", tmp_path, 1, 3, 7, 9)
    environment = told.environment()
    assert worker_config_from(environment) == told
    assert {"TWINSHOP_PLAN", "TWINSHOP_REQUEST_PREFIX", "TWINSHOP_LOAD_FOLDER", "TWINSHOP_WORKERS"} <= set(environment)


def test_nothing_told_means_free_shoppers() -> None:
    assert worker_config_from({"TWINSHOP_PASSWORD": "shop"}) == WorkerConfig()


def test_free_shoppers_without_a_password_are_told_what_to_set() -> None:
    with pytest.raises(UsageError, match="TWINSHOP_PASSWORD is not set") as caught:
        worker_config_from({})
    assert caught.value.next_step.startswith("TWINSHOP_PASSWORD=")


@pytest.mark.parametrize("workers", [1, 2, 3, 7])
def test_every_shopper_belongs_to_exactly_one_worker(workers: int) -> None:
    told = [WorkerConfig(worker=worker, workers=workers) for worker in range(workers)]
    assert all(sum(each.mine(shopper) for each in told) == 1 for shopper in range(1, 50))


def test_bad_values_are_named() -> None:
    with pytest.raises(UsageError, match="TWINSHOP_WORKERS is 'two'"):
        worker_config_from({"TWINSHOP_WORKERS": "two"})
    with pytest.raises(UsageError, match="TWINSHOP_WORKER is 2"):
        worker_config_from({"TWINSHOP_PASSWORD": "shop", "TWINSHOP_WORKER": "2", "TWINSHOP_WORKERS": "2"})
