"""`twinshop explain RUN SHOPPER`: a shopper's session life and each loss, for people and for machines."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from loadtests.cli import main

BUNDLES = Path(__file__).parents[2] / "golden" / "runs"


@pytest.fixture(scope="module")
def short_lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in which one node of three was killed, and lifetimes ended."""
    copied: Path = shutil.copy(BUNDLES / "kill-and-short-lifetime.zip", tmp_path_factory.mktemp("runs"))
    return copied


def told(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    assert main(["explain", *map(str, words)]) == 0
    return capsys.readouterr().out


def test_it_tells_each_session_and_each_loss(short_lived: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = told(capsys, short_lived, 1)
    assert out.startswith("shopper 1 (user-0001) in sticky-memory\n  session 1: opened by the login at ")
    assert "in the memory of n" in out
    assert "answered as to a stranger: expired" in out
    assert "without the end of its lifetime at " in out


def test_each_loss_of_the_results_is_explained_the_same(short_lived: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(short_lived), "--json"]) in (0, 1, 3)
    results = json.loads(capsys.readouterr().out)
    losses = results["architectures"]["sticky-memory"]["losses"]
    found = []
    for shopper in range(1, results["shoppers"] + 1):
        (story,) = json.loads(told(capsys, short_lived, shopper, "--json"))
        found += story["losses"]
        lost = [loss for loss in story["losses"] if loss["kind"] == "logged_out"]
        ended = [session for session in story["sessions"] if session.get("cause")]
        assert [one["cause"] for one in ended] == [loss["cause"] for loss in lost]
        assert [one["counterfactual"] for one in ended] == [loss["counterfactual"] for loss in lost]
    assert sorted(found, key=str) == sorted(losses, key=str)


def test_one_architecture_of_several(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = BUNDLES / "denylist-lost.zip"
    stories = json.loads(told(capsys, bundle, 3, "--architecture", "token-denylist", "--json"))
    assert [story["architecture"] for story in stories] == ["token-denylist"]
    (story,) = stories
    assert story["sessions"][0]["ended"] == "the shopper logged out"
    assert story["losses"][0]["cause"] == "denylist_lost"
    assert len(json.loads(told(capsys, bundle, 3, "--json"))) > 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("0",), "there is no shopper 0"),
        (("11",), "its shoppers are 1 to 10"),
        (("1", "--architecture", "redis"), "'redis' is no architecture of this run"),
        (("somebody",), "'SHOPPER': expected a whole number, not 'somebody'"),
    ],
)
def test_what_is_not_there_is_a_usage_error(
    short_lived: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    assert main(["explain", str(short_lived), *words]) == 2
    assert said in capsys.readouterr().err


def test_a_run_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(tmp_path / "nothing"), "1"]) == 2
    assert "there is no run" in capsys.readouterr().err
