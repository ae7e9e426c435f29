"""How a node gets into a cluster that does not know it yet: it asks the nodes that it knows, until it has caught up."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

from shared.raft import TcpUtility, UtilityException
from shared.replica_transport import hang_up

ASK_AGAIN_S = 0.2
ANSWER_WITHIN_S = 1.0


class Joining:
    """Asks to be let in, in a thread that ends by itself. A node that is in already is told no, which does no harm."""

    def __init__(self, address: str, peers: Sequence[str], password: str, done: Callable[[], bool]) -> None:
        self._address, self._peers, self._done = address, peers, done
        self._password = password
        self.asked = 0
        """How many times it has asked."""
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="replicated-state-joining", daemon=True)
        if peers:
            self._thread.start()

    def close(self) -> None:
        """Stop asking."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        asking = TcpUtility(password=self._password, timeout=ANSWER_WITHIN_S)
        while True:
            for peer in self._peers:
                if self._closing.is_set() or self._done():
                    return
                with suppress(UtilityException):  # it is not up yet, or has no leader, or takes us for somebody else
                    asking.executeCommand(peer, ["add", self._address])
                hang_up(asking)
                self.asked += 1
            self._closing.wait(ASK_AGAIN_S)
