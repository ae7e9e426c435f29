"""Seats: few, shared out by address, kept over a restart, and given away when nobody uses them."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtests.workshop.contract import Participant
from loadtests.workshop.dashboard.refusals import Refusal
from loadtests.workshop.dashboard.seats import IDLE_S, Seats, nickname
from tests.loadtests.workshop.dashboard.room import Room, get


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def seats(clock: Clock, file: Path, *, most: int = 3) -> Seats:
    return Seats(file, of_one_address=2, most=most, clock_s=clock)


def test_each_has_an_account_and_a_name(clock: Clock, tmp_path: Path) -> None:
    room = seats(clock, tmp_path / "seats.json")
    ann, ben = room.take("a", "Ann"), room.take("b", "")
    assert (ann.number, ben.number) == (1, 2)
    assert room.all() == (Participant("guest-01", "Ann"), Participant("guest-02", "Guest 2"))
    assert room.of(ann.who) == ann
    assert room.of("somebody") is None
    assert room.changed


def test_one_address_has_only_some(clock: Clock, tmp_path: Path) -> None:
    room = seats(clock, tmp_path / "seats.json")
    for _ in range(2):
        room.take("a", "")
    with pytest.raises(Refusal, match="no seat") as refused:
        room.take("a", "")
    assert refused.value.status == 429
    assert room.take("b", "").number == 3
    others = (seats(clock, tmp_path / f"{number}.json", most=60) for number in range(5))
    assert [other.take("127.0.0.1", "").number for other in others] == [1] * 5


def test_whose_seat_is_unused_loses_it_to_who_wants_one(clock: Clock, tmp_path: Path) -> None:
    room = seats(clock, tmp_path / "seats.json")
    first, second = room.take("a", "first"), room.take("b", "second")
    room.take("c", "third")
    with pytest.raises(Refusal):
        room.take("d", "")
    clock.now_s += IDLE_S
    assert room.of(first.who) is not None, "seen again, they keep it"
    room.watching = lambda who: who == second.who
    assert room.take("d", "fourth").number == 3, "nor does one lose it who watches"
    assert [one.name for one in room.all()] == ["first", "second", "fourth"]


def test_they_outlive_a_restart(clock: Clock, tmp_path: Path) -> None:
    file = tmp_path / "participants.json"
    ann = seats(clock, file).take("a", "Ann")
    again = seats(clock, file)
    assert again.of(ann.who) == ann
    assert again.take("b", "").number == 2
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("Ann", "Ann"),
        ("  An\n\tn \u202eevil", "Ann evil"),
        ("<b>Ann</b>", "<b>Ann</b>"),
        ("x" * 99, "x" * 20),
        ("\u200b\u0000", ""),
    ],
)
def test_a_name_is_one_short_line_of_text(typed: str, shown: str) -> None:
    assert nickname(typed) == shown


def test_cookies_of_earlier_rounds_shops_are_taken_back(room: Room) -> None:
    """A browser sends them to the dashboard, too, and after a day of rounds they would be too many."""
    room.goes_to("open", episode="", run="1a2b3c4d")
    client = room.somebody()
    for name in ("twinshop-redis-1a2b3c4d", "twinshop-redis-99999999", "twinshop-node-sticky-memory-99999999"):
        client.set_cookie(name, "x", domain="127.0.0.1")
    get(client, "/")
    assert client.get_cookie("twinshop-redis-1a2b3c4d", domain="127.0.0.1") is not None
    assert client.get_cookie("twinshop-redis-99999999", domain="127.0.0.1") is None
    assert client.get_cookie("twinshop-node-sticky-memory-99999999", domain="127.0.0.1") is None
    assert get(client, "/api/me").json["user"] == "guest-01"
