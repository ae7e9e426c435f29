"""Judges a run: from the files of its folder to its results. Pure: the same files give the same results, at any time.

An architecture that was not measured to its end is inconclusive; one that was never begun is left out. A damaged file
is an error: it proves nothing, not even that.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from loadtests.judging.architecture_judge import Case, Companion, Trial
from loadtests.judging.parts import parts_of, read_part
from loadtests.judging.processes import in_processes
from loadtests.judging.sentence import sentence_of
from loadtests.judging.steps import Steps
from loadtests.judging.verdict import overall
from loadtests.model.events import Event, read_events
from loadtests.model.plan import read_plan_by_person
from loadtests.model.results import SCHEMA, ArchitectureResult, Results
from loadtests.model.run_folder import Provenance, RunFolder, read_file
from loadtests.planning.scenario_file import read_scenario
from shared.errors import RunFolderError
from shared.ndjson import Part

C = TypeVar("C", bound=Companion)

PAYS_BYTES = 24_000_000
"""From so many bytes of history on (80,000 records, half a second), processes save more than it takes to start them."""


def judge(folder: Path) -> Results:
    """The results of a run.

    Raises:
        RunFolderError: a file of the run is missing or damaged; names the file and the line.
    """
    return judge_together(folder, {})[0]


def judge_together(folder: Path, companions: Mapping[str, C]) -> tuple[Results, dict[str, C]]:
    """The same; and each architecture's companion, where there is one, once it has heard all of that history.

    A history of millions is read once, by all that need it. The companions that are returned need not be the objects
    that were given: another process may have told them.

    Raises:
        RunFolderError: as `judge`.
    """
    run = RunFolder(folder)
    provenance = run.read_provenance()
    case = _case(run, provenance)
    events = _events(run, provenance.architectures)
    parts = parts_of(run.history, events)
    in_order = [*parts, *(name for name in events if name not in parts)]
    tasks = [
        _Task(case, name, tuple(events[name]), tuple(events), parts.get(name), companions.get(name))
        for name in in_order
    ]
    told = dict(zip(in_order, _carry_out_all(tasks, run.history), strict=True))
    architectures = {name: told[name][0] for name in events}
    results = Results(
        schema=SCHEMA,
        scenario=provenance.scenario,
        question=case.scenario.question,
        seed=case.plan.seed,
        plan_sha256=provenance.plan_sha256,
        engine=provenance.engine,
        shoppers=len(case.steps.shoppers),
        nodes=case.plan.nodes,
        verdict=overall(result.verdict for result in architectures.values()),
        answer=sentence_of(case.plan.faults, architectures, case.scenario.headline),
        architectures=architectures,
    )
    return results, {name: companion for name, (_, companion) in told.items() if companion is not None}


class _Task(msgspec.Struct, Generic[C], frozen=True):
    """One architecture to be judged; all that it takes, so that another process can do it."""

    case: Case
    architecture: str
    events: tuple[Event, ...]
    begun: tuple[str, ...]
    """All architectures of the run that were begun."""
    part: Part | None
    """Where it stands in the history; None: nowhere."""
    companion: C | None


def _carry_out_all(tasks: list[_Task[C]], history: Path) -> list[tuple[ArchitectureResult, C | None]]:
    """Each architecture in a process of its own, as many at once as there are processors, if that pays."""
    at_once = min(len(tasks), os.cpu_count() or 1)
    if at_once > 1 and history.exists() and history.stat().st_size >= PAYS_BYTES:
        return in_processes(_carry_out, tasks, at_once)
    return [_carry_out(task) for task in tasks]


def _carry_out(task: _Task[C]) -> tuple[ArchitectureResult, C | None]:
    companions = () if task.companion is None else (task.companion,)
    trial = Trial(task.case, task.architecture, task.events, companions)
    history = task.case.run.history
    if task.part is None:
        return trial.judge(lambda: iter(())), task.companion
    return trial.judge(partial(read_part, history, task.architecture, task.part, task.begun)), task.companion


def _case(run: RunFolder, provenance: Provenance) -> Case:
    """Plan and scenario, if they are the ones that were carried out."""
    plan, people = read_plan_by_person(run.plan)
    steps = Steps(people)
    _check_hash(run.plan, run.plan.read_bytes(), provenance.plan_sha256)
    content = read_file(run.scenario)
    scenario = read_scenario(content, file=str(run.scenario), name=provenance.scenario)
    _check_hash(run.scenario, content, provenance.scenario_sha256)
    return Case(run, plan, steps, scenario)


def _check_hash(path: Path, content: bytes, of_the_run: str) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != of_the_run:
        raise RunFolderError(
            f"{path} is not the one that was carried out",
            why=f"its SHA-256 is {found}, that of the run {of_the_run}",
            next_step="run the scenario again: without its plan and its predictions, a history proves nothing",
        )


def _events(run: RunFolder, architectures: tuple[str, ...]) -> dict[str, list[Event]]:
    """The events of all architectures that were begun, in the order in which they were asked for."""
    events: dict[str, list[Event]] = {}
    for event in read_events(run.events):
        events.setdefault(event.architecture, []).append(event)
    return {name: events[name] for name in architectures if name in events}
