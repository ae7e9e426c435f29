"""One side of a live round: measured as in every run, but it begins, and ends, when a person says so.

Both sides are measured at the same time, each in a thread. What is said to both is one `Signals`: the zero of both load
windows is the same, and so is their end, so that their times can be compared.
"""

import threading
import time

import msgspec

from compose.architectures import Architecture
from compose.cluster import ClusterSpec, PublicListener
from compose.engines.contract import Cluster
from compose.supervision.waiting import wait_for
from loadtests.load.load_process import LoadProcesses
from loadtests.model.events import EventLog, GuestsAdmitted
from loadtests.running.fault_run import FaultRun
from loadtests.running.measure import LEAD_NS, STOP_LOAD_S, TICK_S, Measurement, Setup
from loadtests.workshop.contract import Guest
from shared.errors import EnvironmentNotReady, Interrupted

END_LEAD_MS = 1000  # between saying that a window ends and its end, so that every load process has heard it
ABANDON_LEAD_MS = 400  # the same where the round is left: in a hurry, and nothing is lost if one hears it too late


class RoundStart(msgspec.Struct, frozen=True):
    """The zero of both load windows."""

    zero_ns: int
    """time.monotonic_ns()."""
    epoch_us: int
    """Wall clock."""


class Signals:
    """What both sides are told, by the thread that owns the round."""

    def __init__(self) -> None:
        self.go: RoundStart | None = None
        self.end_ms: int | None = None  # when the load windows end; None: nobody has said so yet
        self.abandoned = threading.Event()  # it is of no use any more: stop where you are

    def start(self) -> RoundStart:
        """Let both load windows begin, a moment from now."""
        # Two clocks: ours never jumps, and only the wall's is known to nodes, balancer and browsers.
        self.go = RoundStart(time.monotonic_ns() + LEAD_NS, (time.time_ns() + LEAD_NS) // 1000)
        return self.go

    def elapsed_ms(self) -> int:
        """Since the zero; 0 before it."""
        # The zero is a moment ahead when it is said.
        return 0 if self.go is None else max(0, (time.monotonic_ns() - self.go.zero_ns) // 1_000_000)

    def end_at(self, at_ms: int) -> int:
        """Let both load windows end then, or as soon as everybody can have heard of it. When that is."""
        self.end_ms = max(at_ms, self.elapsed_ms() + END_LEAD_MS)
        return self.end_ms

    def abandon(self) -> None:
        """Stop both sides. What lies beyond this moment was never planned, so that nobody writes down hours of it."""
        if self.go is not None and self.end_ms is None:
            self.end_ms = self.elapsed_ms() + ABANDON_LEAD_MS
        self.abandoned.set()


class LiveSide(Measurement):
    """One architecture of a live round."""

    live = True

    def __init__(
        self, setup: Setup, architecture: Architecture, number: int, signals: Signals, guests: tuple[Guest, ...],
        public: PublicListener | None,
    ) -> None:  # fmt: skip
        super().__init__(setup, architecture, number)
        # A file of its own: in the run's history each architecture's records stand together, and these two grow at
        # the same time. `loadtests.workshop.live_round` puts them together.
        self._history = self.history = self._logs / "history.ndjson"
        self.architecture = architecture
        self._signals = signals
        self._told_end = False
        self.accounts = guests
        """For people with browsers, who come in at `public`."""
        self.guests = tuple(guest.user for guest in guests)
        self.public = public
        self.standing = threading.Event()
        """Its cluster stands, and its shoppers wait for the go."""
        self.error: BaseException | None = None
        """Why it could not be measured to its end."""
        self.thread = threading.Thread(target=self._run, name=f"side {architecture.name}", daemon=True)

    @property
    def cluster(self) -> Cluster:
        """Its cluster, once it stands."""
        assert self._cluster is not None
        return self._cluster

    @property
    def events(self) -> EventLog:
        """Where what happens to it is written."""
        return self._events

    def add_fault(self, fault_run: FaultRun) -> None:
        """From now on it is awaited at the end, and abandoned with the rest."""
        self._faults.append(fault_run)

    def _run(self) -> None:
        try:
            self.measure()
        except BaseException as error:  # noqa: BLE001 - carried to the owner of the round
            self.error = error

    def _spec(self) -> ClusterSpec:
        guests = {guest.user: guest.password for guest in self.accounts}
        return msgspec.structs.replace(super()._spec(), public=self.public, guests=guests)

    def _start_cluster(self) -> Cluster:
        cluster = super()._start_cluster()
        name, run = self.architecture.name, self._setup.run
        self._events.write(lambda at_us: GuestsAdmitted(name, at_us, self.guests, run))
        return cluster

    def _go(self, load: LoadProcesses) -> int:
        self.standing.set()
        while (go := self._signals.go) is None:
            if load.finished():
                raise EnvironmentNotReady(
                    f"the shoppers of {self.architecture.name} have gone before they were let in",
                    why=load.problem() or f"their process ended with {load.exit_codes()}",
                    next_step="begin the round again",
                )
            self._go_on()
            time.sleep(TICK_S)
        return self._go_at(load, go.zero_ns, go.epoch_us)

    def _go_on(self) -> None:
        if self._signals.abandoned.is_set():
            raise Interrupted("the round was left before its end")
        self._tell_end()

    def _tell_end(self) -> None:
        if self._signals.end_ms is not None and not self._told_end and self._load is not None:
            self._load.end_window(self._signals.end_ms)
            self._told_end = True

    def _stop_load(self) -> None:
        self._tell_end()  # in the middle of the round shoppers hear that it is over; who is not done soon is stopped
        if self._load is not None and self._told_end:
            load = self._load
            wait_for(lambda: load.finished() or None, until=time.monotonic() + STOP_LOAD_S, every_s=TICK_S)
        super()._stop_load()

    def _attend(self, load: LoadProcesses, cluster: Cluster, zero_ns: int) -> None:
        super()._attend(load, cluster, zero_ns)
        if not self._told_end:  # the window ends when somebody says so: before that, no load may be finished
            raise EnvironmentNotReady(
                f"the shoppers of {self.architecture.name} are gone in the middle of the round",
                why=self._why_not_clean(load),
                next_step="begin the round again",
            )

    def _window_ms(self) -> int:
        return super()._window_ms() if self._signals.end_ms is None else self._signals.end_ms

    def _guests(self) -> frozenset[str]:
        return frozenset(self.guests)

    def _show(self, phase: str, left_s: float = 0.0, detail: str = "") -> None:
        """Nothing: how it goes on is what the dashboard shows."""

    def _raise_fault_errors(self) -> None:
        # Said, and not raised as in a run: the events do not say that it was observed, so it is nobody's loss.
        for fault_run in self._faults:
            if fault_run.error is not None:
                self._setup.watcher.say(f"{fault_run.name} on {self.architecture.name}: {fault_run.error}")
