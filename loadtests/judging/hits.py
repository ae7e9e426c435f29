"""Whom a fault hit, by the balancer's log: the second source, beside what the victim said of itself."""

from __future__ import annotations

from compose.access_log import AccessLine
from loadtests.judging.scene import Scene, Strike
from shared.demo_accounts import account_name

SERVED_WITHIN_US = 1_000_000
"""How long before the blow an answer counts as being served by the victim."""


def shopper_of_request(request: str) -> int:
    """The shopper in a request id `<prefix>-<shopper>-<n>`; 0 if there is none."""
    parts = request.rsplit("-", 2)
    return int(parts[1]) if len(parts) == 3 and parts[1].isdecimal() else 0


class _Hit:
    """One fault's victim until it was hit."""

    def __init__(self, strike: Strike, at_us: int, seen_us: int) -> None:
        self.victim = strike.victim
        self.at_us = at_us
        self.seen_us = seen_us
        """When it was seen to be hit: its own answers until then came before the blow, also those after `at_us`."""
        self.served: set[int] = set()
        self.last_node: dict[int, str] = {}
        self.logged_in: set[int] = set()

    def add(self, shopper: int, line: AccessLine) -> None:
        """Count one answer, if it came before the blow."""
        done_us = line.at_us + max(0, line.took_us)
        if done_us > (self.seen_us if line.answered_by == self.victim else self.at_us):
            return
        self.last_node[shopper] = line.answered_by
        if line.answered_by == self.victim and done_us >= self.at_us - SERVED_WITHIN_US:
            self.served.add(shopper)
        if line.method == "POST" and line.status == 200:
            if line.path == "/login":
                self.logged_in.add(shopper)
            elif line.path == "/logout":
                self.logged_in.discard(shopper)

    def held(self) -> set[int]:
        """Shoppers who were logged in and whose last answer came from the victim."""
        return {shopper for shopper in self.logged_in if self.last_node.get(shopper) == self.victim}


class Hits:
    """`add` the lines of the access log, in the order in which requests were done."""

    def __init__(self, scene: Scene) -> None:
        self._hits = [
            _Hit(
                strike, scene.epoch_us + strike.injected_us, scene.epoch_us + (strike.observed_us or strike.injected_us)
            )
            for strike in scene.strikes
            if strike.injected_us is not None and scene.epoch_us is not None
        ]
        self._tells_home = scene.store == "memory" and scene.affinity == "cookie"

    def add(self, line: AccessLine) -> None:
        """Count one request."""
        if not self._hits or not line.answered_by:
            return
        shopper = shopper_of_request(line.id)
        if shopper:
            for hit in self._hits:
                hit.add(shopper, line)

    def served_by_victim(self) -> int:
        """Shoppers whom a victim had answered within the second before it was hit."""
        return len(set().union(*(hit.served for hit in self._hits)))

    def at_risk(self) -> set[str] | None:
        """Users whose session a victim must have held; None without a fault, or if the balancer cannot know."""
        if not self._hits or not self._tells_home:
            return None
        return {account_name(shopper) for hit in self._hits for shopper in hit.held()}
