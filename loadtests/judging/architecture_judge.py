"""One architecture under the plan: its history and logs in, its result out."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any, Protocol

import msgspec

from compose.balancers.access_log import AccessLine
from loadtests.checks import CHECKS
from loadtests.judging.affected_users import AffectedUsers, HeldByLog
from loadtests.judging.books import Books, ClosedBooks, Steps
from loadtests.judging.costs import CostCounter
from loadtests.judging.experiment import (
    at_risk_doubts,
    at_risk_users,
    choice_doubts,
    experiment_steps,
    fault_doubts,
    load_doubts,
)
from loadtests.judging.latency import GeneratorLag, WaitCounter, WithoutService
from loadtests.judging.replay import HistoryReplay, Tallies
from loadtests.judging.three_logs import History, Sources, ThreeLogs
from loadtests.judging.verdict import (
    NOT_TO_ITS_END,
    NOTHING_PREDICTED,
    expected_of,
    judge_thresholds,
    predictions_for,
    thresholds_of,
    verdict_of,
)
from loadtests.model.application import cannot_count
from loadtests.model.events import Event
from loadtests.model.formulas import Terms
from loadtests.model.history import Exchange, Record
from loadtests.model.plan import Plan
from loadtests.model.results import ArchitectureResult, Reconciliation
from loadtests.model.run_folder import RunFolder
from loadtests.model.scenario import Scenario
from loadtests.session_model.timeline import run_timeline
from shared.plurals import counted
from shared.request_log import LogRecord


class HistoryListener(Protocol):
    """Somebody else who wants to hear the history while it is read: the report, say, which draws it."""

    def add(self, *exchanges: Exchange) -> None:
        """What comes next."""


class RunInput(msgspec.Struct, frozen=True):
    """What is known before anything of the history is read; the same for every architecture."""

    run: RunFolder
    plan: Plan
    """Without its shoppers: they are in `steps`."""
    steps: Steps
    scenario: Scenario


class ArchitectureJudge:
    """One architecture under the plan: feeds its records to all that count them, then draws them together."""

    def __init__(
        self, case: RunInput, architecture: str, events: Sequence[Event], companion: HistoryListener | None = None
    ) -> None:
        scene, plan, scenario = run_timeline(architecture, events, case.plan.faults), case.plan, case.scenario
        self._logs = case.run.logs(architecture)
        self._plan = plan
        self._expected = expected_of(scenario, scene)
        self._foreseen = [fault.kind for fault in scenario.fault]
        self._fail_if = thresholds_of(scenario.fail_if, architecture)
        self._scene = scene
        self._replay = HistoryReplay(scene)
        # The steps of all architectures are the same; what was ticked off is not.
        self._books = Books(case.steps.afresh(), by_status=scene.can.answers_by_status)
        self._tallies = Tallies(scene)
        self._spending = CostCounter(scene, events, plan.window_ms * 1000)
        self._waits = WaitCounter()
        self._without_service = WithoutService(plan.window_ms * 1000)
        self._three_logs = ThreeLogs(scene)
        self._affected = AffectedUsers(scene)
        self._held = None if scene.can.lists_sessions else HeldByLog(scene)
        self._lateness = GeneratorLag(plan.client)
        self._adds: tuple[Callable[..., None], ...] = (
            self._replay.add,
            self._books.add,
            self._tallies.add,
            self._spending.add,
            self._waits.add,
            self._without_service.add,
            self._three_logs.add,
            self._lateness.add,
            *(listener.add for listener in (self._held, companion) if listener is not None),
        )

    def judge(self, history: History) -> ArchitectureResult:
        """What this architecture did."""
        sources = Sources(history, self._logs, self._scene.all_nodes, self._scene.epoch_us or 0)
        (sources.read_in_step if self._three_logs.in_step else sources.read_in_turn)(self)
        self._replay.close()
        if self._held is not None:
            self._scene = msgspec.structs.replace(self._scene, faults=self._held.faults())
        books = self._books.close(self._replay, orders_read=self._scene.finished)
        by_balancer = self._affected.at_risk()
        reconciliation = msgspec.structs.replace(
            self._three_logs.close(sources), at_risk_by_balancer=None if by_balancer is None else len(by_balancer)
        )
        # First without a verdict: predictions are read from the result as everybody else reads it.
        result = self._result(books, reconciliation)
        # Half a measurement can refute nothing, and of a control something else is expected.
        expected = self._expected if self._scene.finished and not self._plan.control else {}
        terms = Terms(result.shoppers, self._plan.nodes, result.at_risk or 0, self._scene.limits.node_workers)
        predictions, no_value = predictions_for(expected, result, terms)
        fail_if = self._fail_if if self._scene.finished else {}
        thresholds, no_limit = judge_thresholds(fail_if, result, terms)
        doubts = [*self._doubts(books, reconciliation), *no_value, *no_limit]
        verdict, reasons = verdict_of(doubts, predictions, () if self._expected else thresholds)
        return msgspec.structs.replace(
            result, verdict=verdict, reasons=reasons, predictions=predictions, thresholds=thresholds
        )

    def add_records(self, records: list[Record]) -> None:
        """Everybody hears of a piece of the history, one after the other: none needs to know of the others.

        So what one of them keeps stays in the processor's caches: a fifth less time than record by record.
        """
        # By kind, in order: orders come after all exchanges, so that this makes two groups in a whole history.
        for kind, alike in groupby(records, key=type):
            some: list[Any] = list(alike)
            if kind is not Exchange:
                for order in some:
                    self._replay.add_order(order)
                continue
            if self._scene.retries:
                some = list(map(self._scene.as_judged, some))
            for add in self._adds:
                add(*some)

    def add_lines(self, lines: list[AccessLine]) -> None:
        """What the balancer passed on."""
        self._affected.add(*lines)
        self._three_logs.add_lines(lines)

    def add_node(self, node: str, records: list[LogRecord]) -> None:
        """What a node was asked."""
        self._three_logs.add_node(node, records)

    def _doubts(self, books: ClosedBooks, reconciliation: Reconciliation) -> Iterator[str]:
        """Every reason why this architecture's part of the run proves nothing."""
        scene = self._scene
        if not scene.finished:
            yield f"{NOT_TO_ITS_END}: {scene.interrupted or 'the run was cut off'}"
        if not self._expected and not self._fail_if:
            yield NOTHING_PREDICTED
        if not scene.finished:
            return
        if self._plan.control:
            yield f"it is a control ({self._plan.control}): the scenario predicts what happens with the fault"
        else:
            yield from fault_doubts(scene, self._affected)
            if self._expected or self._fail_if:
                yield from choice_doubts(self._foreseen, scene)
            yield from at_risk_doubts(at_risk_users(scene), self._affected.at_risk())
        yield from load_doubts(scene, books.actions, self._lateness.late)
        for problem in books.problems:
            yield f"the books do not balance: {problem}"
        if reconciliation.mismatch_count:
            first, count = reconciliation.mismatches[0], reconciliation.mismatch_count
            yield (
                f"the logs of client, balancer and nodes disagree on {counted(count, 'request')}, "
                f"for example {first.request}: {first.what}"
            )
        for kind, what in self._replay.crashed.items():
            yield f"the check {kind!r} crashed, so nobody knows what it would have found: {what}"
        for name, what in self._tallies.crashed.items():
            yield f"the tally {name!r} crashed, so nobody knows what it would have counted: {what}"

    def _result(self, books: ClosedBooks, reconciliation: Reconciliation) -> ArchitectureResult:
        """Everything but the verdict."""
        losses = self._replay.losses()
        lost = Counter(loss.kind for loss in losses)
        facts = self._scene.application
        # Where a loss could happen unseen, a number that was seen counts and a 0 does not: None, not measured.
        fields: dict[str, Any] = {
            check.field: (lost[check.kind] or None) if cannot_count(check.field, facts) else lost[check.kind]
            for check in CHECKS.values()
            if check.field
        }
        return ArchitectureResult(
            verdict="inconclusive",
            reasons=(),
            shoppers=books.users.shoppers,
            at_risk=self._at_risk(),
            served_by_victim=self._affected.served_by_victim(),
            logged_out=books.logged_out,
            logged_out_before_fault=self._logged_out_before_fault(),
            **fields,
            counts=self._tallies.close(),
            actions=books.actions,
            users=books.users,
            items=books.items,
            seconds_without_service=self._without_service.close(),
            latency_ms=self._waits.close(),
            costs=self._spending.close(),
            losses=losses,
            predictions=(),
            reconciliation=reconciliation,
            experiment=experiment_steps(self._scene),
            facts_checked=self._replay.facts(),
            books_balance=not books.problems,
            faults=self._scene.faults,
            application=facts or msgspec.UNSET,
        )

    def _at_risk(self) -> int | None:
        takers = [fault for fault in self._scene.faults if fault.takes_memory and fault.injected_us is not None]
        # None and not 0: nobody could look, and "nobody was at risk" would be a finding.
        if self._held is not None and any(fault.at_risk is None for fault in takers):
            return None
        return len(at_risk_users(self._scene))

    def _logged_out_before_fault(self) -> int:
        """Without a fault, everybody who was logged out was so before it."""
        fault_us = self._scene.first_injected_us
        times = (person.first_out_us for person in self._replay.people.values())
        return sum(fault_us is None or at_us < fault_us for at_us in times if at_us is not None)
