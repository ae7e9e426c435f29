"""What a client of the dashboard knows from its events."""

from __future__ import annotations

import msgspec

from loadtests.workshop.contract import (
    Frame,
    LiveCounts,
    LiveFault,
    LossView,
    NodeView,
    Picture,
    Round,
    RoundSide,
    ShopperView,
    SideFrame,
    Workshop,
)
from loadtests.workshop.rehearsal.dashboard_client import DashboardView, events

_json = msgspec.json.encode
NODES = ("n1", "n2", "n3")


def workshop(**changes: object) -> Workshop:
    sides = tuple(RoundSide(name, "redis", False, "http://x", NODES, NODES, ()) for name in ("left", "right"))
    now = Round(1, "run", "kill-one-of-three", sides=sides, shoppers=2)
    return Workshop(1, 1, True, msgspec.structs.replace(now, **changes), ())


def seen(*told: object, first_id: int = 7) -> DashboardView:
    client = DashboardView()
    for number, document in enumerate(told, first_id):
        client.add(type(document).__name__.lower(), _json(document), number)
    return client


def test_the_four_numbers_and_the_dots() -> None:
    shopping = ShopperView(1, "n1", "shopping", False)
    left = SideFrame(
        shoppers=(shopping, ShopperView(2, "n2", "outside", False)), counts=LiveCounts(logged_out=1, failed=2)
    )
    values = seen(workshop(), Frame(1, left, SideFrame())).values()
    assert (values["left.logged_out"], values["left.failed"], values["left.shopping"]) == (1, 2, 1)
    assert (values["right.shopping"], values["U"], values["N"]) == (0, 2, 3)


def test_what_a_frame_does_not_say_stays() -> None:
    dead = SideFrame(
        nodes=(NodeView("n1", "dead", 0, "kill"), NodeView("n2", "up", 1)), counts=LiveCounts(logged_out=1)
    )
    loss = LossView(0, "logged_out", 1, 10, "node_killed")
    values = seen(workshop(), Frame(1, dead, dead), Frame(2, SideFrame(losses=(loss,)), SideFrame())).values()
    assert (values["left.dead"], values["left.logged_out"], values["left.losses"], values["right.losses"]) == (
        1,
        1,
        1,
        0,
    )


def test_a_picture_begins_anew() -> None:
    loss = LossView(0, "logged_out", 1, 10, "node_killed")
    told = seen(workshop(), Frame(1, SideFrame(losses=(loss,)), SideFrame()),
                Picture(1, 2, SideFrame(losses=(loss, loss)), SideFrame()))  # fmt: skip
    assert told.values()["left.losses"] == 2


def test_a_new_round_knows_nothing_of_the_one_before() -> None:
    told = seen(workshop(), Frame(1, SideFrame(counts=LiveCounts(logged_out=9)), SideFrame()), workshop(number=2))
    assert told.values()["left.logged_out"] == 0
    assert told.names_of_round == []


def test_faults_are_broken_until_they_are_seen_to_be_healed() -> None:
    fault = LiveFault(0, ("left",), "kill", "n1")
    values = seen(workshop(broken=(fault,))).values()
    assert (values["left.broken"], values["right.broken"]) == (1, 0)


def test_a_round_has_ended_when_nobody_shops_any_more() -> None:
    assert seen(workshop()).values()["left.ended"] == 0
    assert seen(workshop(phase="explain")).values()["left.ended"] == 1


def test_a_gap_in_the_ids_is_noticed() -> None:
    told = seen(workshop(), Frame(1, SideFrame(), SideFrame()))
    told.add("covered", b"{}", 10)
    assert told.gaps == [(8, 10)]
    told.add("picture", _json(Picture(1, 2, SideFrame(), SideFrame())), 40)
    told.add("frame", _json(Frame(3, SideFrame(), SideFrame())), 41)
    assert told.gaps == [(8, 10)]


def test_events_are_read_whole_however_they_are_cut() -> None:
    stream = b': hello\n\nid: 4\nevent: frame\ndata: {"a": 1}\n\nevent: covered\ndata: {}\n\nid: 9\nevent: fra'
    for size in range(1, len(stream) + 1):
        pieces = (stream[start : start + size] for start in range(0, len(stream), size))
        assert list(events(pieces)) == [("frame", b'{"a": 1}', 4), ("covered", b"{}", None)]
