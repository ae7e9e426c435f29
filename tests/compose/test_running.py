from __future__ import annotations

import sys
from pathlib import Path

import pytest

from compose.applications.contract import NodeSetup
from compose.cluster import NodeChanges
from compose.engines.contract import Cluster
from compose.engines.processes import ProcessesEngine
from compose.running import attach, choose_run, end_cluster, folder_of, keep_cluster, kept_runs, new_run_id
from compose.supervision.ledger import Ledger, recover
from compose.supervision.process_table import living_of_run
from shared.errors import NotReadyInTime, UsageError
from tests.compose.contract import new_spec
from tests.compose.engine_tests import whose_nodes_are


def say_nothing(_cluster: Cluster) -> None:
    pass


def test_run_ids_are_new() -> None:
    assert len({new_run_id() for _ in range(100)}) == 100


def test_there_is_no_cluster_at_first(own_state: Path) -> None:
    assert kept_runs(own_state) == []
    with pytest.raises(UsageError, match="no cluster is running"):
        choose_run(own_state, None)


def test_a_run_that_is_not_kept_is_not_to_be_found(own_state: Path) -> None:
    with Ledger.open(own_state, "mine"):
        assert kept_runs(own_state) == []
        with pytest.raises(UsageError):
            attach(own_state, "mine")


@pytest.mark.cluster
def test_of_several_one_must_be_named(own_state: Path) -> None:
    specs = [new_spec("signed-token", nodes=1), new_spec(nodes=1)]
    for spec in specs:
        keep_cluster(own_state, ProcessesEngine(), spec, say_nothing)
    first, second = (spec.run for spec in specs)
    try:
        attach(own_state, first).kill("n1")  # what happens to one does not choose it
        with pytest.raises(UsageError, match="which one is meant") as asked:
            choose_run(own_state, None)
        assert first in asked.value.why
        assert second in asked.value.why
        assert kept_runs(own_state) == [first, second]
        assert choose_run(own_state, first) == first
        assert attach(own_state, first).spec == specs[0]
        with pytest.raises(UsageError, match="no cluster nonsense"):
            choose_run(own_state, "nonsense")
        assert recover(own_state).runs == ()
    finally:
        for run in (first, second):
            end_cluster(own_state, run)
    assert kept_runs(own_state) == []
    assert not folder_of(own_state, first).exists()


@pytest.mark.cluster
def test_one_whose_file_is_damaged_is_ended_all_the_same(own_state: Path) -> None:
    spec = new_spec("signed-token", nodes=1)
    keep_cluster(own_state, ProcessesEngine(), spec, say_nothing)
    attached = attach(own_state, spec.run)
    (folder_of(own_state, spec.run) / "work" / "cluster.json").write_text("{")
    with pytest.raises(UsageError):
        attach(own_state, spec.run)
    assert len(end_cluster(own_state, spec.run).processes) >= 2
    assert living_of_run(spec.run) == set()
    with pytest.raises(UsageError, match="no cluster runs"):
        attached.change("n1", NodeChanges())  # by whoever has not heard that it was ended
    assert not folder_of(own_state, spec.run).exists()


@pytest.mark.cluster
def test_one_that_fails_to_start_leaves_the_log_of_why(own_state: Path) -> None:
    def no_shop(_setup: NodeSetup) -> list[str]:
        return [sys.executable, "-c", "exit('no shop today')"]

    spec = new_spec()
    with pytest.raises(NotReadyInTime) as raised:
        keep_cluster(own_state, whose_nodes_are(no_shop), spec, say_nothing)
    assert raised.value.log is not None
    assert "no shop today" in raised.value.log.read_text()
    assert str(raised.value.log) in str(raised.value)
    assert not folder_of(own_state, spec.run).exists()
    assert kept_runs(own_state) == []


@pytest.mark.cluster
def test_one_that_cannot_be_announced_is_not_kept(own_state: Path) -> None:
    def closed_pipe(_cluster: Cluster) -> None:
        raise BrokenPipeError

    spec = new_spec(nodes=1)
    with pytest.raises(BrokenPipeError):
        keep_cluster(own_state, ProcessesEngine(), spec, closed_pipe)
    assert living_of_run(spec.run) == set()
    assert kept_runs(own_state) == []
