"""How often one may be wrong about the join code: so often a minute from one address, and so often in all.

Who is over the limit is refused even with the right code, or they could go on guessing. In all: because addresses are
cheap. A room of people who mistype stays far below both.
"""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable

from loadtests.workshop.dashboard.refusals import Refusal

WITHIN_S = 60.0
MOST_OF_ONE = 10
MOST_OF_ALL = 60
MOST_ADDRESSES = 256
"""That are remembered; beyond it the oldest is forgotten, and still counts in all."""


class Guesses:
    """Wrong guesses of the last minute."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._all: deque[float] = deque(maxlen=MOST_OF_ALL)
        self._by_address: OrderedDict[str, deque[float]] = OrderedDict()

    def check(self, address: str) -> None:
        """Let them guess.

        Raises:
            Refusal: too many were wrong of late.
        """
        of_one = self._by_address.get(address, deque())
        for wrong, most in ((of_one, MOST_OF_ONE), (self._all, MOST_OF_ALL)):
            wait = _wait_s(wrong, most, self._clock_s())
            if wait > 0:
                raise Refusal(
                    429, "too many wrong guesses", why="somebody may be trying all of them",
                    next_step=f"wait {int(wait) + 1} s, then read it again from the instructor's screen",
                    retry_after=int(wait) + 1,
                )  # fmt: skip

    def wrong(self, address: str) -> None:
        """It was a wrong one."""
        now = self._clock_s()
        self._all.append(now)
        self._by_address.setdefault(address, deque(maxlen=MOST_OF_ONE)).append(now)
        self._by_address.move_to_end(address)
        while len(self._by_address) > MOST_ADDRESSES:
            self._by_address.popitem(last=False)


def _wait_s(wrong: deque[float], most: int, now: float) -> float:
    """Until one more may be made."""
    return wrong[0] + WITHIN_S - now if len(wrong) >= most else 0.0
