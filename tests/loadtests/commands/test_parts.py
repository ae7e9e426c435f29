"""What a user can do to the parts of a running cluster."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from loadtests.cli import main
from tests.compose.engine_tests import LONG_S, looks_within

pytestmark = pytest.mark.cluster

Call = Callable[..., str]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Iterator[Call]:
    def call(*words: str) -> str:
        code = main(list(words))
        captured = capsys.readouterr()
        assert (code, captured.err) == (0, ""), words
        return captured.out

    call("up", "--architecture", "redis", "--nodes", "2")
    yield call
    call("down", "--all")


def test_a_store_a_node_and_a_balancer_are_struck_and_mended(call: Call) -> None:
    assert "store of" in (out := call("kill", "store"))
    assert "is dead" in out
    assert "sessions in its memory" not in out
    assert "was dead already" in call("kill", "store")
    assert "serves" in call("start", "store")

    with looks_within(LONG_S):
        assert "n1 of" in (out := call("stop", "n1"))
        assert "is stopped; it held 0 logged-in sessions" in out
        assert "out of rotation" in out
        assert "serves" in call("start", "n1")

    assert "is frozen" in call("freeze", "n2")
    assert "serves" in call("thaw", "n2")


def test_a_cluster_grows_and_shrinks(call: Call) -> None:
    assert "n3 of" in call("scale-out")
    names = [node["name"] for node in json.loads(call("status", "--json"))["clusters"][0]["nodes"]]
    assert names == ["n1", "n2", "n3"]
    assert "n3 of" in (out := call("scale-in", "n3"))
    assert "is out" in out
    assert not json.loads(call("status", "--json"))["clusters"][0]["nodes"][2]["process"]


def test_only_nodes_can_be_taken_out(call: Call, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scale-in", "store"]) == 2
    assert "there is no node 'store'" in capsys.readouterr().err
    assert main(["freeze", "n9"]) == 2
    assert "there is no part 'n9'" in capsys.readouterr().err
