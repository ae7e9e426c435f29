from __future__ import annotations

import socket
from pathlib import Path

import pytest

from compose.supervision import ports
from compose.supervision.ports import answers, free_ports, port_of, preflight
from shared.errors import EnvironmentNotReady, PortTaken


def test_free_ports_are_different_free_and_not_lent_to_others() -> None:
    found = free_ports(20)
    assert len(set(found)) == 20
    assert not any(answers(port) for port in found)
    lent = Path("/proc/sys/net/ipv4/ip_local_port_range")
    if lent.exists():
        assert max(found) < int(lent.read_text().split()[0])


def test_a_port_in_use_is_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    (port,) = free_ports(1)
    with socket.create_server(("127.0.0.1", port)):
        monkeypatch.setattr(ports, "_LOWEST", port)
        monkeypatch.setattr(ports, "_highest", lambda: port + 1)
        with pytest.raises(EnvironmentNotReady, match="cannot find 1 free port"):
            free_ports(1)


def test_preflight_refuses_a_port_that_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(PortTaken, match=f"port {port}, meant for the balancer, is taken"):
            preflight(port, "balancer")
    with socket.socket() as held:  # so that nobody else listens there meanwhile
        held.bind(("127.0.0.1", 0))
        preflight(held.getsockname()[1], "balancer")


def test_preflight_sees_a_server_that_would_share_its_port() -> None:
    with socket.socket() as shared:
        shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        shared.bind(("127.0.0.1", 0))
        shared.listen()
        with pytest.raises(PortTaken):
            preflight(shared.getsockname()[1], "balancer")


def test_a_port_is_read_from_a_url() -> None:
    assert port_of("http://127.0.0.1:8101") == 8101
