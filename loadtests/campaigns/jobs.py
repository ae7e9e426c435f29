"""What is to be run: which scenarios on which architectures, what is done already, and in which order."""

import hashlib
import os
import re
from collections.abc import Collection, Iterable, Mapping

import msgspec

from compose.architectures import ARCHITECTURES, did_you_mean
from compose.cluster import DEFAULT_BALANCER
from loadtests.campaigns.cells import Cell, CellKey, Matrix, Selection
from loadtests.campaigns.runner import RunJob, chains, seconds_of
from loadtests.model.application import like
from loadtests.model.plan import ClientLimits
from loadtests.model.scenario import Scenario
from loadtests.planning.page import START_AND_STOP_S
from loadtests.planning.scenario_file import all_scenarios, scenario_content
from loadtests.running.application import ApplicationUnderTest
from shared.errors import UsageError

JUDGING_S = 1.0  # what planning, judging and reporting one architecture takes, about
COMPARED = "times"
"""Of jobs: a claim compares times of one of them with times of another."""
TIMES = frozenset({"p50_ms", "p95_ms", "requests_per_second", "node_cpu_ms_per_request", "stalled", "stalls"})
"""Measures of time: a neighbour on the same processors would change them."""


class Entry(msgspec.Struct, frozen=True):
    """A scenario of the catalogue, and the SHA-256 of its file."""

    scenario: Scenario
    sha256: str


def catalogue() -> tuple[Entry, ...]:
    """All scenarios that come with Twinshop, family by family."""
    entries = [
        Entry(scenario, hashlib.sha256(scenario_content(scenario.name)[1]).hexdigest()) for scenario in all_scenarios()
    ]
    return tuple(sorted(entries, key=lambda it: (it.scenario.family, it.scenario.name)))


def entries_for(app: ApplicationUnderTest) -> tuple[Entry, ...]:
    """The scenarios that can be carried out on an application, with those of its variants that each predicts."""
    return tuple(_on(app, entry) for entry in catalogue() if not app.cannot(entry.scenario))


def _on(app: ApplicationUnderTest, entry: Entry) -> Entry:
    scenario, likes = entry.scenario, {name: like(it) for name, it in app.architectures().items()}
    variants = tuple(name for name, twin in likes.items() if twin in scenario.expect)
    without = {
        name: scenario.without.get(twin, f"it predicts nothing of {twin or 'what nobody described'}")
        for name, twin in likes.items()
        if name not in variants
    }
    # Of both: what was run with another description is run again, as is what was run with another scenario.
    sha256 = hashlib.sha256(f"{entry.sha256} {app.sha256}".encode()).hexdigest()
    return Entry(msgspec.structs.replace(scenario, architectures=variants, without=without), sha256)


def check_selection(
    selection: Selection, entries: Iterable[Entry], architectures: Iterable[str] = ARCHITECTURES
) -> None:
    """Nothing, if every name in it is one.

    Raises:
        UsageError: the first that is none.
    """
    scenarios = [entry.scenario for entry in entries]
    _check("family", selection.families, sorted({scenario.family for scenario in scenarios}))
    _check("scenario", selection.scenarios, [scenario.name for scenario in scenarios])
    _check("architecture", selection.architectures, list(architectures))


def _check(thing: str, asked: Iterable[str], known: list[str]) -> None:
    for name in asked:
        if name not in known:
            raise UsageError(
                f"there is no {thing} {name!r}",
                why=f"there are: {', '.join(known)}{did_you_mean(name, known)}",
                next_step="twinshop list",
            )


def jobs_for(
    entries: Iterable[Entry], selection: Selection, matrix: Matrix, *,
    again: Collection[str] = (), timed: Collection[str] = (),
) -> tuple[RunJob, ...]:  # fmt: skip
    """What is left to run, cheapest first; what wants the machine to itself comes after all else.

    `again`: verdicts with which a cell is run once more, though it was run. `timed`: scenarios whose times decide a
    claim.
    """
    jobs = []
    for entry in entries:
        scenario = entry.scenario
        key = key_of(entry, matrix)
        done = {cell.place for cell in matrix.cells if is_current(cell, key) and cell.word not in again}
        asked = (name for name in scenario.architectures if selection.holds(scenario, name))
        wanted = tuple(name for name in asked if (scenario.name, name) not in done)
        if wanted:
            seconds = len(wanted) * seconds_each(scenario)
            alone = scenario.name in timed or wants_the_machine(scenario)
            # Unnamed where it is the default: a scenario that has a balancer of its own keeps it then.
            named = "" if matrix.balancer == DEFAULT_BALANCER else matrix.balancer
            # On one machine, too: two machines' times are no difference between two architectures.
            together = COMPARED if scenario.name in timed else ""
            jobs.append(RunJob(scenario.name, wanted, matrix.seed, seconds, alone, balancer=named, together=together))
    # Cheapest first: a campaign that is cut off has most of its cells then.
    return tuple(sorted(jobs, key=lambda job: (job.alone, job.seconds, job.scenario)))


def key_of(entry: Entry, matrix: Matrix) -> CellKey:
    """What a cell of this scenario is made with now."""
    return CellKey(entry.sha256, matrix.seed, matrix.engine, matrix.twinshop, matrix.balancer)


def keys_of(entries: Iterable[Entry], matrix: Matrix) -> dict[str, CellKey]:
    """The same of them all, by scenario."""
    return {entry.scenario.name: key_of(entry, matrix) for entry in entries}


def is_current(cell: Cell, key: CellKey) -> bool:
    """It was run, and with exactly that."""
    return cell.was_run and cell.key == key  # what an error ended has this key, too, and is tried again


def current_cells(matrix: Matrix, keys: Mapping[str, CellKey]) -> tuple[Cell, ...]:
    """Those that were run with the scenarios of these keys as they are now."""
    return tuple(it for it in matrix.cells if it.scenario in keys and is_current(it, keys[it.scenario]))


def seconds_each(scenario: Scenario) -> float:
    """What one architecture takes, about: its window, its audit, and starting, stopping and judging it."""
    audit_s = ClientLimits().audit_spread_ms * scenario.load.shoppers / 1000
    return scenario.load.seconds + audit_s + START_AND_STOP_S + JUDGING_S


def wants_the_machine(scenario: Scenario) -> bool:
    """It says so itself, or it predicts a time."""
    predicted = {measure for predictions in scenario.expect.values() for measure in predictions}
    # The headline, too: nobody may have predicted it, and yet it is what the table shows and people compare.
    return scenario.alone or bool((predicted | {scenario.headline}) & TIMES)


def default_side_by_side() -> int:
    """How many clusters at once this machine runs without their counts changing: see docs/how-to/run-the-matrix.md."""
    return max(1, (os.cpu_count() or 1) // 2)


# --- a part of a campaign: --shard 3/20 -------------------------------------------------------------------------------
# Whoever runs another part finds the same parts: they follow from what was asked for alone.


_FORM = re.compile(r"([1-9]\d{0,3})/([1-9]\d{0,3})")


class Shard(msgspec.Struct, frozen=True):
    """One part of so many."""

    number: int
    """1 … `of`."""
    of: int


def shard_named(text: str) -> Shard:
    """Of "3/20".

    Raises:
        UsageError: it is no part of anything.
    """
    form = _FORM.fullmatch(text)
    if form is None or int(form[1]) > int(form[2]):
        raise UsageError(
            f"{text!r} is no shard", why="a shard is written 3/20: the third of twenty", next_step="--shard 1/2"
        )
    return Shard(int(form[1]), int(form[2]))


def of_shard(jobs: Iterable[RunJob], shard: Shard) -> tuple[RunJob, ...]:
    """The jobs of that part, in their order; those that belong together are in one."""
    jobs = tuple(jobs)
    loads = [0.0] * shard.of
    mine: list[RunJob] = []
    # The longest first, each to the part that has least so far: no part takes longer than 4/3 of the best division
    # (R. L. Graham, Bounds on multiprocessing timing anomalies, 1969). By name where two take as long: whoever runs
    # another part must come to the same parts.
    for chain in sorted(chains(jobs).values(), key=lambda it: (-seconds_of(it), it[0].together or it[0].scenario)):
        part = loads.index(min(loads))
        loads[part] += seconds_of(chain)
        if part == shard.number - 1:
            mine += chain
    return tuple(job for job in jobs if job in mine)
