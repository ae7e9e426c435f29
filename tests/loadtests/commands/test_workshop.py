"""`twinshop goto`: it finds the workshop that runs, and says why it does not come to where it was sent."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from loadtests.cli import main
from loadtests.commands import workshop as module
from loadtests.workshop.contract import Begin, Command, CommandReply, Round
from loadtests.workshop.control import ControlAddress, ControlServer
from loadtests.workshop.dashboard_assignment import write_for_owner
from loadtests.workshop.host import address_file
from loadtests.workshop.runner import StateFile

EPISODE = "kill-one-of-three"


@contextmanager
def workshop(state: Path, handle: Callable[[StateFile, Command], CommandReply]) -> Iterator[StateFile]:
    """One that does what it is told, without a shop."""
    path = address_file(state)
    path.parent.mkdir(parents=True)
    board = StateFile(path.parent, predict=True, episodes=(EPISODE,))
    board.begin(Round(3, "open"))
    with tempfile.TemporaryDirectory() as folder:
        server = ControlServer(Path(folder) / "control", "key", lambda command: handle(board, command))
        write_for_owner(path, ControlAddress(server.address, "key", str(board.path)))
        try:
            yield board
        finally:
            server.close()


def test_it_waits_until_the_round_is_at_its_start(own_state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    heard: list[Command] = []

    def handle(board: StateFile, command: Command) -> CommandReply:
        heard.append(command)
        board.begin(Round(4, "predict", EPISODE))
        return CommandReply(True)

    with workshop(own_state, handle):
        assert main(["goto", "2"]) == 0
    assert heard == [Begin(EPISODE)]
    assert capsys.readouterr().out == f"{EPISODE}: round 4 is in 'predict'\n"


def test_a_round_that_could_not_be_started(own_state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def handle(board: StateFile, command: Command) -> CommandReply:
        board.begin(Round(4, "failed", EPISODE, why="n1 did not become ready"))
        return CommandReply(True)

    with workshop(own_state, handle):
        assert main(["goto", EPISODE]) == 4
    assert "n1 did not become ready" in capsys.readouterr().err


def test_it_does_not_wait_for_ever(
    own_state: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GOTO_WITHIN_S", 0.1)
    with workshop(own_state, lambda _state_file, _command: CommandReply(True)):
        assert main(["goto", "2"]) == 4
    assert "round 3 is in 'open'" in capsys.readouterr().err


def test_a_workshop_that_refuses(own_state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with workshop(
        own_state, lambda _state_file, _command: CommandReply(False, "the workshop is over", "twinshop workshop")
    ):
        assert main(["goto", "2"]) == 2
    assert "the workshop is over" in capsys.readouterr().err


def test_without_a_workshop(own_state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["goto", "2"]) == 2
    said = capsys.readouterr().err
    assert "no workshop is running" in said
    assert "twinshop workshop --episode 2" in said


def test_one_that_has_died(own_state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with workshop(own_state, lambda _state_file, _command: CommandReply(True)):
        pass
    assert main(["goto", "2"]) == 4
    assert "twinshop recover" in capsys.readouterr().err


def test_an_episode_that_there_is_not(own_state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["goto", "ninety-nine"]) == 2
    assert "no episode 'ninety-nine'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--balancer", "envoy", "--balancer", "caddy", "--balancer", "nginx"), "two shops, not 3"),
        (("--balancer", "envoy", "--balancer", "envoy"), "not sticky-memory twice"),
        (("--architecture", "redis"), "not redis twice"),
        (("--architecture", "redis", "--architecture", "signed-token", "--balancer", "envoy", "--balancer", "caddy"),
         "cannot be compared at once"),
        (("--balancer", "caddy", "--balancer", "envoy", "--engine", "docker"), "no image of Caddy"),
    ],
)  # fmt: skip
def test_two_shops_that_cannot_be_shown(words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["workshop", *words]) == 2
    assert said in capsys.readouterr().err
