"""Judges a run: from the files of its folder to its results. Pure: the same files give the same results, at any time.

An architecture that was not measured to its end is inconclusive; one that was never begun is left out. A damaged file
is an error: it proves nothing, not even that.
"""

from __future__ import annotations

import hashlib
import os
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Generic, TypeVar

import msgspec

from loadtests.faults import FAULTS
from loadtests.judging.architecture_judge import ArchitectureJudge, HistoryListener, RunInput
from loadtests.judging.books import Steps
from loadtests.judging.processes import in_processes
from loadtests.judging.sentence import sentence_of
from loadtests.judging.verdict import overall
from loadtests.model.events import Event, read_events
from loadtests.model.history import Record, read_history, read_history_batches
from loadtests.model.plan import read_plan_by_person
from loadtests.model.results import EARLIER, SCHEMA, ArchitectureResult, Results
from loadtests.model.run_folder import Provenance, RunFolder, read_document, read_file
from loadtests.planning.scenario_file import read_scenario
from shared.errors import RunFolderError
from shared.ndjson import UNDECODABLE, FilePart

C = TypeVar("C", bound=HistoryListener)

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
    files = files_of(run, provenance.architectures)
    tasks = [_Task(case, its, companions.get(name)) for name, its in files.items()]
    told = dict(zip(files, _carry_out_all(tasks, run.history), strict=True))
    # In the order asked for, which is that of every table.
    architectures = {name: told[name][0] for name in provenance.architectures if name in told}
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

    case: RunInput
    files: ArchitectureFiles
    companion: C | None


def _carry_out_all(tasks: list[_Task[C]], history: Path) -> list[tuple[ArchitectureResult, C | None]]:
    """Each architecture in a process of its own, as many at once as there are processors, if that pays."""
    at_once = min(len(tasks), os.cpu_count() or 1)
    if at_once > 1 and history.exists() and history.stat().st_size >= PAYS_BYTES:
        return in_processes(_carry_out, tasks, at_once)
    return [_carry_out(task) for task in tasks]


def _carry_out(task: _Task[C]) -> tuple[ArchitectureResult, C | None]:
    files = task.files
    trial = ArchitectureJudge(task.case, files.architecture, files.events, task.companion)
    return trial.judge(files.records), task.companion


def _case(run: RunFolder, provenance: Provenance) -> RunInput:
    """Plan and scenario, if they are the ones that were carried out."""
    plan, people = read_plan_by_person(run.plan)
    steps = Steps(people)
    _check_hash(run.plan, run.plan.read_bytes(), provenance.plan_sha256)
    content = read_file(run.scenario)
    scenario = read_scenario(content, file=str(run.scenario), name=provenance.scenario)
    _check_hash(run.scenario, content, provenance.scenario_sha256)
    return RunInput(run, plan, steps, scenario)


def _check_hash(path: Path, content: bytes, of_the_run: str) -> None:
    # Of the bytes and not of what they mean: whoever changed anything has another plan.
    found = hashlib.sha256(content).hexdigest()
    if found != of_the_run:
        raise RunFolderError(
            f"{path} is not the one that was carried out",
            why=f"its SHA-256 is {found}, that of the run {of_the_run}",
            next_step="run the scenario again: without its plan and its predictions, a history proves nothing",
        )


class ArchitectureFiles(msgspec.Struct, frozen=True):
    """What a run's files hold of one architecture."""

    architecture: str
    events: tuple[Event, ...]
    history: Path
    part: FilePart | None
    """Where its records stand in there; None: nowhere."""
    begun: tuple[str, ...]
    """All architectures of the run that were begun."""

    def records(self) -> Iterator[list[Record]]:
        """Its records, in lists.

        Raises:
            RunFolderError: a line is damaged, or tells of another architecture.
        """
        name = self.architecture
        for records in read_history_batches(self.history, self.part) if self.part else ():
            # Halving has seen some lines only: here all are, and one that is out of place is found.
            if strangers := [record.architecture for record in records if record.architecture != name]:
                known = strangers[0] in self.begun
                raise _otherwise(self.history, name if known else strangers[0], twice=known)
            yield records


def files_of(run: RunFolder, architectures: tuple[str, ...]) -> dict[str, ArchitectureFiles]:
    """Those of all architectures that were begun, in the order in which they stand in the history.

    Raises:
        RunFolderError: a file is missing or damaged; names the line.
    """
    events: dict[str, list[Event]] = {}
    for event in read_events(run.events):  # those of two may be mixed in a workshop's round
        events.setdefault(event.architecture, []).append(event)
    begun = tuple(name for name in architectures if name in events)
    parts = parts_of(run.history, begun)
    return {
        name: ArchitectureFiles(name, tuple(events[name]), run.history, parts.get(name), begun)
        for name in dict.fromkeys((*parts, *begun))
    }


# The records of one architecture stand together, so its part is found by halving, and can be read by itself, more than
# once, and by a process of its own.


class _Line(msgspec.Struct):
    """As much of a record as is looked at."""

    architecture: str


_decode = msgspec.json.Decoder(_Line).decode


def parts_of(history: Path, begun: Collection[str]) -> dict[str, FilePart]:
    """The part of each architecture, in the order in which they stand in the file.

    Raises:
        RunFolderError: a line is damaged, or one architecture stands in two places, or no event tells of it.
    """
    parts: dict[str, FilePart] = {}
    try:
        for name, part in _parts(history):
            if name in parts or name not in begun:
                raise _otherwise(history, name, twice=name in parts)
            parts[name] = part
    except (OSError, *UNDECODABLE):
        for _ in read_history(history):  # whoever reads it line by line can say what is wrong with it
            pass
        raise
    return parts


def _parts(history: Path) -> Iterator[tuple[str, FilePart]]:
    size = history.stat().st_size
    with history.open("rb") as file:
        begin = 0
        while begin < size:
            file.seek(begin)
            name = _decode(file.readline()).architecture
            end = _end(file, begin, size, name)
            yield name, FilePart(begin, end)
            begin = end


def _end(file: BinaryIO, begin: int, size: int, name: str) -> int:
    """Where its part ends that begins there. Should another stand in between, whoever reads the part will find it."""
    # By halving: a history of a gigabyte has few architectures, and looking at each line would take as long as judging.
    file.seek(begin + bisect_left(range(begin, size), True, key=lambda offset: not _goes_on(file, offset, name)))
    file.readline()
    return file.tell()


def _goes_on(file: BinaryIO, offset: int, name: str) -> bool:
    """The first line that begins behind that byte is of that name."""
    file.seek(offset)
    file.readline()
    line = file.readline()
    return bool(line) and _decode(line).architecture == name


def _otherwise(history: Path, name: str, *, twice: bool) -> RunFolderError:
    return RunFolderError(
        f"{history.name} tells of {name!r} {'twice' if twice else 'and no event does'}",
        why="the records of one architecture stand together, and its events beside them",
        next_step="run the scenario again: a history that was put together otherwise proves nothing",
    )


MOST = 5
"""As many places are named; one is enough to know."""
_MISSING = object()
EXPLAINS = re.compile(r"\.losses\[\d+\]\.(cause|witness)\b|^(answer|verdict)$|\.(verdict|reasons|users\.kept)\b")
"""What earlier schemas said by other rules: causes and sentences, and who could not be looked at. What was lost, they
count as this one does."""


class Agreement(msgspec.Struct, frozen=True):
    """What a `results.json` says, beside what the evidence gives. The document counts, not how it is spaced."""

    otherwise: tuple[str, ...]
    """Where it says something else, or nothing, in words; at most `MOST` places."""
    left_out: tuple[str, ...]
    """The losses that the evidence proves and it does not name, in words."""
    lacking: tuple[str, ...]
    """What it says nothing of: an earlier version wrote it, which did not count that."""
    earlier: int | None = None
    """The schema that it was written with, if that is one of `loadtests.model.results.EARLIER`."""


def agreement(written: Path, found: Results) -> Agreement:
    """Compare the file with the results that were found.

    Raises:
        RunFolderError: the file cannot be read, or is no JSON.
    """
    document = read_document(written, dict[str, Any])
    schema = document.get("schema")
    earlier = schema if type(schema) is int and schema in EARLIER else None
    otherwise, lacking = [], []
    for place, one, other in _apart(document, msgspec.to_builtins(found), ""):
        if earlier is not None and (one is _MISSING or EXPLAINS.search(place)):
            lacking.append(place)
        elif (place != "schema" or earlier is None) and _in_todays_words(one) != other:
            otherwise.append(f"{place}: {_brief(one)} in results.json, {_brief(other)} by the evidence")
    return Agreement(tuple(otherwise[:MOST]), tuple(_left_out(document, found)), tuple(lacking), earlier)


def _in_todays_words(value: Any) -> Any:
    """The same, with what faults were called by earlier versions called as it is now."""
    if isinstance(value, str):
        for fault in FAULTS.values():
            if fault.formerly:
                value = value.replace(fault.formerly, fault.doing)
                value = value.replace(fault.formerly.lower(), fault.doing.lower())
    return value


def _left_out(document: dict[str, Any], found: Results) -> Iterator[str]:
    """A loss is known by what was lost, by whom and when; the words that explain it may be others."""
    for name, result in found.architectures.items():
        try:
            named = Counter(
                (it["kind"], it["shopper"], it["at_ms"]) for it in document["architectures"][name]["losses"]
            )
        except (KeyError, TypeError):
            named = Counter()
        for loss in result.losses:
            its = (loss.kind, loss.shopper, loss.at_ms)
            # Counted: one shopper may lose two things of a kind in one answer.
            named[its] -= 1
            if named[its] < 0:
                yield f"{name}: {loss.kind} of shopper {loss.shopper} at {loss.at_ms / 1000:.3f} s"


def _apart(written: Any, found: Any, place: str) -> Iterator[tuple[str, Any, Any]]:
    """Each place where they are not the same, with what stands there."""
    if isinstance(written, dict) and isinstance(found, dict):
        for key in dict.fromkeys([*written, *found]):
            below = f"{place}.{key}" if place else str(key)
            yield from _apart(written.get(key, _MISSING), found.get(key, _MISSING), below)
    elif isinstance(written, list) and isinstance(found, list | tuple) and len(written) == len(found):
        for number, (one, other) in enumerate(zip(written, found, strict=True)):
            yield from _apart(one, other, f"{place}[{number}]")
    elif written != found:
        yield place, written, found


def _brief(value: Any) -> str:
    if value is _MISSING:
        return "nothing"
    if isinstance(value, list | tuple | dict):
        return f"{len(value)} entries"
    return msgspec.json.encode(value).decode()
