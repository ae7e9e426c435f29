from __future__ import annotations

import time
from pathlib import Path
from typing import Literal

import pytest

from compose.cluster import Limits
from loadtests.faults import FAULTS, Evidence, Fault, FaultSteps, Target
from loadtests.faults.kill import Kill
from loadtests.model.events import AtRisk, Event, EventLog, FaultEvent, NodeAdded, read_events
from loadtests.model.plan import PlannedFault
from loadtests.running.fault_run import FaultBounds, FaultRun, Held
from shared.request_log import LoggedSession, RequestLog
from shared.sessions import HeldSession
from tests.loadtests.scripted_cluster import ScriptedCluster
from tests.waiting import until

QUICK = FaultBounds(observed_s=0.05, healed_s=0.05)
SOME_HEALS = FaultBounds(observed_s=0.5, healed_s=5.0)
HELD = {"n2": [HeldSession("aa", "user-0002"), HeldSession("bb", "user-0001"), HeldSession("cc", "user-0001")]}


class NoOpKill(Kill):
    """Says it kills, and does nothing."""

    def inject(self, target: Target) -> None:
        pass


class NeverHeals(Kill):
    def observe_healed(self, target: Target) -> Evidence | None:
        return None


class Explodes(Kill):
    def inject(self, target: Target) -> None:
        raise PermissionError("not allowed to signal")


def carry_out(
    tmp_path: Path, fault: FaultSteps, *, heal_at_ms: int = 20, held: dict[str, list[HeldSession]] | None = None
) -> tuple[FaultRun, list[Event]]:
    path = tmp_path / "events.ndjson"
    log = EventLog(path)
    zero_ns = time.monotonic_ns()
    log.set_zero(zero_ns)
    cluster = ScriptedCluster(tmp_path, dict(HELD if held is None else held))
    fault_run = FaultRun(0, PlannedFault("kill", 10, heal_at_ms, "n2"), fault, cluster, log, zero_ns, QUICK)
    fault_run.start()
    fault_run.join(timeout=30)
    assert not fault_run.is_alive()
    return fault_run, list(read_events(path)) if path.exists() else []


def phases(events: list[Event]) -> list[str]:
    return [event.phase for event in events if isinstance(event, FaultEvent)]


def test_every_step_is_written_with_times_in_order(tmp_path: Path) -> None:
    _, events = carry_out(tmp_path, FAULTS["kill"])
    assert phases(events) == ["injected", "observed", "healed", "observed_healed"]
    times = [event.at_us for event in events]
    assert times == sorted(times)
    assert times[0] >= 10_000
    assert all(event.evidence for event in events if isinstance(event, FaultEvent) and "observed" in event.phase)


def test_who_was_at_risk_is_read_before_the_hit(tmp_path: Path) -> None:
    _, events = carry_out(tmp_path, FAULTS["kill"])
    (at_risk,) = [event for event in events if isinstance(event, AtRisk)]
    assert at_risk.users == ("user-0001", "user-0002")


def test_a_kill_that_does_not_kill_is_not_observed(tmp_path: Path) -> None:
    _, events = carry_out(tmp_path, NoOpKill())
    assert phases(events)[:2] == ["injected", "not_observed"]
    assert "observed" not in phases(events)


def test_an_empty_victim_is_written_as_empty(tmp_path: Path) -> None:
    _, events = carry_out(tmp_path, FAULTS["kill"], held={})
    (at_risk,) = [event for event in events if isinstance(event, AtRisk)]
    assert at_risk.users == ()


def test_a_healing_that_was_not_seen_is_said(tmp_path: Path) -> None:
    _, events = carry_out(tmp_path, NeverHeals())
    assert phases(events)[-1] == "not_healed"


def test_an_error_in_the_doing_reaches_the_owner(tmp_path: Path) -> None:
    fault_run, events = carry_out(tmp_path, Explodes())
    assert isinstance(fault_run.error, PermissionError)
    assert phases(events) == ["injected"], "written before it is done: what the blow changes comes after it"


def test_a_fault_that_is_abandoned_after_its_blow_heals_nothing(tmp_path: Path) -> None:
    """The cluster is being stopped by then: healing would start a node that nobody ends."""
    log = EventLog(tmp_path / "events.ndjson")
    zero_ns = time.monotonic_ns()
    log.set_zero(zero_ns)
    cluster = ScriptedCluster(tmp_path)
    fault_run = FaultRun(0, PlannedFault("kill", 0, 60_000, "n2"), FAULTS["kill"], cluster, log, zero_ns, QUICK)
    fault_run.start()
    assert until(lambda: cluster.calls == ["kill n2"])
    fault_run.abandon()
    fault_run.join(timeout=30)
    assert not fault_run.is_alive()
    assert cluster.calls == ["kill n2"]
    assert "healed" not in phases(list(read_events(tmp_path / "events.ndjson")))


@pytest.mark.parametrize("at_ms", [60_000, 3_600_000])
def test_an_abandoned_fault_ends_at_once(tmp_path: Path, at_ms: int) -> None:
    log = EventLog(tmp_path / "events.ndjson")
    zero_ns = time.monotonic_ns()
    cluster = ScriptedCluster(tmp_path)
    fault_run = FaultRun(0, PlannedFault("kill", at_ms, at_ms + 1, "n2"), FAULTS["kill"], cluster, log, zero_ns, QUICK)
    fault_run.start()
    fault_run.abandon()
    fault_run.join(timeout=30)
    assert not fault_run.is_alive()
    assert cluster.calls == []


def strike(
    tmp_path: Path, planned: PlannedFault, fault: FaultSteps, *, architecture: str = "sticky-memory",
    held: dict[str, list[HeldSession]] | None = None,
) -> tuple[ScriptedCluster, list[Event]]:  # fmt: skip
    """The same for any fault and architecture."""
    log = EventLog(tmp_path / "events.ndjson")
    zero_ns = time.monotonic_ns()
    log.set_zero(zero_ns)
    limits = fault.prepare(Limits()) if isinstance(fault, Fault) else Limits()  # a placebo has none of its own
    cluster = ScriptedCluster(tmp_path, dict(held or {}), architecture=architecture, limits=limits)
    fault_run = FaultRun(0, planned, fault, cluster, log, zero_ns, SOME_HEALS)
    fault_run.start()
    fault_run.join(timeout=30)
    assert not fault_run.is_alive()
    assert fault_run.error is None
    return cluster, list(read_events(tmp_path / "events.ndjson"))


@pytest.mark.parametrize(
    ("kind", "victim", "architecture", "words"),
    [
        ("store-kill", "store", "sticky-memory", "sticky-memory has no store"),
        ("replica-cut", "replica", "redis", "redis has no replica"),
        ("store-cut", "n1", "signed-token", "signed-token has no session store to reach"),
        ("no-affinity", "cluster", "redis", "redis has no affinity: its balancer picks by round-robin"),
    ],
)
def test_where_there_is_nothing_nothing_is_done(
    tmp_path: Path, kind: str, victim: str, architecture: str, words: str
) -> None:
    cluster, events = strike(tmp_path, PlannedFault(kind, 0, 10, victim), FAULTS[kind], architecture=architecture)
    (event,) = events
    assert isinstance(event, FaultEvent)
    assert (event.phase, event.evidence) == ("nothing_there", (words,))
    assert cluster.calls == []


def test_a_part_that_is_no_node_puts_nobody_at_risk(tmp_path: Path) -> None:
    _, events = strike(tmp_path, PlannedFault("store-kill", 0, 10, "store"), FAULTS["store-kill"], architecture="redis")
    assert phases(events) == ["injected", "observed", "healed", "observed_healed"]
    assert not [event for event in events if isinstance(event, AtRisk)]


def test_what_takes_no_memory_puts_nobody_at_risk(tmp_path: Path) -> None:
    _, events = strike(tmp_path, PlannedFault("freeze", 0, 10, "n2"), FAULTS["freeze"], held=HELD)
    assert phases(events) == ["injected", "observed", "healed", "observed_healed"]
    assert not [event for event in events if isinstance(event, AtRisk)]


def test_what_strikes_no_part_has_none_that_was_looked_at_before(tmp_path: Path) -> None:
    _, events = strike(tmp_path, PlannedFault("no-affinity", 0, 10, "cluster"), FAULTS["no-affinity"])
    assert phases(events) == ["injected", "observed", "healed", "observed_healed"]


def test_a_node_that_was_added_is_written_down(tmp_path: Path) -> None:
    _, events = strike(tmp_path, PlannedFault("scale-out", 0, 10, "cluster"), FAULTS["scale-out"])
    assert [event.node for event in events if isinstance(event, NodeAdded)] == ["n4"]
    assert phases(events) == ["injected", "observed", "healed", "observed_healed"]


def test_a_deploy_takes_the_memory_when_it_is_healed(tmp_path: Path) -> None:
    """Draining takes nothing; who was at risk is read when the restart begins, and healing goes on step by step."""
    cluster, events = strike(tmp_path, PlannedFault("deploy", 0, 10, "n2"), FAULTS["deploy"], held=HELD)
    assert cluster.calls == ["drain n2", "terminate n2", "start n2", "undrain n2"]
    names = [event.phase if isinstance(event, FaultEvent) else "at risk" for event in events]
    assert names == ["injected", "observed", "healed", "at risk", "observed_healed"]
    (at_risk,) = [event for event in events if isinstance(event, AtRisk)]
    assert at_risk.users == ("user-0001", "user-0002")


def test_a_condition_is_seen_at_both_ends(tmp_path: Path) -> None:
    _, events = strike(tmp_path, PlannedFault("workers", 0, 10, "cluster"), FAULTS["workers"])
    assert phases(events) == ["injected", "observed", "healed", "observed_healed"]


def line(
    event: Literal["opened", "ended"], user: str, session: str, at_us: int | None = None, boot: str = "b"
) -> LoggedSession:
    return LoggedSession(at_us or time.time_ns() // 1000, event, "r", "n2", boot, user, session)


def test_sessions_opened_and_ended_after_the_answer_count(tmp_path: Path) -> None:
    """Between the node's answer and its death it went on serving: its log has the rest."""
    cluster = ScriptedCluster(tmp_path, {"n2": [HeldSession("aa", "user-0001"), HeldSession("bb", "user-0002")]})
    log = RequestLog(tmp_path / "n2.requests.ndjson")
    log.write(line("opened", "user-0009", "old", at_us=1))
    held = Held(cluster, "n2", "b")
    log.write(line("opened", "user-0003", "cc"), line("ended", "user-0001", "aa"))
    log.write(line("opened", "user-0004", "dd", boot="the next start"))
    log.close()
    assert held.users() == ("user-0002", "user-0003")


def test_a_node_that_holds_nothing_or_has_no_log(tmp_path: Path) -> None:
    cluster = ScriptedCluster(tmp_path)
    assert Held(cluster, "n1", "1").users() == ()
    cluster.kill("n1")
    held = Held(cluster, "n1", None)
    assert held.users() == ()
    assert "did not say" in held.source


def test_what_a_node_opened_elsewhere_it_does_not_hold(tmp_path: Path) -> None:
    cluster = ScriptedCluster(tmp_path, architecture="redis")
    log = RequestLog(tmp_path / "n2.requests.ndjson")
    held = Held(cluster, "n2", "b")
    log.write(line("opened", "user-0003", "cc"))
    log.close()
    assert held.users() == ()


def test_guests_are_left_out_and_counted(tmp_path: Path) -> None:
    held_by_n2 = [HeldSession("aa", "user-0001"), HeldSession("bb", "user-0061"), HeldSession("cc", "user-0062")]
    cluster = ScriptedCluster(tmp_path, {"n2": held_by_n2})
    held = Held(cluster, "n2", "b", guests={"user-0061", "user-0062", "user-0063"})
    assert held.users() == ("user-0001",)
    assert "own list of 3 sessions" in held.source
    assert held.source.endswith("; without 2 guests")
