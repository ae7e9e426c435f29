"""What became of one shopper, from the run's folder: the very losses that the judge names, and nobody else's."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtests.judging.explaining import explain
from loadtests.judging.judge import judge
from loadtests.model.history import Exchange, StoredOrder, encode_records, read_history
from loadtests.model.run_folder import RunFolder
from shared.errors import UsageError
from tests.loadtests.model_run import write_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return write_run(tmp_path_factory.mktemp("runs") / "20261121-000000-model-1")


def test_each_shopper_has_the_losses_that_the_judge_names(run: RunFolder) -> None:
    judged = judge(run.root).architectures
    assert judged["sticky-memory"].losses
    for shopper in range(1, 10):
        stories = explain(run.root, shopper)
        assert [story.architecture for story in stories] == ["sticky-memory", "redis"]
        for story in stories:
            assert (story.shopper, story.user) == (shopper, f"user-000{shopper}")
            assert story.losses == tuple(
                loss for loss in judged[story.architecture].losses if loss.shopper == shopper
            ), "orders of the database count, too: none is missing"
            ended = [session.cause for session in story.sessions if session.cause]
            assert ended == [loss.cause for loss in story.losses if loss.kind == "logged_out"]
            assert story.sessions[0].opened_ms > 0


def test_an_order_that_the_database_lacks_is_told_to_whom_it_was_acknowledged(tmp_path: Path) -> None:
    run = write_run(tmp_path / "20261121-000000-model-3")
    records = list(read_history(run.history))
    promised = {record.order: record.shopper for record in records if isinstance(record, Exchange) and record.order}
    gone = next(record for record in records if isinstance(record, StoredOrder) and record.order in promised)
    run.history.write_bytes(encode_records(record for record in records if record is not gone))
    (story,) = explain(run.root, promised[gone.order], (gone.architecture,))
    judged = judge(run.root).architectures[gone.architecture].losses
    assert [loss.shopper for loss in judged if loss.kind == "order_lost"] == [story.shopper]
    assert [loss.kind for loss in story.losses].count("order_lost") == 1


def test_of_the_architectures_that_are_named(run: RunFolder) -> None:
    assert [story.architecture for story in explain(run.root, 1, ("redis",))] == ["redis"]
    with pytest.raises(UsageError) as refused:
        explain(run.root, 1, ("redis", "rediss"))
    assert str(refused.value).startswith("'rediss' is no architecture of this run")


@pytest.mark.parametrize("shopper", [0, 10])
def test_who_never_was_there(run: RunFolder, shopper: int) -> None:
    with pytest.raises(UsageError, match=f"there is no shopper {shopper} in model"):
        explain(run.root, shopper)


def test_an_architecture_of_which_nothing_was_asked_has_no_sessions(run: RunFolder, tmp_path: Path) -> None:
    """The run was cut off before its first shopper came: its cluster was ready."""
    cut = write_run(tmp_path / "20261121-000000-model-2")
    lines = cut.history.read_bytes().splitlines(keepends=True)
    cut.history.write_bytes(b"".join(line for line in lines if b'"sticky-memory"' in line))
    sticky, redis = explain(cut.root, 1)
    assert sticky.sessions
    assert (redis.sessions, redis.losses) == ((), ())
    events = cut.events.read_bytes().splitlines(keepends=True)
    cut.events.write_bytes(b"".join(line for line in events if b'"sticky-memory"' in line))
    assert [story.architecture for story in explain(cut.root, 1)] == ["sticky-memory"], "never begun"
