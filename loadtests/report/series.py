"""What happened to one architecture: gathered record by record; grows with shoppers and seconds, not with records."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import groupby
from typing import Literal

from loadtests.faults.words import in_words, what_was_done
from loadtests.model import events as happened
from loadtests.model.fault_timeline import FaultTimeline
from loadtests.model.history import NOT_ASKED, Do, Exchange
from loadtests.model.plan import PlannedFault
from loadtests.session_model.causes import IN_NODES
from loadtests.session_model.timeline import run_timeline

Fate = Literal["ok", "failed", "unknown", "not_sent", "stranger", "refused"]
"""What became of an action: its outcome; or `stranger`: the shop answered, but did not know the shopper (401); or
`refused`: the same to somebody with other cookies than the shopper's own, which takes nothing from anybody."""
BESIDE: frozenset[Do] = NOT_ASKED | {"watch", "page"}
"""A stream that is open beside everything else, and what is not asked of the shop: neither makes nor ends trouble."""
MOST_TOLD_BACK = 3
"""With more faults than these, charts say when each struck, and only draw when it was over."""


def what_is_marked(fault: FaultTimeline, *, short: bool = False) -> list[tuple[int, str]]:
    """What the key says of a fault that was injected, and when (us); `short`: only what was done."""
    seen = "" if fault.observed_us is not None else " (not seen)"
    done = what_was_done(fault.kind, fault.victim)
    words = [(fault.start_us, done + seen)]
    if short or fault.stays:
        return words
    if fault.observed_healed_us is not None:
        words.append((fault.observed_healed_us, f"{in_words(fault.victim)} back"))
    elif fault.healed_us is not None:
        words.append((fault.healed_us, f"{in_words(fault.victim)} healed (not seen)"))
    return words


class Shopper:
    """What one shopper's row needs."""

    __slots__ = ("home", "home_fixed", "logins_us", "not_ok", "trouble", "trouble_since_us")

    def __init__(self) -> None:
        self.home = ""
        """Who answered last before the first fault; without a fault, who answered last."""
        self.home_fixed = False
        self.logins_us: list[int] = []
        """When each login was acknowledged."""
        self.trouble: list[tuple[int, int]] = []
        """From the first action that was not ok to the next answer that was."""
        self.trouble_since_us: int | None = None
        self.not_ok = 0
        """Planned actions that were not ok."""

    def saw(self, exchange: Exchange, fate: Fate, fault_us: int | None) -> None:
        """Take in one exchange."""
        # What was never sent was missed when it was due.
        at_us = exchange.sent_us if exchange.sent_us >= 0 else exchange.planned_us
        if exchange.node:
            self.answered(exchange.node, after_fault=fault_us is not None and exchange.done_us >= fault_us)
        if exchange.do == "login" and fate == "ok":
            self.logins_us.append(exchange.done_us)
        if exchange.do in BESIDE:
            self.not_ok += exchange.why == "plan" and fate != "ok"
            return
        if fate == "ok":
            if self.trouble_since_us is not None:
                self.trouble.append((self.trouble_since_us, exchange.done_us))
                self.trouble_since_us = None
            return
        if exchange.why == "plan":
            self.not_ok += 1
        # A stranger's answer is a logout, which has a sign of its own: to be drawn as an outage, too, would hide it.
        if self.trouble_since_us is None and fate != "stranger":
            self.trouble_since_us = at_us

    def answered(self, node: str, *, after_fault: bool) -> None:
        """That node has answered."""
        if after_fault:
            self.home_fixed = bool(self.home)  # whom nobody had served before is at home where the first answer is from
        if not self.home_fixed:
            self.home = node

    def close(self, end_us: int) -> None:
        """The history is over: trouble that never ended lasts to the end."""
        if self.trouble_since_us is not None:
            self.trouble.append((self.trouble_since_us, max(end_us, self.trouble_since_us)))
            self.trouble_since_us = None


class Story:
    """What happened to one architecture."""

    def __init__(self, name: str, events: Iterable[happened.Event] = (), planned: Sequence[PlannedFault] = ()) -> None:
        events = tuple(events)
        self.name = name
        self.run = run_timeline(name, events, planned)
        self.ready = next((event for event in reversed(events) if isinstance(event, happened.ClusterReady)), None)
        self.samples = [event for event in events if isinstance(event, happened.NodeSample)]
        self.used = [event for event in events if isinstance(event, happened.PartSample)]
        self.ended = [event for event in events if isinstance(event, happened.LoadEnded)]
        self.stopped = next((event for event in reversed(events) if isinstance(event, happened.ClusterStopped)), None)
        # No lambda: another process may do the hearing, and a story goes there and back as a pickle.
        self.due: dict[int, dict[Fate, int]] = defaultdict(partial(defaultdict, int))
        """Planned actions by bucket of the planned time, and by what came of them."""
        self.answers: dict[str, dict[int, int]] = defaultdict(partial(defaultdict, int))
        """Answers by node and bucket of the time they came."""
        self.cookie_bytes: dict[int, int] = defaultdict(int)
        """Of Cookie headers that were sent, by bucket of the time the answer came."""
        self.body_bytes: dict[int, int] = defaultdict(int)
        """Of answers, by bucket of the time they came."""
        self.shoppers: dict[int, Shopper] = defaultdict(Shopper)
        self.end_us = 0
        """When the last answer came."""

    @property
    def faults(self) -> tuple[FaultTimeline, ...]:
        """Those that were injected, in order."""
        return tuple(fault for fault in self.run.faults if fault.injected_us is not None)

    @property
    def css(self) -> str:
        """The class of its colour."""
        return "" if self.ready is None else self.ready.description.app.removesuffix("_app")

    @property
    def sessions_in_nodes(self) -> bool:
        """Whether its nodes hold sessions in their memory."""
        return self.ready is not None and self.ready.description.store in IN_NODES

    @property
    def sticky(self) -> bool:
        """Whether its balancer leads a shopper to the same node again."""
        return self.ready is not None and self.ready.description.affinity in ("cookie", "hash", "address")

    def node_names(self) -> list[str]:
        """All nodes, in order."""
        known = set(self.answers) | set(self.ready.nodes if self.ready else ())
        return sorted(known, key=lambda name: (len(name), name))  # n10 after n9

    def saw(self, exchanges: Iterable[Exchange], fault_us: int | None, bucket_us: int) -> None:
        """Take in what comes next."""
        # In order of time, so that most of a piece of the history falls into one bucket.
        for bucket, some in groupby(exchanges, lambda exchange: exchange.done_us // bucket_us):
            alike = list(some)
            self._count(bucket, alike)
            for exchange in alike:
                # As `_fate` would say, of which nearly none need be asked.
                fate = _fate(exchange) if exchange.stranger or exchange.status == 401 else exchange.outcome
                if exchange.why == "plan":
                    self.due[exchange.planned_us // bucket_us][fate] += 1
                if exchange.jar == "main":
                    self._follow(exchange, fate, fault_us)

    def _count(self, bucket: int, alike: Sequence[Exchange]) -> None:
        """Answers and bytes of that bucket."""
        self.end_us = max(self.end_us, *(exchange.done_us for exchange in alike))
        for node, many in Counter([exchange.node for exchange in alike if exchange.node]).items():
            self.answers[node][bucket] += many
        if sent := [exchange for exchange in alike if exchange.request]:
            self.cookie_bytes[bucket] += sum([exchange.cookie_bytes for exchange in sent])
            self.body_bytes[bucket] += sum([exchange.body_bytes for exchange in sent])

    def _follow(self, exchange: Exchange, fate: Fate, fault_us: int | None) -> None:
        """The shopper's row. What went well says no more than where the shopper is at home, if that is not known."""
        shopper = self.shoppers[exchange.shopper]
        if exchange.outcome != "ok" or exchange.do == "login" or shopper.trouble_since_us is not None:
            shopper.saw(exchange, fate, fault_us)
        elif not shopper.home_fixed and exchange.node:
            shopper.answered(exchange.node, after_fault=fault_us is not None and exchange.done_us >= fault_us)


def _fate(exchange: Exchange) -> Fate:
    if exchange.as_stranger and exchange.do != "login":
        return "stranger" if exchange.jar == "main" else "refused"
    return exchange.outcome
