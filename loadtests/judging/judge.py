"""Judges a run: from the files of its folder to its results. Pure: the same files give the same results, at any time.

An architecture that was not measured to its end is inconclusive; one that was never begun is left out. A damaged file
is an error: it proves nothing, not even that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

import msgspec

from compose.access_log import read_access_log
from loadtests.events import Event, read_events
from loadtests.history import Exchange, Record, read_history
from loadtests.judging.books import Books, ClosedBooks
from loadtests.judging.costs import Spending
from loadtests.judging.experiment import (
    at_risk_doubts,
    at_risk_users,
    choice_doubts,
    experiment_steps,
    fault_doubts,
    load_doubts,
)
from loadtests.judging.hits import Hits
from loadtests.judging.latency import Waits, WithoutService
from loadtests.judging.lateness import Lateness
from loadtests.judging.predictions import Terms
from loadtests.judging.reconcile import Reconciler, list_mismatches
from loadtests.judging.replay import Replay
from loadtests.judging.scene import scene_of
from loadtests.judging.sentence import sentence_of
from loadtests.judging.tallies import Tallies
from loadtests.judging.thresholds import in_their_stead, judge_thresholds, thresholds_of
from loadtests.judging.verdict import NOTHING_PREDICTED, overall, predictions_for, verdict_of
from loadtests.plan import Plan, read_plan
from loadtests.results import SCHEMA, ArchitectureResult, Loss, LossKind, Reconciliation, Results
from loadtests.run_folder import Provenance, RunFolder, read_file
from loadtests.scenario import Scenario, read_scenario
from shared.errors import RunFolderError
from shared.request_log import read_request_log


def judge(folder: Path) -> Results:
    """The results of a run.

    Raises:
        RunFolderError: a file of the run is missing or damaged; names the file and the line.
    """
    run = RunFolder(folder)
    provenance = run.read_provenance()
    plan = _plan(run, provenance.plan_sha256)
    scenario = _scenario(run, provenance)
    events = _events(run, provenance.architectures)
    results: dict[str, ArchitectureResult] = {}
    for name, records in _by_architecture(run.history, events):
        results[name] = Trial(run, plan, scenario, name, events[name]).judge(records)
    architectures = {
        name: results.get(name) or Trial(run, plan, scenario, name, told).judge(()) for name, told in events.items()
    }
    return Results(
        schema=SCHEMA,
        scenario=provenance.scenario,
        question=scenario.question,
        seed=plan.seed,
        plan_sha256=provenance.plan_sha256,
        engine=provenance.engine,
        shoppers=len(plan.shoppers),
        nodes=plan.nodes,
        verdict=overall(result.verdict for result in architectures.values()),
        answer=sentence_of(plan.faults, architectures, scenario.headline),
        architectures=architectures,
    )


def _plan(run: RunFolder, carried_out: str) -> Plan:
    """The plan, if it is the one that was carried out."""
    plan = read_plan(run.plan)
    _check_hash(run.plan, run.plan.read_bytes(), carried_out)
    return plan


def _check_hash(path: Path, content: bytes, of_the_run: str) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != of_the_run:
        raise RunFolderError(
            f"{path} is not the one that was carried out",
            why=f"its SHA-256 is {found}, that of the run {of_the_run}",
            next_step="run the scenario again: without its plan and its predictions, a history proves nothing",
        )


class Trial:
    """One architecture under the plan: feeds its records to all that count them, then draws them together."""

    def __init__(
        self, run: RunFolder, plan: Plan, scenario: Scenario, architecture: str, events: Sequence[Event]
    ) -> None:
        scene = scene_of(architecture, events)
        self._logs = run.logs(architecture)
        self._plan = plan
        self._expected = scenario.expect.get(architecture, {})
        self._foreseen = [fault.kind for fault in scenario.fault]
        self._fail_if = thresholds_of(scenario.fail_if, architecture)
        self._scene = scene
        self._replay = Replay(scene)
        self._books = Books(plan)
        self._tallies = Tallies(scene)
        self._spending = Spending(scene, events, plan.window_ms * 1000)
        self._waits = Waits()
        self._without_service = WithoutService(plan.window_ms * 1000)
        self._reconciler = Reconciler(
            retries=scene.retries, balancer_fell=scene.balancer_fell, is_guests=scene.is_guests
        )
        self._hits = Hits(scene)
        self._lateness = Lateness(plan.client)
        self._hear: tuple[Callable[[Exchange], None], ...] = (
            self._replay.add,
            self._books.add,
            self._tallies.add,
            self._spending.add,
            self._waits.add,
            self._without_service.add,
            self._reconciler.add_exchange,
            self._lateness.add,
        )

    def judge(self, records: Iterable[Record]) -> ArchitectureResult:
        """What this architecture did."""
        for record in records:
            if isinstance(record, Exchange):
                self._add(record)
            else:
                self._replay.add_order(record)
        self._replay.close()
        books = self._books.close(self._replay, orders_read=self._scene.finished)
        reconciliation = self._reconcile()
        result = self._result(books, reconciliation)
        expected = self._expected if self._scene.finished and not self._plan.control else {}
        terms = Terms(result.shoppers, self._plan.nodes, result.at_risk, self._scene.limits.node_workers)
        predictions, no_value = predictions_for(expected, result, terms)
        fail_if = self._fail_if if self._scene.finished else {}
        thresholds, no_limit = judge_thresholds(fail_if, result, terms)
        verdict, reasons = verdict_of([*self._doubts(books, reconciliation), *no_value, *no_limit], predictions)
        if not self._expected:
            verdict, reasons = in_their_stead(verdict, reasons, thresholds)
        return msgspec.structs.replace(
            result, verdict=verdict, reasons=reasons, predictions=predictions, thresholds=thresholds
        )

    def _add(self, exchange: Exchange) -> None:
        for hear in self._hear:
            hear(exchange)

    def _reconcile(self) -> Reconciliation:
        """Compare the three logs; not for an architecture that was cut off, whose logs end anywhere."""
        for line in read_access_log(self._logs / "access.ndjson"):
            self._hits.add(line)
            self._reconciler.add_line(line)
        for node in self._scene.all_nodes:
            log = self._logs / f"{node}.requests.ndjson"
            self._reconciler.add_node(node, read_request_log(log) if log.exists() else ())
        mismatches = self._reconciler.mismatches() if self._scene.finished else ()
        listed, count = list_mismatches(mismatches)
        by_balancer = self._hits.at_risk()
        return Reconciliation(
            *self._reconciler.counts, listed, count, None if by_balancer is None else len(by_balancer),
            self._reconciler.by_guests,
        )  # fmt: skip

    def _doubts(self, books: ClosedBooks, reconciliation: Reconciliation) -> Iterator[str]:
        """Every reason why this architecture's part of the run proves nothing."""
        scene = self._scene
        if not scene.finished:
            yield f"it was not measured to its end: {scene.interrupted or 'the run was cut off'}"
            return
        if not self._expected and not self._fail_if:
            yield NOTHING_PREDICTED
        if self._plan.control:
            yield f"it is a control ({self._plan.control}): the scenario predicts what happens with the fault"
        else:
            yield from fault_doubts(self._plan.faults, scene, self._hits)
            if self._expected or self._fail_if:
                yield from choice_doubts(self._foreseen, self._plan.faults, scene)
            yield from at_risk_doubts(at_risk_users(scene), self._hits.at_risk())
        yield from load_doubts(scene, books.actions, self._lateness.late)
        for problem in books.problems:
            yield f"the books do not balance: {problem}"
        if reconciliation.mismatch_count:
            first = reconciliation.mismatches[0]
            yield (
                f"the logs of client, balancer and nodes disagree on {reconciliation.mismatch_count} requests, "
                f"for example {first.request}: {first.what}"
            )
        for kind, what in self._replay.crashed.items():
            yield f"the check {kind!r} crashed, so nobody knows what it would have found: {what}"
        for name, what in self._tallies.crashed.items():
            yield f"the tally {name!r} crashed, so nobody knows what it would have counted: {what}"

    def _result(self, books: ClosedBooks, reconciliation: Reconciliation) -> ArchitectureResult:
        """Everything but the verdict."""
        losses = self._replay.losses()
        return ArchitectureResult(
            verdict="inconclusive",
            reasons=(),
            shoppers=books.users.shoppers,
            at_risk=len(at_risk_users(self._scene)),
            served_by_victim=self._hits.served_by_victim(),
            logged_out=books.logged_out,
            logged_out_before_fault=self._logged_out_before_fault(),
            carts_lost=_count(losses, "cart_lost"),
            items_lost=_count(losses, "items_lost"),
            carts_rolled_back=_count(losses, "cart_rolled_back"),
            wrong_user=_count(losses, "wrong_user"),
            orders_lost=_count(losses, "order_lost"),
            orders_duplicated=_count(losses, "order_duplicated"),
            still_logged_in=_count(losses, "still_logged_in"),
            sessions_shared=_count(losses, "session_shared"),
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
            experiment=experiment_steps(self._plan.faults, self._scene),
            facts_checked=self._replay.facts(),
            books_balance=not books.problems,
        )

    def _logged_out_before_fault(self) -> int:
        """Without a fault, everybody who was logged out was so before it."""
        fault_us = self._scene.first_injected_us
        out = [person.first_out_us for person in self._replay.people.values() if person.logouts]
        return len(out) if fault_us is None else sum(at_us < fault_us for at_us in out)


def _count(losses: Iterable[Loss], kind: LossKind) -> int:
    return sum(loss.kind == kind for loss in losses)


def _scenario(run: RunFolder, provenance: Provenance) -> Scenario:
    """The scenario, if its predictions are the ones that stood before the run."""
    content = read_file(run.scenario)
    scenario = read_scenario(content, file=str(run.scenario), name=provenance.scenario)
    _check_hash(run.scenario, content, provenance.scenario_sha256)
    return scenario


def _events(run: RunFolder, architectures: tuple[str, ...]) -> dict[str, list[Event]]:
    """The events of all architectures that were begun, in the order in which they were asked for."""
    events: dict[str, list[Event]] = {}
    for event in read_events(run.events):
        events.setdefault(event.architecture, []).append(event)
    return {name: events[name] for name in architectures if name in events}


def _by_architecture(history: Path, begun: Collection[str]) -> Iterator[tuple[str, Iterator[Record]]]:
    """The records of each architecture, which stand together."""
    seen = set()
    for name, records in groupby(read_history(history), key=lambda record: record.architecture):
        if name in seen or name not in begun:
            raise RunFolderError(
                f"{history.name} tells of {name!r} {'twice' if name in seen else 'and no event does'}",
                why="the records of one architecture stand together, and its events beside them",
                next_step="run the scenario again: a history that was put together otherwise proves nothing",
            )
        seen.add(name)
        yield name, records
