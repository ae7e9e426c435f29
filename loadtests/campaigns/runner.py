"""The one runner of all campaigns: a list of jobs, each a run; what comes of each is kept at once.

A campaign (matrix, repeats, conformance) says what its jobs are, what a finished one comes to, and what to tell of it.
Whatever happens to one run, the others go on. An interruption ends all that goes on, keeps what was measured, and is
raised again.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

import msgspec

from compose.supervision.ledger import hold_machine, recover, state_folder
from loadtests.model.plan import Control
from loadtests.running.console import interrupts_raise
from shared.errors import Interrupted, TwinshopError, UsageError
from shared.plurals import counted

POLL_S = 0.1
ENDS_WITHIN_S = 20.0  # after an interruption: stopping takes five at most, judging what there is some more
# A run that takes so many times as long as expected, and so much beyond, hangs where none of its own bounds caught it.
LONGER, SLACK_S = 5.0, 300.0


class RunJob(msgspec.Struct, frozen=True):
    """One run that is to be carried out."""

    scenario: str
    """A name or a path."""
    architectures: tuple[str, ...]
    """In this order."""
    seed: int
    seconds: float
    """What it will take, about."""
    alone: bool = False
    """Nothing may run beside it on its machine."""
    control: Control = ""
    together: str = ""
    """Jobs of one word are compared with each other as to time: one after the other, and on one machine."""
    balancer: str = ""
    """In front of the nodes; empty: the scenario's, or the default."""
    report: bool = True
    """Its page is made at once; otherwise whoever wants to read it makes it: `twinshop report`."""
    into: str = ""
    """The folder, below the campaign's, in which its run's folder appears; empty: the campaign's itself."""

    def without(self, done: Collection[str]) -> RunJob | None:
        """The same on the other architectures; None if there are none."""
        left = tuple(name for name in self.architectures if name not in done)
        seconds = self.seconds * len(left) / len(self.architectures)
        return msgspec.structs.replace(self, architectures=left, seconds=seconds) if left else None


class Outcome(msgspec.Struct, frozen=True):
    """What came of a job."""

    run: str = ""
    """The run's folder, by name; empty if it was not even made."""
    measured: tuple[str, ...] = ()
    """The architectures that were measured to their end and judged."""
    cut: dict[str, str] = msgspec.field(default_factory=dict)
    """Those that were begun and not finished, and why."""
    error: str = ""
    """What went wrong with the run as a whole, in one line."""
    interrupted: bool = False
    machine: str = ""
    """Where it was run, of several machines; empty: here."""
    busy: bool = False
    """It was not begun, for another run has the machine."""


class CampaignProgress(msgspec.Struct, frozen=True):
    """How far the campaign is."""

    number: int
    """Of the job that is spoken of: 1 … total."""
    total: int
    left_s: float
    """What is left takes about so long, if it is as much slower than expected as what has ended."""
    took_s: float = 0.0
    """What that job took; 0 before it begins."""


class RunningJob(Protocol):
    """A job that goes on."""

    def ending(self) -> Outcome | None:
        """What came of it; None as long as it goes on."""

    def interrupt(self) -> None:
        """Ask it to end: it stops its cluster and judges what there is."""

    def kill(self) -> None:
        """End it at once; what it started is then for `Launcher.clear_away`."""


class Over:
    """A job that has ended."""

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome

    def ending(self) -> Outcome:
        """What came of it."""
        return self._outcome

    def interrupt(self) -> None:
        """Nothing goes on any more."""

    kill = interrupt


class Launcher(ABC):
    """Starts jobs: in processes of their own, in this one, or on other machines."""

    @abstractmethod
    def start(self, job: RunJob) -> RunningJob:
        """Start one. In this process it has ended on return.

        Raises:
            TwinshopError: it could not be carried out.
        """

    def machines(self) -> int | None:
        """That many, each of which takes one run at a time; None: this one, with as many as go side by side."""
        return None

    @contextmanager
    def hold(self, say: Callable[[str], None]) -> Iterator[None]:
        """Hold what the runs are carried out on, with all cleared away that an earlier run left behind.

        Raises:
            Busy: another run has it.
        """
        with hold_machine(state_folder()):
            self.clear_away(say)  # at once: what a killed run left would share the processors with every run
            yield

    def clear_away(self, say: Callable[[str], None]) -> None:
        """Undo what a run has left behind that had to be killed."""
        for line in recover(state_folder()).lines():
            say(line)


class Campaign(ABC):
    """What a campaign tells the runner."""

    side_by_side: int = 1
    """Jobs that may go on at the same time."""

    @abstractmethod
    def keep(self, job: RunJob, outcome: Outcome) -> RunJob | None:
        """Keep what a job came to, so that an end at any later moment does not lose it.

        Returns:
            What is left of it to be run: the error may have been of one architecture alone.
        """

    def bears(self, error: TwinshopError) -> bool:
        """The others go on after a job that could not be carried out; `keep` is told of it."""
        return False

    def before(self, job: RunJob, progress: CampaignProgress) -> str:
        """What to say when it begins; "" is not said."""
        return ""

    def after(self, job: RunJob, progress: CampaignProgress) -> str:
        """What to say when it was kept; "" is not said."""
        return ""


class Started(msgspec.Struct, frozen=True):
    """A job that goes on, and until when it may."""

    job: RunJob
    running: RunningJob
    began: float
    until: float


class Runner:
    """Carries out a campaign on what its launcher holds."""

    def __init__(self, campaign: Campaign, launcher: Launcher, say: Callable[[str], None]) -> None:
        self._campaign = campaign
        self._launcher = launcher
        self._say = say
        self._going: list[Started] = []
        self._waiting: list[RunJob] = []
        self._ended = 0
        self._expected_s = self._took_s = 0.0

    def carry_out(self, jobs: Iterable[RunJob]) -> None:
        """Run them all.

        Raises:
            Interrupted: Ctrl-C; everything is stopped, and what was measured is kept.
            TwinshopError: the campaign does not bear it; likewise.
        """
        self._waiting = list(jobs)
        try:
            while self._waiting or self._going:
                self._start_what_may()
                if not self._take_what_ended():
                    time.sleep(POLL_S)
        except Interrupted:
            self._end_all()
            raise
        except BaseException:  # of whatever kind: nobody would keep what the others come to
            self._kill_all()
            raise

    def _start_what_may(self) -> None:
        while (job := self._next()) is not None:
            self._tell(self._campaign.before(job, self._progress(self._ended + len(self._going) + 1)))
            self._waiting.remove(job)
            began = time.monotonic()  # before the start: in this process a run is over when that returns
            running = self._start(job)
            self._going.append(Started(job, running, began, began + LONGER * job.seconds + SLACK_S))

    def _start(self, job: RunJob) -> RunningJob:
        try:
            return self._launcher.start(job)
        except (Interrupted, UsageError):  # what was asked for wrongly is as wrong in each of the others
            raise
        except TwinshopError as error:
            if not self._campaign.bears(error):
                raise
            return Over(Outcome(error=error.what))

    def _next(self) -> RunJob | None:
        """The first that may start: none is held up by one that waits for another of its own kind."""
        going = {it.job.together for it in self._going} - {""}
        job = next((job for job in self._waiting if job.together not in going), None)
        return job if job is not None and self._has_room_for(job) else None

    def _has_room_for(self, job: RunJob) -> bool:
        machines = self._launcher.machines()
        if machines is not None:
            return len(self._going) < machines
        if not self._going:  # also for one that is to be alone: it is now
            return True
        alone = job.alone or any(it.job.alone for it in self._going)
        return not alone and len(self._going) < self._campaign.side_by_side

    def _take_what_ended(self) -> bool:
        """Some had ended."""
        before = self._ended
        for it in list(self._going):
            outcome = it.running.ending()
            if outcome is None and time.monotonic() > it.until:
                it.running.kill()
                # A killed run leaves its cluster behind, which would be in the next one's figures.
                self._launcher.clear_away(self._say)
                outcome = Outcome(error="it hung, and was ended")
            if outcome is not None:
                self._keep(it, outcome)
        return self._ended > before

    def _keep(self, it: Started, outcome: Outcome) -> None:
        self._going.remove(it)
        left = self._campaign.keep(it.job, outcome)
        if left is not None:
            self._waiting.insert(0, left)
        took_s = time.monotonic() - it.began
        self._took_s += took_s
        self._expected_s += it.job.seconds
        self._ended += 1
        self._tell(self._campaign.after(it.job, self._progress(self._ended, took_s)))

    def _progress(self, number: int, took_s: float = 0.0) -> CampaignProgress:
        # By what this machine has needed so far, and not by what a run should take on any.
        slower = self._took_s / self._expected_s if self._expected_s else 1.0
        left = [*(it.job for it in self._going), *self._waiting]
        left_s = slower * expected_seconds(left, self._campaign.side_by_side, self._launcher.machines())
        return CampaignProgress(number, self._ended + len(left), left_s, took_s)

    def _tell(self, line: str) -> None:
        if line:
            self._say(line)

    def _end_all(self) -> None:
        for it in self._going:
            it.running.interrupt()
        until = time.monotonic() + ENDS_WITHIN_S
        while self._going and time.monotonic() < until:
            for it in list(self._going):
                outcome = it.running.ending()
                if outcome is not None:
                    # Whatever it says of itself: it ended because it was told to.
                    self._keep(it, msgspec.structs.replace(outcome, interrupted=True))
            time.sleep(POLL_S / 5)  # somebody waits for the prompt now
        if self._going:
            self._kill_all()

    def _kill_all(self) -> None:
        for it in self._going:
            it.running.kill()
        self._going.clear()
        self._launcher.clear_away(self._say)


def carried_out(
    campaign: Campaign, launcher: Launcher, jobs: Iterable[RunJob], say: Callable[[str], None]
) -> Interrupted | None:
    """Carry all of it out on what the launcher holds, with signals heeded; what cut it short, if anything did.

    Raises:
        TwinshopError: as `Runner.carry_out`.
    """
    try:
        with interrupts_raise(), launcher.hold(say):
            Runner(campaign, launcher, say).carry_out(jobs)
    except Interrupted as interrupted:
        interrupted.next_step = interrupted.next_step or "the same command again: it goes on where it ended"
        return interrupted
    return None


def chains(jobs: Iterable[RunJob]) -> dict[str, list[RunJob]]:
    """Those that run one after the other, under their common word; all others under their scenario and place."""
    found: dict[str, list[RunJob]] = {}
    for at, job in enumerate(jobs):
        # With its place: two repeats of one scenario are not bound to each other.
        found.setdefault(job.together or f"{at} {job.scenario}", []).append(job)
    return found


def seconds_of(jobs: Iterable[RunJob]) -> float:
    """What they take one after the other, about."""
    return sum(job.seconds for job in jobs)


def longest_first(jobs: Iterable[RunJob]) -> tuple[RunJob, ...]:
    """For several machines: what takes longest one after the other begins first, and nobody waits for it in the end."""
    found = sorted(chains(jobs).values(), key=seconds_of, reverse=True)
    return tuple(job for chain in found for job in chain)


def expected_seconds(jobs: Iterable[RunJob], side_by_side: int, machines: int | None = None) -> float:
    """What all of them take, about, that many at a time; or one at a time on each of so many machines."""
    jobs = tuple(jobs)
    shared = [job for job in jobs if machines is not None or not job.alone]
    # No number of machines makes a single run any shorter.
    longest = max(map(seconds_of, chains(shared).values()), default=0.0)
    alone = seconds_of(job for job in jobs if job.alone and machines is None)
    return alone + max(longest, seconds_of(shared) / max(1, machines or side_by_side))


def how_long(jobs: Iterable[RunJob], side_by_side: int, machines: int | None) -> str:
    """And how many at a time: "about 12 min, 2 side by side", "about 5 min, on 3 machines"."""
    minutes = f"about {expected_seconds(jobs, side_by_side, machines) / 60:.0f} min"
    if machines is None:
        return f"{minutes}, {side_by_side} side by side"
    return f"{minutes}, on {counted(machines, 'machine')}"
