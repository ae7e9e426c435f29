"""Where a dashboard listens, and who may come in."""

from __future__ import annotations

import socket

import pytest

from loadtests.workshop.contract import SIDES
from loadtests.workshop.listen_addresses import (
    LETTERS,
    ROOM_PORTS,
    ListenAddress,
    is_loopback,
    listen_address,
    own_name,
    room_address,
)
from shared.errors import EnvironmentNotReady, PortTaken, UsageError


@pytest.mark.parametrize(
    ("host", "only_this_machine"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False),
     ("192.0.2.7", False), ("::", False), ("classroom", False)],
)  # fmt: skip
def test_a_code_is_asked_for_unless_only_this_machine_can_ask(host: str, only_this_machine: bool) -> None:
    assert is_loopback(host) is only_this_machine
    assert (listen_address(host, 20_000).join_code == "") is only_this_machine


def test_a_room_gets_three_ports_in_a_row_that_one_can_type() -> None:
    listen = listen_address("0.0.0.0")
    assert listen.port in ROOM_PORTS
    assert listen.shop_ports == (listen.port + 1, listen.port + 2)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what was there before may still linger
        other.bind(("0.0.0.0", listen.port + 2))
        other.listen()
        assert listen_address("0.0.0.0").port > listen.port
    with pytest.raises(UsageError):
        listen_address("0.0.0.0", 65_534)


def test_the_shops_are_reached_by_the_dashboards_names() -> None:
    left, right = (listen_address("0.0.0.0", 9000).shop(side) for side in SIDES)
    assert (left.host, left.port, right.port) == ("0.0.0.0", 9001, 9002)
    assert (left.title, right.title) == ("left shop", "right shop")
    assert "127.0.0.1" in left.names


def test_a_room_finds_an_address_that_others_can_reach() -> None:
    assert not is_loopback(room_address())


def test_codes_can_be_read_from_a_wall_and_differ() -> None:
    codes = {listen_address("0.0.0.0", 0).join_code for _ in range(50)}
    assert len(codes) == 50
    assert {len(code) for code in codes} == {6}
    assert not set("".join(codes)) & set("ilo01")
    assert len(set(LETTERS)) == len(LETTERS)


def test_this_machine_calls_it_by_its_own_name() -> None:
    assert own_name(listen_address("127.0.0.1", 0).host) == "127.0.0.1"
    everywhere = listen_address("0.0.0.0", 0)
    assert own_name(everywhere.host) == "127.0.0.1"
    assert everywhere.room_name in everywhere.allowed_hosts
    assert ListenAddress("192.0.2.7").allowed_hosts == ("127.0.0.1", "localhost", "[::1]", "192.0.2.7")
    assert "attacker.example" not in everywhere.allowed_hosts


def test_a_port_that_is_taken_is_named() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=str(port)) as raised:
            listen_address("127.0.0.1", port).check()
    assert "choose another port" in raised.value.next_step


def accepts_a_free_port() -> bool:
    # Held by a socket that does not listen, so that nobody else on this machine can be given it meanwhile. Asked for as
    # one that shares, it could be given a port on which somebody who shares, too, is about to listen.
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listen_address("127.0.0.1", held.getsockname()[1]).check()
        except PortTaken:
            return False
        return True


def test_a_free_port_is_accepted() -> None:
    # Beside other tests a first one was once taken all the same, by whom is not known.
    assert any(accepts_a_free_port() for _ in range(5))


def test_an_address_that_is_not_ours() -> None:
    with pytest.raises(EnvironmentNotReady) as raised:
        listen_address("192.0.2.7", 0).check()
    assert "0.0.0.0" in raised.value.next_step
