"""Did the experiment happen? The steps of each fault, planned and seen, and the reasons why a run proves nothing."""

import statistics
from collections.abc import Iterable, Iterator

from loadtests.judging.affected_users import AffectedUsers
from loadtests.model.fault_timeline import FaultTimeline
from loadtests.model.results import ActionBook, ExperimentStep
from loadtests.session_model.timeline import RunTimeline
from shared.plurals import counted

HIT_NOBODY = "hit nobody"
NOT_SEEN_BACK = "was healed, and nobody observed that it was"
"""How two reasons are told that may be a balancer's own doing: it sent the victim nobody, or does not take it back."""
LATE_SHARE = 0.02
"""More planned actions than this late by the load generator's doing: the load was not the planned one."""
LOAD_CPU_PERCENT = 80.0
"""Median CPU of a load process above this: its own slowness may be what was measured."""


def experiment_steps(run: RunTimeline) -> tuple[ExperimentStep, ...]:
    """The steps of all faults, in order of time."""
    steps = [
        ExperimentStep(fault.fault, "planned", fault.planned_us / 1000, fault.victim)
        for fault in run.faults
        if fault.planned_us is not None
    ]
    steps += [
        ExperimentStep(event.fault, event.phase, event.at_us / 1000, event.victim, event.evidence)
        for event in run.fault_events
    ]
    # The plan first, by whatever clock: a table whose first line is "injected" reads as if nobody had planned it.
    return tuple(sorted(steps, key=lambda step: (step.fault, step.step != "planned", step.at_ms)))


def fault_doubts(run: RunTimeline, affected: AffectedUsers) -> Iterator[str]:
    """Why a fault does not count: it was not seen, it was not seen to heal, or it hit nobody.

    One that found nothing to strike is no doubt: the architecture's own prediction says what that is worth. For one
    that somebody chose to make elsewhere see `choice_doubts`.
    """
    for fault in run.faults:
        if fault.planned_us is None or fault.nothing_there or fault.not_applied:
            continue
        name = f"the {fault.kind} of {fault.victim}" if fault.on_node else f"the {fault.kind}"
        if fault.injected_us is None:
            yield f"{name} was planned and never injected"
            continue
        yield from (f"{name} {doubt}" for doubt in _step_doubts(fault))
        if fault.takes_memory and run.store == "memory" and (run.can.lists_sessions or fault.at_risk is not None):
            # Empty or None: that nobody was at risk and that nobody looked prove the same, which is nothing.
            if not fault.at_risk:
                unread = " (nobody read its sessions)" if fault.at_risk is None else ""
                yield f"{name} {HIT_NOBODY}: the node held no session of a logged-in shopper{unread}"
        elif not run.can.behind_our_balancer:
            continue  # no log says whom it reached: that it was observed is all that is known
        # A fault that takes no memory has nobody at risk; all the same, somebody must have met it.
        elif not affected.reached(fault.fault):
            yield f"{name} {HIT_NOBODY}: {_WHOM[fault.on_node]}"


def choice_doubts(foreseen: Iterable[str], run: RunTimeline) -> Iterator[str]:
    """Why what was predicted was not put to the test, where people chose the faults: nobody made it, or not here.

    An architecture that was spared did nothing wrong and proved nothing: that it lost nobody after a fault which it
    never met must not read as a prediction that came true. If it met another fault of the kind, it was tested. In a run
    that was planned all that is foreseen is made, and everywhere.
    """
    made = {fault.kind for fault in run.faults if fault.planned_us is not None}
    for kind in dict.fromkeys(foreseen):
        if kind not in made:
            yield f"nobody made a {kind}, which the scenario is about"
    met = {fault.kind for fault in run.faults if fault.injected_us is not None or fault.nothing_there}
    elsewhere = {fault.kind: fault.not_applied for fault in run.faults if fault.not_applied}
    for kind, words in elsewhere.items():
        if kind not in met:
            yield f"the {kind} was not made here: {words}"


_WHOM = {
    True: "the node was asked nothing from a second before until it was over",
    False: "no request reached the shop while it lasted",
}
"""Whom a fault that takes no memory must reach, by whether it strikes a node."""


def _step_doubts(fault: FaultTimeline) -> Iterator[str]:
    """What was not seen of a fault that was injected."""
    if fault.observed_us is None:
        yield "was injected, and nobody observed that it happened"
    if fault.healed_us is None:
        yield "was never healed"
    elif fault.observed_healed_us is None:
        yield "stays, and nobody observed that at its end" if fault.stays else NOT_SEEN_BACK


def load_doubts(run: RunTimeline, actions: ActionBook, late: int) -> Iterator[str]:
    """Why the load was not the planned one."""
    ended = run.ended
    if ended is not None and not ended.clean:
        yield f"the load did not end cleanly{': ' + ended.why if ended.why else ''}"
    if late > LATE_SHARE * actions.planned:
        share = f"{100 * late / actions.planned:.1f} %"
        yield (
            f"{late} of {actions.planned} planned actions ({share}) were not sent, because it was too late for them "
            f"though nobody kept the shoppers waiting: the load generator was too slow for this plan"
        )
    if run.load_cpu and (cpu := statistics.median(run.load_cpu)) > LOAD_CPU_PERCENT:
        yield f"the load generator used {cpu:.0f} % of a core (median), more than {LOAD_CPU_PERCENT:.0f} %: too slow"


def at_risk_users(run: RunTimeline) -> set[str]:
    """Users whose sessions a victim held when it was hit, by what the victims said."""
    return {user for fault in run.faults for user in fault.at_risk or ()}


def at_risk_doubts(by_victim: set[str], by_balancer: set[str] | None) -> Iterator[str]:
    """The two sources of *at risk* must name the same people."""
    if by_balancer is None or by_balancer == by_victim:
        return
    differing = sorted(by_victim ^ by_balancer)
    named = ", ".join(differing[:3]) + (", …" if len(differing) > 3 else "")
    yield (
        f"the victim says it held the sessions of {counted(len(by_victim), 'shopper')}, "
        f"the balancer's log says {len(by_balancer)}: they differ on {named}"
    )
