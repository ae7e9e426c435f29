"""Whom a fault hit, by the balancer's log: the second source, beside what the victim said of itself."""

from msgspec.structs import replace

from compose.balancers.access_log import AccessLine
from compose.cluster import Limits
from compose.interface import ShopperInterface
from loadtests.model.application import interface_of
from loadtests.model.fault_timeline import FaultTimeline
from loadtests.model.history import ENDS_SESSION, NOT_ASKED, Exchange, shopper_of
from loadtests.session_model.timeline import RunTimeline
from shared.demo_accounts import account_name

SERVED_WITHIN_US = 1_000_000
"""How long before it takes effect an answer counts as being served by the victim."""


class _Hit:
    """One fault until it hit, and whom it reached."""

    def __init__(self, fault: FaultTimeline, epoch_us: int, limits: Limits, interface: ShopperInterface | None) -> None:
        assert fault.injected_us is not None
        first_us, last_us = _effect(fault)
        self.fault = fault
        self.begun_us = epoch_us + fault.injected_us
        self.at_us = epoch_us + first_us
        due_us = fault.planned_us if first_us == fault.injected_us else fault.planned_heal_us
        self.asked_us = epoch_us + min(first_us, first_us if due_us is None else due_us)
        """From when on the victim may have been asked whom it holds: not before the blow was due."""
        self.seen_us = epoch_us + last_us
        """When it was seen to be hit: its own answers until then came before the blow, also those after `at_us`."""
        self.over_us = self.seen_us if fault.takes_memory else epoch_us + fault.over_us
        """Until then the fault could reach somebody: one that takes memory does so once."""
        self.last_us = max(self.over_us, self.seen_us, self.at_us)
        """What was asked later tells nothing of it."""
        self.served: set[int] = set()
        self.reached: set[int] = set()
        self.last_node: dict[int, str] = {}
        self.logged_in: set[int] = set()
        self.written_us: dict[int, tuple[int, int]] = {}
        """Between which two moments a session was last written: while that request was under way."""
        self._lifetime_us = limits.session_lifetime_s * 1_000_000
        self._refreshes = limits.session_refresh_each_request
        self._calls = interface.calls if interface else {}
        """What is a login and what a logout, of an application of which the run's files tell it."""

    def add(self, shopper: int, line: AccessLine) -> None:
        """Count one request."""
        done_us = line.at_us + (line.took_us or 0)
        if self._reaches(line, done_us):
            self.reached.add(shopper)
        by_victim = line.answered_by == self.fault.victim
        if not line.answered_by or done_us > (self.seen_us if by_victim else self.at_us):
            return
        self.last_node[shopper] = line.answered_by
        if by_victim and done_us >= self.begun_us - SERVED_WITHIN_US:
            self.served.add(shopper)
        self._follow(shopper, line, done_us)

    def _reaches(self, line: AccessLine, done_us: int) -> bool:
        """A node by answering, or by being asked in vain; any other part by whatever anybody asks meanwhile.

        Of a node and of the balancer the second before counts too: then whoever it served had to do with it.
        """
        victim, on_node = self.fault.victim, self.fault.on_node
        before_us = SERVED_WITHIN_US if on_node or victim == "balancer" else 0
        met = line.at_us <= self.over_us and done_us >= self.begun_us - before_us
        return met and (not on_node or victim in (line.answered_by, line.node))

    def _follow(self, shopper: int, line: AccessLine, done_us: int) -> None:
        """Who is logged in, and when their session was last written, as far as the answers tell."""
        # Before all else: whoever is told to log in is not held anywhere.
        if line.status == 401:
            self.logged_in.discard(shopper)
            return
        if (line.method not in (None, "GET") or self._refreshes) and line.status is not None and line.status < 400:
            self.written_us[shopper] = line.at_us, done_us
        if line.status != 200 or not self._calls:
            return
        asked = f"{line.method} {line.path}"
        if asked == self._calls["login"].send:
            self.logged_in.add(shopper)
        elif asked.startswith(self._calls["logout"].send):
            self.logged_in.discard(shopper)

    def held(self) -> set[str]:
        """Users who were logged in, not longer than a session lives, and whose last answer came from the victim.

        Whose time was over between the victim's being asked and the blow, or may have been, is for the victim to say.
        """
        by_victim = self.fault.at_risk or ()
        found = set()
        for shopper in self.logged_in:
            if self.last_node.get(shopper) == self.fault.victim:
                surely_us, perhaps_us = map(self._end_us, self.written_us[shopper])
                user = account_name(shopper)
                if surely_us > self.at_us or (perhaps_us > self.asked_us and user in by_victim):
                    found.add(user)
        return found

    def _end_us(self, written_us: int) -> int:
        # A session's end is noted in whole seconds, from the beginning of the one in which it was written.
        return written_us // 1_000_000 * 1_000_000 + self._lifetime_us


class AffectedUsers:
    """`add` the lines of the access log, in the order in which requests were done."""

    def __init__(self, run: RunTimeline) -> None:
        epoch_us = run.epoch_us
        self._is_guests = run.is_guests
        injected = [fault for fault in run.faults if fault.injected_us is not None]
        interface = interface_of(run.application)
        self._hits = [] if epoch_us is None else [_Hit(fault, epoch_us, run.limits, interface) for fault in injected]
        leads_home = all(balancing.affinity for _, balancing in run.told_to_balance)
        self._tells_home = run.store == "memory" and run.affinity == "cookie" and leads_home and run.can.lists_sessions

    def add(self, *lines: AccessLine) -> None:
        """Count some requests: once all faults are over, the rest tells nothing of them."""
        last_us = max((hit.last_us for hit in self._hits), default=-1)
        for line in lines:
            request = line.id or ""
            if line.at_us <= last_us and not self._is_guests(request) and (shopper := shopper_of(request)):
                for hit in self._hits:
                    hit.add(shopper, line)

    def served_by_victim(self) -> int:
        """Shoppers whom a node that was struck had answered within the second before."""
        return len(set().union(*(hit.served for hit in self._hits if hit.fault.on_node)))

    def reached(self, fault: int) -> int:
        """Shoppers who had to do with what that fault struck, from a second before until it was over."""
        return sum(len(hit.reached) for hit in self._hits if hit.fault.fault == fault)

    def at_risk(self) -> set[str] | None:
        """Users whose session a victim must have held; None without a fault, or if the balancer cannot know."""
        takers = [hit for hit in self._hits if hit.fault.takes_memory]
        # Only a cookie to a node's own memory makes the last answer tell where a session lives.
        if not takers or not self._tells_home:
            return None
        return set().union(*(hit.held() for hit in takers))


BY_LOG = "the balancer's log: whoever was logged in and had been answered by it last"


class HeldByLog:
    """Whom a fault put at risk where the victim cannot be asked: `add` the history, whose nodes the balancer named."""

    def __init__(self, run: RunTimeline) -> None:
        self._run = run
        takers = [fault for fault in run.faults if fault.takes_memory and fault.injected_us is not None]
        self._last_node: dict[FaultTimeline, dict[int, str]] = {fault: {} for fault in takers}
        """By fault, whose session was where when it was hit; whoever is logged out is nowhere."""

    def add(self, *exchanges: Exchange) -> None:
        """What comes next, in order of answers."""
        for fault, last_node in self._last_node.items():
            first_us, last_us = _effect(fault)
            for exchange in exchanges:
                if exchange.done_us > (last_us if exchange.node == fault.victim else first_us):
                    continue
                if exchange.jar == "main" and exchange.do not in NOT_ASKED:
                    _follow(exchange, last_node)

    def at_risk(self, fault: FaultTimeline) -> tuple[str, ...] | None:
        """Users whose session the victim held; None if the last answer does not tell where a session lives."""
        lives, can = self._run.description, self._run.can
        if lives is None or lives.store == "unknown" or fault not in self._last_node:
            return None
        if not lives.in_nodes:
            return ()
        if can.lists_sessions or not can.behind_our_balancer or (lives.store, lives.affinity) != ("memory", "cookie"):
            return None
        held = (shopper for shopper, node in self._last_node[fault].items() if node == fault.victim)
        return tuple(sorted(map(account_name, held)))

    def faults(self) -> tuple[FaultTimeline, ...]:
        """All of them, with whom they put at risk."""
        found = []
        for fault in self._run.faults:
            users = self.at_risk(fault)
            found.append(replace(fault, at_risk=users, at_risk_source="" if users is None else BY_LOG))
        return tuple(found)


def _follow(exchange: Exchange, last_node: dict[int, str]) -> None:
    ended = exchange.as_stranger or (exchange.do in ENDS_SESSION and exchange.outcome == "ok")
    # A login that is refused ends nothing: a session that was there before it is there still.
    if ended and exchange.do != "login":
        last_node.pop(exchange.shopper, None)
    elif exchange.node and (exchange.shopper in last_node or (exchange.do == "login" and exchange.outcome == "ok")):
        last_node[exchange.shopper] = exchange.node


def _effect(fault: FaultTimeline) -> tuple[int, int]:
    assert fault.injected_us is not None
    # Never observed: then the run is inconclusive anyway, and this is only for the table.
    return fault.takes_effect_us or (fault.injected_us, fault.injected_us)
