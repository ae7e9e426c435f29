"""Locks by session: one inside at a time, nobody waits for ever, and nothing is kept of who has left."""

from __future__ import annotations

import gc
import threading

import pytest

from shared.sessions import CartBusy, SessionLocks


def test_one_at_a_time() -> None:
    locks, inside, most = SessionLocks(), [0], [0]

    def work() -> None:
        for _ in range(50):
            with locks.alone("s"):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert most == [1]


def test_nobody_waits_for_ever_and_others_do_not_wait() -> None:
    locks = SessionLocks(wait_s=0.05)
    told: list[str] = []

    def try_both() -> None:
        with locks.alone("other"):
            told.append("other")
        with pytest.raises(CartBusy, match=r"0\.05 s"), locks.alone("s"):
            told.append("s")

    with locks.alone("s"):
        thread = threading.Thread(target=try_both)
        thread.start()
        thread.join(20)
    assert told == ["other"]
    with locks.alone("s"):
        told.append("s")
    assert told == ["other", "s"]


def test_an_error_inside_lets_others_in_and_nothing_is_kept() -> None:
    locks = SessionLocks(wait_s=0.05)
    for number in range(100):
        with pytest.raises(ZeroDivisionError), locks.alone(f"s{number}"):
            raise ZeroDivisionError
    with locks.alone("s1"):
        assert len(locks) == 1
    gc.collect()
    assert len(locks) == 0
