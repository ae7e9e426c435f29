"""What the report draws: a run folder's events and history, gathered in one pass, by architecture.

What is gathered of an architecture grows with shoppers and seconds, not with records.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Literal

import msgspec

from loadtests.model import events as happened
from loadtests.model.fault_timeline import FaultTimeline
from loadtests.model.history import NOT_ASKED, Do, Exchange, read_history_batches
from loadtests.model.plan import Plan, PlannedFault, read_plan_by_person
from loadtests.model.run_folder import Provenance, RunFolder
from loadtests.session_model.timeline import run_timeline

BUCKETS_US = (100_000, 200_000, 500_000, 1_000_000, 2_000_000, 5_000_000, 10_000_000, 30_000_000, 60_000_000)
MOST_BUCKETS = 200

Fate = Literal["ok", "failed", "unknown", "not_sent", "stranger", "refused"]
"""What became of an action: its outcome; or `stranger`: the shop answered, but did not know the shopper (401); or
`refused`: the same to somebody with other cookies than the shopper's own, which takes nothing from anybody."""
BESIDE: frozenset[Do] = NOT_ASKED | {"watch", "page"}
"""A stream that is open beside everything else, and what is not asked of the shop: neither makes nor ends trouble."""


class Shopper(msgspec.Struct):
    """What one shopper's row needs."""

    home: str = ""
    """Who answered last before the first fault; without a fault, who answered last."""
    home_fixed: bool = False
    logins_us: list[int] = []
    """When each login was acknowledged."""
    trouble: list[tuple[int, int]] = []
    """From the first action that was not ok to the next answer that was."""
    trouble_since_us: int | None = None
    not_ok: int = 0
    """Planned actions that were not ok."""

    def saw(self, exchange: Exchange, fate: Fate, fault_us: int | None) -> None:
        """Take in one exchange; `fault_us`: of the first fault."""
        # What was never sent was missed when it was due.
        at_us = exchange.sent_us if exchange.sent_us >= 0 else exchange.planned_us
        if exchange.node:
            self.answered(exchange, fault_us)
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

    def answered(self, exchange: Exchange, fault_us: int | None) -> None:
        """A node has answered."""
        if fault_us is not None and exchange.done_us >= fault_us:
            self.home_fixed = bool(self.home)  # whom nobody had served before is at home where the first answer is from
        if not self.home_fixed:
            self.home = exchange.node

    def close(self, end_us: int) -> None:
        """The history is over: trouble that never ended lasts to the end."""
        if self.trouble_since_us is not None:
            self.trouble.append((self.trouble_since_us, max(end_us, self.trouble_since_us)))
            self.trouble_since_us = None


class Story:
    """What happened to one architecture, whose history it hears; another process may have it do so."""

    def __init__(
        self, name: str, events: Sequence[happened.Event] = (), planned: Sequence[PlannedFault] = (),
        bucket_us: int = BUCKETS_US[0],
    ) -> None:  # fmt: skip
        self.name = name
        self.bucket_us = bucket_us
        self.run = run_timeline(name, events, planned)
        self._fault_us = self.run.first_injected_us  # once: it is looked up anew each time, and millions will ask
        self.ready = next((event for event in reversed(events) if isinstance(event, happened.ClusterReady)), None)
        self.samples = [event for event in events if isinstance(event, happened.NodeSample)]
        self.used = [event for event in events if isinstance(event, happened.PartSample)]
        self.stopped = next((event for event in reversed(events) if isinstance(event, happened.ClusterStopped)), None)
        # No lambda: to another process and back a story goes as a pickle.
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
        return self.run.description.app.removesuffix("_app") if self.run.description else ""

    def node_names(self) -> list[str]:
        """All nodes, in order."""
        known = {*self.answers, *self.run.nodes}
        return sorted(known, key=lambda name: (len(name), name))  # n10 after n9

    def add(self, *exchanges: Exchange) -> None:
        """What comes next in the history."""
        # In order of time, so that most of a piece of the history falls into one bucket.
        for bucket, some in groupby(exchanges, lambda exchange: exchange.done_us // self.bucket_us):
            alike = list(some)
            self._count(bucket, alike)
            for exchange in alike:
                # As `_fate` would say, of which nearly none need be asked.
                fate = _fate(exchange) if exchange.stranger or exchange.status == 401 else exchange.outcome
                if exchange.why == "plan":
                    self.due[exchange.planned_us // self.bucket_us][fate] += 1
                if exchange.jar == "main":
                    self._follow(exchange, fate)

    def _count(self, bucket: int, alike: Sequence[Exchange]) -> None:
        """Answers and bytes of that bucket."""
        self.end_us = max(self.end_us, *(exchange.done_us for exchange in alike))
        for node, many in Counter([exchange.node for exchange in alike if exchange.node]).items():
            self.answers[node][bucket] += many
        if sent := [exchange for exchange in alike if exchange.request]:
            self.cookie_bytes[bucket] += sum([exchange.cookie_bytes for exchange in sent])
            self.body_bytes[bucket] += sum([exchange.body_bytes for exchange in sent])

    def _follow(self, exchange: Exchange, fate: Fate) -> None:
        """The shopper's row. What went well says no more than where the shopper is at home, if that is not known."""
        shopper = self.shoppers[exchange.shopper]
        if exchange.outcome != "ok" or exchange.do == "login" or shopper.trouble_since_us is not None:
            shopper.saw(exchange, fate, self._fault_us)
        elif not shopper.home_fixed and exchange.node:
            shopper.answered(exchange, self._fault_us)


def _fate(exchange: Exchange) -> Fate:
    if exchange.as_stranger and exchange.do != "login":
        return "stranger" if exchange.jar == "main" else "refused"
    return exchange.outcome


class Evidence(msgspec.Struct, frozen=True):
    """Everything the report needs beside the results."""

    provenance: Provenance
    plan: Plan
    """Without its shoppers."""
    stories: dict[str, Story]
    """In the order in which they were to run; those that never began too."""
    bucket_us: int
    """Width of the charts' time buckets."""

    @property
    def window_us(self) -> int:
        """Where the load window ends."""
        return self.plan.window_ms * 1000

    @property
    def end_us(self) -> int:
        """The last answer of all, or the window's end if that is later."""
        # One end for all of them: charts side by side can only be compared on one axis.
        return max([self.window_us, *(story.end_us for story in self.stories.values())])

    def close(self) -> None:
        """Every history has been heard."""
        for story in self.stories.values():
            for shopper in story.shoppers.values():
                shopper.close(story.end_us)


def unheard(folder: Path) -> Evidence:
    """All but the history, which its stories are to hear; then `close`.

    Raises:
        RunFolderError: a file is missing or damaged.
    """
    files = RunFolder(folder)
    provenance = files.read_provenance()
    plan, _ = read_plan_by_person(files.plan)  # whose shoppers are left unread: no chart needs them
    told: dict[str, list[happened.Event]] = {name: [] for name in provenance.architectures}
    for event in happened.read_events(files.events):
        # Of one that the run was not asked for, too: the page shows it, and does not hide a damaged record.
        told.setdefault(event.architecture, []).append(event)
    window_us = plan.window_ms * 1000
    bucket_us = next((width for width in BUCKETS_US if window_us / width <= MOST_BUCKETS), BUCKETS_US[-1])
    stories = {name: Story(name, events, plan.faults, bucket_us) for name, events in told.items()}
    return Evidence(provenance, plan, stories, bucket_us)


def gather(folder: Path) -> Evidence:
    """Read a run folder, if nobody else has read its history for us.

    Raises:
        RunFolderError: a file is missing or damaged.
    """
    evidence = unheard(folder)
    for records in read_history_batches(RunFolder(folder).history):
        for name, some in groupby(records, lambda record: record.architecture):
            # As for the judge: a history may tell of one that nothing else tells of, which is no part of the run.
            if name in evidence.stories:
                evidence.stories[name].add(*(record for record in some if isinstance(record, Exchange)))
    evidence.close()
    return evidence
