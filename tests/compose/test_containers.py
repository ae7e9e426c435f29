from __future__ import annotations

import socket
from pathlib import Path

import pytest
import requests
from docker.errors import APIError, DockerException

from compose import containers
from compose.containers import asking, connect, engine_address
from shared.errors import EnvironmentNotReady, PortTaken


def refusal(words: str, status: int = 500) -> APIError:
    response = requests.Response()
    response.status_code = status
    return APIError("refused", response=response, explanation=words)


def test_docker_host_says_where_the_engine_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///somewhere")
    assert engine_address() == "unix:///somewhere"


def test_without_it_the_current_context_does(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    assert engine_address() in ("", "unix:///var/run/docker.sock", "http+unix:///var/run/docker.sock")

    def broken() -> object:
        raise ValueError("a file of Docker's own is damaged")

    monkeypatch.setattr("docker.ContextAPI.get_current_context", broken)
    assert engine_address() == ""


def test_no_socket_means_no_engine(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentNotReady, match="does not answer") as raised:
        connect(f"unix://{tmp_path}/none.sock")
    assert "none.sock" in raised.value.why
    assert "systemctl start docker" in raised.value.next_step


def test_a_socket_without_anybody_behind(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "dead.sock"))
    with pytest.raises(EnvironmentNotReady) as raised:
        connect(f"unix://{tmp_path}/dead.sock")
    assert raised.value.why.endswith("connection refused")


@pytest.mark.parametrize("address", ["ssh://somebody@example.org", "tcp://192.0.2.7:2375"])
def test_an_engine_of_another_machine_is_refused(address: str) -> None:
    with pytest.raises(EnvironmentNotReady, match="another machine") as raised:
        connect(address)
    assert raised.value.next_step


def test_a_door_that_is_closed_to_us() -> None:
    wrapped = DockerException("Error while fetching server API version")
    wrapped.__cause__ = PermissionError(13, "Permission denied")
    with pytest.raises(EnvironmentNotReady, match="does not let us in") as raised, asking("list"):
        raise wrapped
    assert "usermod" in raised.value.next_step


def test_the_reason_is_found_however_deep_it_lies() -> None:
    with pytest.raises(EnvironmentNotReady) as raised, asking("list"):
        raise requests.ConnectionError(requests.ConnectionError("Connection aborted.", FileNotFoundError(2, "no")))
    assert "not installed, or it is not running" in raised.value.why


@pytest.mark.parametrize(
    ("words", "kind", "said"),
    [
        ("Bind for 127.0.0.1:80 failed: port is already allocated", PortTaken, "taken"),
        ("listen tcp4 127.0.0.1:80: bind: address already in use", PortTaken, "taken"),
        ("write /var/lib/docker/x: no space left on device", EnvironmentNotReady, "disk is full"),
        ("something else", EnvironmentNotReady, "refused to start n1"),
    ],
)
def test_refusals_are_told_apart(words: str, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said) as raised, asking("start n1"):
        raise refusal(words)
    assert isinstance(raised.value, EnvironmentNotReady)
    assert raised.value.why == words
    assert raised.value.next_step


def test_who_runs_in_containers(monkeypatch: pytest.MonkeyPatch) -> None:
    class Engine:
        def __init__(self, *options: str) -> None:
            self._options = options

        def info(self) -> dict[str, object]:
            return {"SecurityOptions": list(self._options)}

    monkeypatch.setattr(containers.os, "getuid", lambda: 1000)
    monkeypatch.setattr(containers.os, "getgid", lambda: 100)
    assert containers.container_user(Engine("name=seccomp")) == "1000:100"  # type: ignore[arg-type]
    assert containers.container_user(Engine("name=rootless")) == "0:0"  # type: ignore[arg-type]
    monkeypatch.setattr(containers.os, "getuid", lambda: 0)
    assert containers.container_user(Engine()) == containers.IMAGE_USER  # type: ignore[arg-type]
