"""What happened to one architecture: gathered record by record; grows with shoppers and seconds, not with records."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from typing import Literal

import msgspec
import numpy as np

from loadtests.faults import FAULTS
from loadtests.faults.words import in_words, what_was_done
from loadtests.model import events as happened
from loadtests.model.batch import Batch, Kind, Numbers, is_planned, node_of
from loadtests.model.history import NOT_ASKED, Do, Exchange
from loadtests.session_model.causes import IN_NODES
from loadtests.session_model.timeline import NEVER_US, scene_of

Fate = Literal["ok", "failed", "unknown", "not_sent", "stranger", "refused"]
"""What became of an action: its outcome; or `stranger`: the shop answered, but did not know the shopper (401); or
`refused`: the same to somebody with other cookies than the shopper's own, which takes nothing from anybody."""
BESIDE: frozenset[Do] = NOT_ASKED | {"watch"}
"""A stream that is open beside everything else, and what is not asked of the shop: neither makes nor ends trouble."""
STRANGER = 401
MOST_LETTERS = 36
"""A label on a chart with more of them would be wider than a phone: then the fault's kind has to do."""
MOST_TOLD_BACK = 3
"""With more faults than these, charts say when each struck, and only draw when it was over."""


class FaultBand(msgspec.Struct, frozen=True):
    """One fault of one architecture: when it was injected, observed, healed, observed healed. None: it never was."""

    fault: int
    kind: str
    victim: str
    injected_us: int
    observed_us: int | None
    healed_us: int | None
    observed_healed_us: int | None

    @property
    def done(self) -> str:
        """What was done, in words: "n2 killed"."""
        return what_was_done(self.kind, self.victim)

    @property
    def stays(self) -> bool:
        """Healing undoes nothing: it is never over."""
        return self.kind in FAULTS and FAULTS[self.kind].stays

    def end_us(self, otherwise: int) -> int:
        """When it was over: observed healed, or else healed, or else never."""
        for at_us in () if self.stays else (self.observed_healed_us, self.healed_us):
            if at_us is not None:
                return at_us
        return otherwise

    def moments(self, *, short: bool = False) -> list[tuple[int, str]]:
        """What a chart writes beside it; `short`: only what was done."""
        seen = "" if self.observed_us is not None else " (not seen)"
        done = self.done if len(self.done) <= MOST_LETTERS else self.kind
        words = [(self.injected_us, done + seen)]
        if short or self.stays:
            return words
        if self.observed_healed_us is not None:
            words.append((self.observed_healed_us, f"{in_words(self.victim)} back"))
        elif self.healed_us is not None:
            words.append((self.healed_us, f"{in_words(self.victim)} healed (not seen)"))
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
        if self.trouble_since_us is None and fate != "stranger":
            self.trouble_since_us = at_us

    def answered(self, node: str, *, after_fault: bool) -> None:
        """That node has answered."""
        if after_fault:
            self.home_fixed = bool(self.home)
        if not self.home_fixed:
            self.home = node

    def close(self, end_us: int) -> None:
        """The history is over: trouble that never ended lasts to the end."""
        if self.trouble_since_us is not None:
            self.trouble.append((self.trouble_since_us, max(end_us, self.trouble_since_us)))
            self.trouble_since_us = None


class Story:
    """What happened to one architecture."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.ready: happened.ClusterReady | None = None
        self.faults: list[happened.FaultEvent] = []
        self.at_risk: list[happened.AtRisk] = []
        self.samples: list[happened.NodeSample] = []
        self.used: list[happened.PartSample] = []
        self.cpu_percent: list[float] = []
        self.ended: list[happened.LoadEnded] = []
        self.stopped: happened.ClusterStopped | None = None
        self.interrupted: str | None = None
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
    def bands(self) -> tuple[FaultBand, ...]:
        """The faults that were injected, in order."""
        return tuple(
            FaultBand(
                strike.fault,
                strike.kind,
                strike.victim,
                strike.injected_us,
                strike.observed_us,
                strike.healed_us,
                strike.observed_healed_us,
            )
            for strike in scene_of(self.name, self.faults).strikes
            if strike.injected_us is not None
        )

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

    @property
    def nothing_there(self) -> tuple[str, ...]:
        """Why some faults found nothing to strike here."""
        return tuple("; ".join(event.evidence) for event in self.faults if event.phase == "nothing_there")

    def node_names(self) -> list[str]:
        """All nodes, in order."""
        known = set(self.answers) | set(self.ready.nodes if self.ready else ())
        return sorted(known, key=lambda name: (len(name), name))

    def saw(self, batch: Batch, fault_us: int | None, bucket_us: int) -> None:
        """Take in what comes next."""
        if len(batch):
            self.end_us = max(self.end_us, int(batch.done_us.max()))
            self._count(batch, bucket_us)
            self._place(batch, bucket_us)
            self._follow(batch, fault_us)

    def _count(self, batch: Batch, bucket_us: int) -> None:
        """Answers and bytes, by bucket."""
        buckets, sent = batch.done_us // bucket_us, batch.asked
        for node, answered in batch.apart(node_of):
            if node:
                for bucket, count in zip(*_counted(buckets[answered]), strict=True):
                    self.answers[node][bucket] += count
        for sums, sizes in ((self.cookie_bytes, batch.cookie_bytes), (self.body_bytes, batch.body_bytes)):
            for bucket, count in zip(*_summed(buckets[sent], sizes[sent]), strict=True):
                sums[bucket] += count

    def _place(self, batch: Batch, bucket_us: int) -> None:
        """Planned actions, by the buckets in which they were due."""
        planned, fine = batch.where(is_planned), batch.where(_went_well)
        for bucket, count in zip(*_counted(batch.planned_us[planned & fine] // bucket_us), strict=True):
            self.due[bucket]["ok"] += count
        for each in batch.pick(planned & ~fine):
            self.due[each.planned_us // bucket_us][_fate(each)] += 1

    def _follow(self, batch: Batch, fault_us: int | None) -> None:
        """Each shopper's row. What went well says no more than where the shopper is at home, if that is not known."""
        shoppers, since_us = self.shoppers, NEVER_US if fault_us is None else fault_us
        own, telling = batch.where(_own), batch.where(_tells)
        for exchange, tells in zip(batch.pick(own), telling[own].tolist(), strict=True):
            shopper = shoppers[exchange.shopper]
            if tells or shopper.trouble_since_us is not None:
                shopper.saw(exchange, _fate(exchange), fault_us)
            elif not shopper.home_fixed and exchange.node:
                shopper.answered(exchange.node, after_fault=exchange.done_us >= since_us)

    def took(self, event: happened.Event) -> None:
        """Take in one event."""
        match event:
            case happened.ClusterReady():
                self.ready = event
            case happened.FaultEvent():
                self.faults.append(event)
            case happened.AtRisk():
                self.at_risk.append(event)
            case happened.NodeSample():
                self.samples.append(event)
            case happened.PartSample():
                self.used.append(event)
            case happened.LoadSample():
                self.cpu_percent.append(event.cpu_percent)
            case happened.LoadEnded():
                self.ended.append(event)
            case happened.ClusterStopped():
                self.stopped = event
            case happened.RunInterrupted():
                self.interrupted = event.why


def _fate(exchange: Exchange) -> Fate:
    if exchange.status == STRANGER and exchange.do != "login":
        return "stranger" if exchange.jar == "main" else "refused"
    return exchange.outcome


def _went_well(kind: Kind) -> bool:
    return kind.outcome == "ok" and kind.status != STRANGER


def _own(kind: Kind) -> bool:
    return kind.jar == "main"


def _tells(kind: Kind) -> bool:
    return kind.outcome != "ok" or kind.do == "login"


def _counted(buckets: Numbers) -> tuple[list[int], list[int]]:
    """Which there are, and how many of each."""
    which, counts = np.unique(buckets, return_counts=True)
    return which.tolist(), counts.tolist()


def _summed(buckets: Numbers, sizes: Numbers) -> tuple[list[int], list[int]]:
    """Which there are, and the sum of the sizes of each."""
    which, places = np.unique(buckets, return_inverse=True)
    sums = np.zeros(len(which), np.int64)
    np.add.at(sums, places, sizes)
    return which.tolist(), sums.tolist()
