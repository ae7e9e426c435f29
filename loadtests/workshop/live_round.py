"""A live round: a run whose two architectures are measured at the same time, and whose faults somebody makes.

    start ──> stands ──> release (one zero for both) ──> somebody breaks and heals ──> close ──> a run like any other

What was planned beyond the moment at which it was closed was never planned: the plan in its folder is the one that was
carried out, with the faults as they went, so that it is judged and reported like every run.
"""

import secrets
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from compose.balancers import balancer_named
from compose.cluster import Limits
from compose.engines.contract import Engine
from compose.supervision.ledger import Ledger
from compose.supervision.recovery import clear
from loadtests.model.plan import Plan, as_carried_out, plan_sha256
from loadtests.model.results import Results
from loadtests.model.run_folder import RunFolder, make_folder
from loadtests.planning.scenario_file import encode_scenario
from loadtests.running.fault_run import FaultBounds
from loadtests.running.measure import Setup
from loadtests.running.progress import RunWatcher
from loadtests.running.provenance import now_utc, provenance_of
from loadtests.running.run import point_latest, write_report, write_results, write_run
from loadtests.workshop.contract import SEATS, SIDES, Button, Guest, RoundSide, SideName, guest_name
from loadtests.workshop.listen_addresses import ListenAddress, new_code, own_name
from loadtests.workshop.live_faults import LiveFaults
from loadtests.workshop.live_side import END_LEAD_MS, LiveSide, RoundStart, Signals
from loadtests.workshop.report_section import predictions_section
from loadtests.workshop.round_spec import RoundSpec, buttons_for

PASSWORD_LENGTH = 8  # somebody whom a shop has forgotten may have to type it on a phone
LOGIN_FAILURES = "10 per minute"  # for one address, at each node
ABANDONED_WITHIN_S = 3.5  # for both sides to end by themselves when the round is left; then all of it is killed
LOOK_S = 0.02


class LiveRound:
    """One round, in a run folder of its own. It belongs to one thread; `faults` may be used from others."""

    def __init__(
        self, number: int, spec: RoundSpec, engine: Engine, state: Path, runs: Path, watcher: RunWatcher,
        command: tuple[str, ...], changed: Callable[[], None], listen: ListenAddress,
    ) -> None:  # fmt: skip
        self.spec = spec
        self.plan = spec.plan()
        self.signals = Signals()
        scenario = spec.scenario
        self.scenario = encode_scenario(scenario)
        started = now_utc()
        self.provenance = provenance_of(
            secrets.token_hex(4), self.plan, self.scenario, engine=engine.name, architectures=spec.names,
            workers=1, command=command, started=started, balancer=spec.balancer,
        )  # fmt: skip
        self.folder = _make_folder(runs, f"{started:%Y%m%d-%H%M%S}-workshop-{number}-{scenario.name}")
        self._write(self.plan)
        self._watcher = watcher
        self._ledger = Ledger.open(state, self.provenance.run)
        self._together = False  # both histories are in the run's, and the plan is the one that was carried out
        bounds = FaultBounds()
        limits = Limits(login_failures=LOGIN_FAILURES)
        setup = Setup(
            self.provenance.run, self.folder, self.plan, engine, self._ledger, watcher, 1, new_code(PASSWORD_LENGTH),
            limits, bounds,
        )  # fmt: skip
        guests = tuple(Guest(guest_name(seat), new_code(PASSWORD_LENGTH)) for seat in range(SEATS))
        self.sides: dict[SideName, LiveSide] = {
            side: LiveSide(
                msgspec.structs.replace(setup, balancer=it.balancer), it.architecture, place, self.signals,
                guests, listen.shop(side) if balancer_named(it.balancer).can.public else None,
            )
            for place, (side, it) in enumerate(zip(SIDES, spec.sides, strict=True))
        }  # fmt: skip
        for it, side in zip(spec.sides, self.sides.values(), strict=True):
            if side.public is None:
                title = balancer_named(it.balancer).title
                watcher.say(
                    f"people with browsers cannot enter {it.architecture.name}: {title} has no listener for them"
                )
        self.faults = LiveFaults(self.sides, spec.buttons, self.signals, bounds, changed)

    # --- its course

    def start(self) -> None:
        """Start both clusters and their shoppers, who wait; returns at once."""
        for side in self.sides.values():
            side.thread.start()

    def stands(self) -> bool:
        """Both clusters stand, and their shoppers wait for the go."""
        return all(side.standing.is_set() for side in self.sides.values())

    def release(self) -> RoundStart:
        """Let people shop; the zero of both load windows."""
        return self.signals.start()

    def failure(self) -> BaseException | None:
        """Why it cannot go on; None if it can."""
        return next((side.error for side in self.sides.values() if side.error is not None), None)

    def over(self) -> bool:
        """Nothing of either side is left."""
        return not any(side.thread.is_alive() for side in self.sides.values())

    def close(self) -> None:
        """Heal what is broken, let the shoppers finish what they are at, audit them, and stop both clusters.

        Raises:
            TwinshopError: one of the sides could not be measured to its end; both are gone all the same.
        """
        near = self.overdue(2 * END_LEAD_MS)  # closed for its time is over: then it ends in time
        if self.faults.broken():  # while people still shop: they see it healed, as in every run
            self.faults.mend()
        self.signals.end_at(self.spec.window_ms if near else 0)
        while not self.over() and self.failure() is None:
            time.sleep(LOOK_S)
        if (failure := self.failure()) is not None:
            self.abandon()
            raise failure

    def overdue(self, before_ms: int) -> bool:
        """Its time is over, or will be within that long."""
        return self.signals.go is not None and self.signals.elapsed_ms() >= self.spec.window_ms - before_ms

    def abandon(self) -> None:
        """Stop both sides where they are, within some seconds. Safe to repeat, and in any state."""
        self.signals.abandon()
        self._join(ABANDONED_WITHIN_S)
        if not self.over():
            clear(self._ledger.path)  # whoever waits for a cluster or a load to be ready waits for the dead now
            self._join(ABANDONED_WITHIN_S)

    def _join(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        for side in self.sides.values():
            if side.thread.ident is not None:
                side.thread.join(max(0.0, until - time.monotonic()))

    # --- its end

    def finish(self) -> Results | None:
        """Make a run of it: whole plan, whole history, judged and reported. None if nobody ever shopped.

        Interrupted in the middle, it can be called again; once it is done, it does nothing more.
        """
        try:
            self._ledger.close()
        finally:  # what could not be cleared away is no reason to lose the evidence
            if not self._together:
                self._put_together()
        if self.signals.go is None or self.folder.report.exists():
            return None
        results = write_results(self.folder)
        write_report(self.folder, results, predictions_section(self.folder.root, results))
        closed = self.signals.end_ms is not None and not self.signals.abandoned.is_set()
        if closed:  # one that was left is as an interrupted run: nobody means it by `runs/latest`
            try:
                point_latest(self.folder.root)
            except OSError as error:
                self._watcher.say(f"{self.folder.root.parent / 'latest'} does not point to this round: {error}")
        return results

    def _put_together(self) -> None:
        """The two histories one after the other, and the plan that was carried out."""
        with self.folder.history.open("wb") as history:  # from its beginning: an earlier try may have been cut off
            for side in self.sides.values():
                if side.history.exists():
                    with side.history.open("rb") as part:
                        shutil.copyfileobj(part, history)
        end_ms = self.plan.window_ms if self.signals.end_ms is None else self.signals.end_ms
        plan = as_carried_out(self.plan, end_ms, self.faults.as_they_went(end_ms))
        self._write(plan)
        self._together = True
        # Only now: up to here all of it could be done again.
        for side in self.sides.values():
            side.history.unlink(missing_ok=True)

    def _write(self, plan: Plan) -> None:
        """What it is about; at its end its plan is another than at its beginning."""
        self.provenance = msgspec.structs.replace(self.provenance, plan_sha256=plan_sha256(plan))
        write_run(self.folder, self.provenance, plan, self.scenario)

    # --- how it is told of

    def buttons(self) -> tuple[Button, ...]:
        """What can be broken, once it stands."""
        return buttons_for(self.spec.buttons, (side.cluster for side in self.sides.values()))

    def told_sides(self) -> tuple[RoundSide, ...]:
        """Both sides in the contract's words, once it stands."""
        return tuple(
            RoundSide(
                side=name,
                architecture=side.architecture.name,
                stateful=side.architecture.app == "stateful_app",
                shop_url=f"http://{own_name(side.public.host)}:{side.public.port}" if side.public else "",
                nodes=tuple(node.name for node in side.cluster.nodes()),
                parts=side.cluster.parts(),
                guests=side.accounts,
            )
            for name, side in self.sides.items()
        )


def _make_folder(runs: Path, name: str) -> RunFolder:
    folder = RunFolder(make_folder(runs / name))
    folder.history.touch()
    folder.events.touch()
    return folder
