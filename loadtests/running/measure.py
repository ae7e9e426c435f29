"""Measures one architecture: start its cluster, let the shoppers shop, carry out the faults, audit, stop.

What was asked, answered, done and seen ends up in the run's files; nothing is judged here.
"""

from __future__ import annotations

import time
from contextlib import ExitStack

import msgspec

from compose.applications import application_of
from compose.architectures import Architecture
from compose.balancers import balancer_named
from compose.cluster import DEFAULT_BALANCER, ClusterSpec, Limits
from compose.engines.contract import Cluster, Engine
from compose.supervision.ledger import Ledger
from compose.supervision.waiting import not_ready, wait_for
from loadtests.faults import FAULTS
from loadtests.load.load_process import LoadProcesses, merge_histories, start_load
from loadtests.load.worker_config import WorkerConfig
from loadtests.model.events import (
    ClusterReady,
    ClusterStopped,
    EventLog,
    LoadEnded,
    LoadSample,
    LoadStarted,
    NodeSample,
    PartSample,
    RunInterrupted,
)
from loadtests.model.history import StoredOrder, encode_records
from loadtests.model.plan import Plan
from loadtests.model.run_folder import RunFolder
from loadtests.running.application import ApplicationUnderTest, name_nodes, write_for_load
from loadtests.running.fault_run import FaultBounds, FaultRun
from loadtests.running.progress import Moment, RunWatcher
from loadtests.running.provenance import package_versions
from loadtests.running.stand_ins import fault_for
from shared.errors import EnvironmentNotReady, TwinshopError

LEAD_NS = 200_000_000
"""Between saying go and the zero of the load window, so that every load process has heard it."""
LOAD_READY_S = 20.0
STOP_LOAD_S = 1.5
TICK_S = 0.05
SAMPLE_S = 0.5


class Setup(msgspec.Struct, frozen=True):
    """What is the same for every architecture of a run."""

    run: str
    folder: RunFolder
    plan: Plan
    engine: Engine
    ledger: Ledger
    watcher: RunWatcher
    workers: int
    password: str
    limits: Limits
    fault_bounds: FaultBounds
    application: ApplicationUnderTest | None = None
    """What is under test, if it is none of the twins."""
    balancer: str = DEFAULT_BALANCER
    """By name."""


class Measurement:
    """One architecture's part of a run."""

    live = False
    """Whether a person says when the load window begins, and may end it early."""

    def __init__(self, setup: Setup, architecture: Architecture, number: int) -> None:
        self._setup = setup
        self._architecture = architecture
        # All architectures write into one history: a letter of its own keeps request ids apart.
        self._prefix = f"{setup.run}{'abcdefghijklmnopqrstuvwxyz'[number]}"
        self._logs = setup.folder.logs(architecture.name)
        self._history = setup.folder.history
        self._began_at = 0  # the byte of the history at which this architecture's part begins
        self._events = EventLog(setup.folder.events)
        self._cluster: Cluster | None = None
        self._load: LoadProcesses | None = None
        self._faults: list[FaultRun] = []
        self._logged_out = 0

    def measure(self) -> None:
        """From nothing to nothing; whatever happens, the evidence is written and the cluster is gone afterwards.

        Raises:
            TwinshopError: the cluster or the load could not be started, or a fault could not be carried out.
            Interrupted: Ctrl-C; the files say so.
        """
        try:
            self._show("starting")
            cluster = self._start_cluster()
            load = self._start_load(cluster)
            zero_ns = self._go(load)
            self._start_faults(cluster, zero_ns)
            self._attend(load, cluster, zero_ns)
            # Not in the loop above: that ends with the load, and counters grow until its last request.
            self._sample_parts(cluster)  # what parts have counted in all: the last look comes after the last shopper
            self._await_faults()
            self._end_load(load)
            self._keep_orders(cluster)
        except BaseException as error:
            why = str(error) if isinstance(error, TwinshopError) else f"{type(error).__name__}: {error}"
            self._events.write(lambda at_us: RunInterrupted(self._architecture.name, at_us, why))
            raise
        finally:
            self._clear_away()
        self._raise_fault_errors()
        self._show("measured")

    def _spec(self) -> ClusterSpec:
        setup = self._setup
        return ClusterSpec(
            run=setup.run,
            architecture=self._architecture,
            nodes=setup.plan.nodes,
            accounts=len(setup.plan.shoppers),
            password=setup.password,
            limits=setup.limits,
            wires=any(FAULTS[fault.kind].needs_wires for fault in setup.plan.faults),
            application=setup.application.description if setup.application else None,
            balancer=setup.balancer,
        )

    def _start_cluster(self) -> Cluster:
        setup = self._setup
        self._logs.mkdir(parents=True, exist_ok=True)
        began = time.monotonic()
        spec = self._spec()
        self._can = application_of(spec).can
        self._cluster = cluster = setup.engine.start(spec, self._logs, setup.ledger)
        took_s = round(time.monotonic() - began, 3)
        names, versions = tuple(node.name for node in cluster.nodes()), package_versions() | cluster.versions()
        facts, here = setup.application.facts if setup.application else None, self._architecture
        self._events.write(
            lambda at_us: ClusterReady(
                here.name, at_us, here, setup.engine.name, names, setup.limits, versions, took_s, facts
            )
        )
        return cluster

    def _start_load(self, cluster: Cluster) -> LoadProcesses:
        setup = self._setup
        config = WorkerConfig(
            plan=setup.folder.plan.resolve(),
            architecture=self._architecture.name,
            run=setup.run,
            prefix=self._prefix,
            password=setup.password,
            folder=self._logs.resolve(),
            workers=setup.workers,
            live=int(self.live),
            application=write_for_load(cluster, len(setup.plan.shoppers)),
        )
        self._load = load = start_load(setup.ledger, config, setup.plan, cluster.shop_url)
        until = time.monotonic() + LOAD_READY_S
        # One that has ended will never be ready: its log is shown at once, and not when the time is over.
        wait_for(lambda: load.ready() or load.finished() or None, until=until, every_s=TICK_S / 5)
        if not load.ready():
            why = "a load process has ended" if load.finished() else f"the time, {LOAD_READY_S:.0f} s, is over"
            raise not_ready("the load", why, self._logs / "load-0.log")
        return load

    def _go(self, load: LoadProcesses) -> int:
        """Say go, and return the zero of the load window."""
        return self._go_at(load, time.monotonic_ns() + LEAD_NS, (time.time_ns() + LEAD_NS) // 1000)

    def _go_at(self, load: LoadProcesses, zero_ns: int, epoch_us: int) -> int:
        load.go(zero_ns)
        # Only now have events a zero to count from; those of the start have waited for it, and are before it.
        self._events.set_zero(zero_ns)
        self._events.write(lambda at_us: LoadStarted(self._architecture.name, at_us, epoch_us, self._setup.workers))
        return zero_ns

    def _start_faults(self, cluster: Cluster, zero_ns: int) -> None:
        plan, described, bounds = self._setup.plan, cluster.spec.application, self._setup.fault_bounds
        for number, planned in enumerate(plan.faults):
            carried_out = fault_for(planned, plan, described)
            fault_run = FaultRun(number, planned, carried_out, cluster, self._events, zero_ns, bounds)
            self._faults.append(fault_run)
            fault_run.start()

    def _attend(self, load: LoadProcesses, cluster: Cluster, zero_ns: int) -> None:
        """Until the load has ended by itself, or has had more time than all its own bounds allow."""
        next_sample_ns = zero_ns
        cpu = _CpuMeter()
        while not load.finished() and time.monotonic_ns() < zero_ns + _longest_ns(self._setup.plan, self._window_ms()):
            self._go_on()
            now_ns = time.monotonic_ns()
            if now_ns >= next_sample_ns:
                next_sample_ns += int(SAMPLE_S * 1e9)  # from when it was due: one late sample delays no other
                cluster.check_engine()  # an engine that is gone takes everything with it: nothing else would say so
                self._sample(load, cluster, cpu)
                self._show_progress(load, now_ns - zero_ns)
            time.sleep(TICK_S)

    def _window_ms(self) -> int:
        """When the load window ends."""
        return self._setup.plan.window_ms

    def _go_on(self) -> None:
        """Asked again and again while people shop: nothing, or an error if this is to be ended."""

    def _await_faults(self) -> None:
        """What is healed at the window's end may be seen to be so only after the audit; each has its bound."""
        bounds = self._setup.fault_bounds
        # One bound for all: they wait beside each other.
        until = time.monotonic() + bounds.observed_s + bounds.healed_s
        for fault_run in self._faults:
            fault_run.join(timeout=max(0.0, until - time.monotonic()))

    def _sample(self, load: LoadProcesses, cluster: Cluster, cpu: _CpuMeter) -> None:
        name = self._architecture.name
        if self._can.lists_sessions:
            counts = {node.name: _count(cluster, node.name) for node in cluster.nodes()}
            self._events.write(lambda at_us: NodeSample(name, at_us, counts))
        self._sample_parts(cluster)
        percent = cpu.percent(load.progress().cpu_s)
        if percent is not None:
            self._events.write(lambda at_us: LoadSample(name, at_us, 0, percent))

    def _sample_parts(self, cluster: Cluster) -> None:
        usage = cluster.usage()
        if usage:
            self._events.write(lambda at_us: PartSample(self._architecture.name, at_us, usage))

    def _end_load(self, load: LoadProcesses) -> None:
        ended_well = load.finished() and all(code == 0 for code in load.exit_codes())
        why = "" if ended_well else self._why_not_clean(load)
        progress = load.progress()
        why = why or "; ".join(self._merge())  # of a load that ended badly, it is merged when all is cleared away
        clean = not why
        sent = progress.sent
        self._events.write(lambda at_us: LoadEnded(self._architecture.name, at_us, clean, progress.cpu_s, sent, why))

    def _why_not_clean(self, load: LoadProcesses) -> str:
        if not load.finished():
            return "the load processes did not end within their bounds"
        return load.problem() or f"load processes ended with {load.exit_codes()}: see {self._logs.name}/load-0.log"

    def _keep_orders(self, cluster: Cluster) -> None:
        orders = [
            StoredOrder(self._architecture.name, o.order, o.user, o.request, o.lines, o.key or "")
            for o in cluster.orders()
            if o.user not in self._guests()
        ]
        with self._history.open("ab") as history:
            history.write(encode_records(orders))

    def _guests(self) -> frozenset[str]:
        """Accounts that no shopper uses: what people with browsers order is in no shopper's books."""
        return frozenset()

    def _merge(self) -> tuple[str, ...]:
        """What the load processes wrote becomes part of the run's history, once; what was damaged in it, in words."""
        if self._load is None:
            return ()
        # Taken first: whoever is interrupted in here comes back by `_clear_away`, and must not append it all again.
        load, self._load = self._load, None
        load.kill()
        self._began_at = self._history.stat().st_size if self._history.exists() else 0
        remarks = merge_histories(load.histories(), self._history)
        for part in load.histories():
            part.unlink(missing_ok=True)
        return remarks

    def _clear_away(self) -> None:
        """Faults first (they might start something), then the load, then the cluster; then the evidence is closed."""
        self._show("stopping")
        with ExitStack() as last:  # whatever fails, what comes after it is done all the same
            # Called in reverse order: the load, the cluster, then the events, which tell of both.
            last.callback(self._events.close)
            last.callback(self._stop_cluster)
            last.callback(self._stop_load)
            for fault_run in self._faults:
                # All are told before any is waited for: together they take as long as the slowest.
                fault_run.abandon()
            for fault_run in self._faults:
                fault_run.join(timeout=2.0)

    def _stop_load(self) -> None:
        if self._load is not None:
            # Not killed at once: so what was not done any more is in the history, as not sent.
            self._load.stop(STOP_LOAD_S)
            self._merge()

    def _stop_cluster(self) -> None:
        setup = self._setup
        if self._cluster is not None:
            began = time.monotonic()
            self._cluster.stop()
            if self._can.behind_our_balancer and not self._can.names_itself:
                access, balancer = self._logs / "access.ndjson", balancer_named(setup.balancer)
                name_nodes(self._history, self._began_at, access, balancer)
            took_s = round(time.monotonic() - began, 3)
            self._events.write(lambda at_us: ClusterStopped(self._architecture.name, at_us, took_s))

    def _raise_fault_errors(self) -> None:
        for fault_run in self._faults:
            # An error of the machine says itself what to do; any other is a bug of ours.
            if isinstance(fault_run.error, EnvironmentNotReady):
                raise fault_run.error
            if fault_run.error is not None:
                raise TwinshopError(
                    f"the {fault_run.name} could not be carried out on {self._architecture.name}",
                    why=f"{type(fault_run.error).__name__}: {fault_run.error}",
                    next_step="run again with --debug, and report it",
                ) from fault_run.error

    def _show_progress(self, load: LoadProcesses, elapsed_ns: int) -> None:
        progress = load.progress()
        self._logged_out = progress.logged_out
        plan = self._setup.plan
        broken = [fault for fault in plan.faults if fault.at_ms <= elapsed_ns / 1e6 < fault.heal_at_ms]
        fault = "load" if plan.control else "fault"  # of a placebo nothing is broken
        phase = "audit" if progress.phase in ("audit", "done") else fault if broken else "load"
        detail = "placebo" if broken and plan.control else ", ".join(f"{it.kind} {it.victim}" for it in broken)
        self._show(phase, max(0.0, self._setup.plan.window_ms / 1000 - elapsed_ns / 1e9), detail)

    def _show(self, phase: str, left_s: float = 0.0, detail: str = "") -> None:
        shoppers = len(self._setup.plan.shoppers)
        self._setup.watcher.moment(Moment(self._architecture.name, phase, left_s, self._logged_out, shoppers, detail))


class _CpuMeter:
    """CPU of the load processes between two samples, in percent of one core."""

    def __init__(self) -> None:
        self._at = time.monotonic()
        self._cpu_s: float | None = None

    def percent(self, cpu_s: float) -> float | None:
        """None for the first sample, and while no newer figure has come."""
        now = time.monotonic()
        # Load processes tell their CPU now and then; the same figure twice would read as an idle one.
        if self._cpu_s is not None and cpu_s <= self._cpu_s:
            return None
        before, since = self._cpu_s, now - self._at
        self._cpu_s, self._at = cpu_s, now
        return None if before is None else round(100 * (cpu_s - before) / since, 1)


def _count(cluster: Cluster, node: str) -> int:
    held = cluster.held(node)
    # Not 0: a node that does not answer is not an empty one.
    return -1 if held is None else len(held)


def _longest_ns(plan: Plan, window_ms: int) -> int:
    """The window, then every bound of the audit one after the other, and some slack for a busy machine."""
    client = plan.client
    one_try_ms = client.connect_timeout_ms + client.answer_timeout_ms + client.audit_pause_ms
    audit_ms = client.audit_spread_ms * len(plan.shoppers) + 2 * client.audit_tries * one_try_ms
    return (window_ms + audit_ms + 10_000) * 1_000_000
