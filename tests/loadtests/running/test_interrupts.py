from __future__ import annotations

import os
import signal

import pytest

from loadtests.running.interrupts import interrupts_raise
from shared.errors import Interrupted


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_raises_and_the_later_ones_wait(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    cleaned = False

    def interrupted_work() -> None:
        nonlocal cleaned
        with interrupts_raise():
            try:
                os.kill(os.getpid(), number)
            finally:
                os.kill(os.getpid(), number)
                os.kill(os.getpid(), signal.SIGINT)
                cleaned = True

    with pytest.raises(Interrupted, match=number.name):
        interrupted_work()
    assert cleaned
    assert signal.getsignal(number) is before
