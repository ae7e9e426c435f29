"""State that every node keeps: what each of them has, what a change needs, who may come and go, what is left behind."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from compose.supervision.ports import free_ports
from shared.errors import UsageError
from shared.replication import peers
from shared.replication.entries import EXPIRED_KEPT_S
from shared.replication.peers import without_what_is_there
from shared.replication.state import ReplicatedState, StateUnavailable
from tests.waiting import until

WITHIN_S = 60.0
Start = Callable[..., ReplicatedState]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts nodes, and stops them all in the end."""
    started: list[ReplicatedState] = []

    def start(address: str, peers: list[str], **changes: object) -> ReplicatedState:
        settings: dict[str, object] = {"password": "the password of the tests", "timeout_s": 10.0, **changes}
        started.append(ReplicatedState(address, peers, **settings))  # type: ignore[arg-type]
        return started[-1]

    yield start
    for state in started:
        die(state)


def die(state: ReplicatedState) -> None:
    """As if its process were killed: the others are not told, their connections break."""
    state._joining.close()
    state._closing.set()
    state._thread.join()
    state._at_exit.cancel()


def addresses(count: int) -> list[str]:
    return [f"127.0.0.1:{port}" for port in free_ports(count)]


def cluster(start: Start, count: int, **changes: object) -> dict[str, ReplicatedState]:
    every = addresses(count)
    states = {address: start(address, every, **changes) for address in every}
    assert until(lambda: all(state.ready() for state in states.values()), WITHIN_S), "no cluster came about"
    return states


def settle(states: dict[str, ReplicatedState]) -> None:
    """Until all of them know who leads, and everybody is connected with everybody."""
    whole = len(states)

    def settled() -> bool:
        standings = [state.standing for state in states.values()]
        leaders = {standing.leader for standing in standings}
        return len(leaders) == 1 and leaders <= set(states) and all(s.connected == whole - 1 for s in standings)

    assert until(settled, WITHIN_S), [state.standing for state in states.values()]


def leader_of(states: dict[str, ReplicatedState]) -> str:
    return next(address for address, state in states.items() if state.standing.leads)


def everywhere(states: dict[str, ReplicatedState], key: str, value: bytes | None) -> bool:
    return until(lambda: all(state.get(key) == value for state in states.values()), WITHIN_S)


# One alone


def test_one_alone_keeps_and_drops(start: Start) -> None:
    (state,) = cluster(start, 1).values()
    state.set("a", b"1", lifetime_s=60)
    state.set("b", b"2", lifetime_s=60)
    state.set("a", b"3", lifetime_s=60)
    assert (state.get("a"), state.get("b"), state.get("c")) == (b"3", b"2", None)
    assert state.items() == [("b", b"2"), ("a", b"3")]
    assert (state.delete("a"), state.delete("a")) == (True, False)
    assert (state.has("a"), state.has("b"), len(state)) == (False, True, 1)


def test_what_belongs_to_somebody_goes_at_once(start: Start) -> None:
    (state,) = cluster(start, 1).values()
    for number in range(6):
        state.set(f"k{number}", b"", lifetime_s=60, owner="ann" if number % 2 else "bob")
    assert state.delete_owned("ann") == 3
    assert [key for key, _ in state.items()] == ["k0", "k2", "k4"]
    assert state.delete_owned("ann") == 0


def test_a_value_ends_with_its_lifetime_by_the_clock_of_who_looks(start: Start) -> None:
    (state,) = cluster(start, 1).values()
    state.set("a", b"1", lifetime_s=60)
    state.ahead_s = 59
    assert state.get("a") == b"1"
    state.ahead_s = 61
    assert (state.get("a"), state.items()) == (None, [])
    state.ahead_s = 0
    assert state.get("a") == b"1", "a clock that was wrong for a while takes nothing away"


def test_what_is_long_over_is_swept(start: Start) -> None:
    (state,) = cluster(start, 1).values()
    state.set("a", b"1", lifetime_s=60)
    state.ahead_s = int(60 + EXPIRED_KEPT_S) + 2
    state.set("b", b"2", lifetime_s=60)
    assert len(state) == 1


def test_beyond_the_cap_the_longest_untouched_goes(start: Start) -> None:
    (state,) = cluster(start, 1, cap=3).values()
    for key in ("a", "b", "c", "a", "d"):
        state.set(key, b"", lifetime_s=60)
    assert [key for key, _ in state.items()] == ["c", "a", "d"]
    state.hold_at_most(1)
    assert [key for key, _ in state.items()] == ["d"]
    state.hold_at_most(3)
    state.set("e", b"", lifetime_s=60)
    assert [key for key, _ in state.items()] == ["d", "e"]


def test_nothing_is_left_of_it(start: Start) -> None:
    me = psutil.Process()
    (first,) = cluster(start, 1).values()
    first.close()
    before = (me.num_fds(), threading.active_count())
    for _ in range(3):
        (state,) = cluster(start, 1).values()
        state.set("a", b"1", lifetime_s=60)
        state.close()
        state.close()
    assert until(lambda: (me.num_fds(), threading.active_count()) <= before), (me.num_fds(), before)
    with pytest.raises(StateUnavailable):
        state.set("a", b"2", lifetime_s=60)


def test_a_port_that_is_taken_is_said_so(start: Start) -> None:
    (address,) = cluster(start, 1)
    with pytest.raises(UsageError, match=address):
        start(address, [])


def test_another_process_of_a_node_is_one_more(start: Start) -> None:
    first_address, second_address = addresses(2)
    every = [first_address, second_address]
    states = {address: start(address, every) for address in every}
    beside = start(first_address, every, other_port=True)
    assert beside.address not in every
    states[beside.address] = beside
    assert until(lambda: all(state.ready() for state in states.values()), WITHIN_S)
    settle(states)
    assert {state.standing.members for state in states.values()} == {3}
    beside.set("a", b"1", lifetime_s=60)
    assert everywhere(states, "a", b"1")


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.1:many", ":70000", "192.0.2.1:4711"])
def test_where_it_cannot_listen_is_said_so(start: Start, address: str) -> None:
    with pytest.raises(UsageError, match=address):
        start(address, [])


# Three


def test_every_node_has_what_one_was_told(start: Start) -> None:
    states = cluster(start, 3)
    for number, state in enumerate(states.values()):
        state.set(f"k{number}", b"v", lifetime_s=60, owner="ann")
        assert state.get(f"k{number}") == b"v", "who wrote it reads it at once"
        assert everywhere(states, f"k{number}", b"v")
    next(iter(states.values())).delete("k1")
    assert everywhere(states, "k1", None)
    list(states.values())[-1].delete_owned("ann")
    assert until(lambda: not any(state.items() for state in states.values()), WITHIN_S)


def test_many_writers_at_once_end_alike_everywhere(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    states = cluster(start, 3, timeout_s=30.0)
    failures: list[Exception] = []

    def write(state: ReplicatedState, writer: int) -> None:
        try:
            for number in range(40):
                state.set("shared", b"%d-%d" % (writer, number), lifetime_s=60)
                state.set(f"own-{writer}", b"%d" % number, lifetime_s=60)
                assert state.get(f"own-{writer}") == b"%d" % number
        except Exception as error:  # noqa: BLE001
            failures.append(error)

    every = list(states.values())
    threads = [threading.Thread(target=write, args=(every[number % 3], number)) for number in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert until(lambda: len({tuple(state.items()) for state in every}) == 1, WITHIN_S)
    assert len(every[0]) == 10
    assert [record.message for record in caplog.records if record.levelno >= logging.CRITICAL] == []


# Dying and coming back


def test_a_follower_dies_and_comes_back_knowing(start: Start) -> None:
    states = cluster(start, 3)
    settle(states)
    leader = states[leader_of(states)]
    victim = next(address for address, state in states.items() if state is not leader)
    leader.set("before", b"1", lifetime_s=60)
    die(states[victim])
    leader.set("while", b"2", lifetime_s=60)
    states[victim] = start(victim, list(states))
    with pytest.raises(StateUnavailable):
        states[victim].get("before")  # empty still: it cannot know
    assert until(states[victim].ready, WITHIN_S)
    assert (states[victim].get("before"), states[victim].get("while")) == (b"1", b"2")
    states[victim].set("after", b"3", lifetime_s=60)
    assert everywhere(states, "after", b"3")


def test_the_leader_dies_and_a_change_finds_the_next_one(start: Start) -> None:
    states = cluster(start, 3)
    settle(states)
    first = leader_of(states)
    states[first].set("before", b"1", lifetime_s=60)
    die(states.pop(first))
    one, other = states.values()
    one.set("after", b"2", lifetime_s=60)
    assert everywhere(states, "after", b"2")
    assert (one.get("before"), other.get("before")) == (b"1", b"1")
    assert until(one.reachable, WITHIN_S)
    assert one.standing.leader in states
    states[first] = start(first, [first, *states])
    assert until(states[first].ready, WITHIN_S)
    assert states[first].get("before") == b"1"


def test_two_of_three_die_and_come_back_empty_but_the_third_remembers(start: Start) -> None:
    states = cluster(start, 3)
    settle(states)
    every = list(states)
    for number in range(20):
        states[every[0]].set(f"k{number}", b"v", lifetime_s=60)
    assert until(lambda: all(len(state) == 20 for state in states.values()), WITHIN_S)
    for address in every[:2]:
        die(states[address])
    for address in every[:2]:
        states[address] = start(address, every)
    assert until(lambda: all(state.ready() for state in states.values()), WITHIN_S)
    assert [len(state) for state in states.values()] == [20, 20, 20]


def test_a_log_that_was_replaced_reaches_who_comes_back(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "COMPACT_AFTER", 10)
    states = cluster(start, 3)
    settle(states)
    leader = states[leader_of(states)]
    victim = next(address for address, state in states.items() if state is not leader)
    for number in range(50):
        leader.set(f"k{number % 45}", b"%d" % number, lifetime_s=60, owner="ann")
    assert until(lambda: leader._raft._getRaftLogSize() < 40, WITHIN_S), "the log was never replaced"
    die(states[victim])
    states[victim] = start(victim, list(states))
    assert until(states[victim].ready, WITHIN_S)
    assert states[victim].items() == leader.items()
    assert states[victim].delete_owned("ann") == 45


def test_without_a_majority_changes_fail_and_reading_goes_on(start: Start) -> None:
    settle(states := cluster(start, 3, timeout_s=0.5))
    survivor, *victims = states.values()
    assert until(lambda: _did(lambda: survivor.set("a", b"1", lifetime_s=60)), WITHIN_S)
    for victim in victims:
        die(victim)
    for change in (
        lambda: survivor.set("a", b"2", lifetime_s=60),
        lambda: survivor.delete("a"),
        lambda: survivor.delete_owned("ann"),
    ):
        with pytest.raises(StateUnavailable):
            change()
    assert survivor.get("a") == b"1"
    assert until(lambda: not survivor.reachable(), WITHIN_S)

    def at_once() -> bool:
        began = time.monotonic()
        with pytest.raises(StateUnavailable, match="no majority of nodes is connected"):
            survivor.set("a", b"3", lifetime_s=60)
        return time.monotonic() - began < 0.5

    assert until(at_once), "it waits for nodes that it knows to be away"
    assert survivor.ready()


def _did(change: Callable[[], object]) -> bool:
    try:
        change()
    except StateUnavailable:
        return False
    return True


# Coming new, leaving in order


def test_a_node_that_nobody_knew_is_let_in_and_knows_everything(start: Start) -> None:
    states = cluster(start, 3)
    next(iter(states.values())).set("a", b"1", lifetime_s=60)
    (new,) = addresses(1)
    states[new] = start(new, list(states))
    assert until(states[new].ready, WITHIN_S)
    assert states[new].get("a") == b"1"
    settle(states)
    assert {state.standing.members for state in states.values()} == {4}
    states[new].set("b", b"2", lifetime_s=60)
    assert everywhere(states, "b", b"2")


@pytest.mark.parametrize("leads", [True, False])
def test_who_leaves_in_order_is_not_counted_any_more(start: Start, leads: bool) -> None:
    states = cluster(start, 3)
    settle(states)
    leader = leader_of(states)
    leaving = leader if leads else next(address for address in states if address != leader)
    states[leaving].set("a", b"1", lifetime_s=60)
    states.pop(leaving).close()
    settle(states)
    assert {state.standing.members for state in states.values()} == {2}
    last, before_last = states
    states.pop(before_last).close()
    settle(states)
    assert states[last].standing.members == 1
    states[last].set("b", b"2", lifetime_s=60)
    assert (states[last].get("a"), states[last].get("b")) == (b"1", b"2")
    states[leaving] = start(leaving, [leaving, last])
    assert until(states[leaving].ready, WITHIN_S)
    assert states[leaving].get("a") == b"1"


def test_who_has_another_password_is_not_let_in(start: Start) -> None:
    states = cluster(start, 1)
    (address,) = states
    (stranger,) = addresses(1)
    outside = start(stranger, [address], password="a guess")
    assert until(lambda: outside._joining.asked >= 2, WITHIN_S)
    assert not outside.ready()
    assert states[address].standing.members == 1


# What a leader sends again


ENTRIES = [("c", 5, 2), ("d", 6, 2), ("e", 7, 2)]


def message(**changes: object) -> dict[str, object]:
    return {
        "type": "append_entries",
        "term": 2,
        "commit_index": 4,
        "prevLogIdx": 4,
        "prevLogTerm": 2,
        "entries": ENTRIES,
        **changes,
    }


def test_what_is_there_already_is_not_put_there_again() -> None:
    trimmed = without_what_is_there(message(), (6, 2))
    assert trimmed == message(prevLogIdx=6, prevLogTerm=2, entries=ENTRIES[2:])
    assert without_what_is_there(message(), (9, 2)) == message(prevLogIdx=9, prevLogTerm=2, entries=[])


@pytest.mark.parametrize(
    ("sent", "last"),
    [
        (message(), (4, 2)),  # all of it is new
        (message(term=3), (6, 2)),  # another leader: what we have may not be its own
        (message(), (6, 1)),
        (message(prevLogIdx=None, prevLogTerm=None), (6, 2)),
        (message(transmission="start"), (6, 2)),
        ({"type": "append_entries", "term": 2, "serialized": (b"", True, True)}, (6, 2)),
        ({"type": "request_vote", "term": 2}, (6, 2)),
    ],
)
def test_everything_else_comes_as_it_was_sent(sent: dict[str, object], last: tuple[int, int]) -> None:
    assert without_what_is_there(sent, last) is sent
