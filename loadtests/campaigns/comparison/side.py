"""One of the runs that are compared: what was asked, where and under which limits, and what is found in its evidence.

It is judged again, so that the numbers of all runs were counted by the same rules, whichever version made them. What it
says is facts: names and texts, to be put side by side.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from loadtests.judging.judge import agreement, judge
from loadtests.model.events import ClusterReady, read_events
from loadtests.model.plan import Plan, read_plan
from loadtests.model.results import Results
from loadtests.model.run_folder import Provenance, RunFolder
from loadtests.model.scenario import Scenario
from loadtests.planning.scenario_file import read_scenario
from shared.errors import UsageError

NONE = "–"  # of a run that has no such thing

Facts = Mapping[str, str]
"""Values as text, by name."""


class FactRow(msgspec.Struct, frozen=True):
    """One fact of each run, in the runs' order."""

    what: str
    values: tuple[str, ...]
    same: bool


def rows(facts: Sequence[Facts]) -> tuple[FactRow, ...]:
    """Every fact that at least one run has, in the order in which the runs name them."""
    names = dict.fromkeys(name for run in facts for name in run)
    found = {name: tuple(run.get(name, NONE) for run in facts) for name in names}
    return tuple(FactRow(name, values, len(set(values)) == 1) for name, values in found.items())


def different(rows: Sequence[FactRow]) -> tuple[FactRow, ...]:
    """Those that are not the same everywhere."""
    return tuple(row for row in rows if not row.same)


def flat(value: Any, name: str = "") -> dict[str, str]:
    """A document as facts: `load.shoppers`, `fault[0].kind`; lists of plain values stay together."""
    if isinstance(value, dict):
        parts = [(f"{name}.{key}" if name else str(key), it) for key, it in value.items()]
    elif isinstance(value, list | tuple) and any(isinstance(it, dict | list | tuple) for it in value):
        parts = [(f"{name}[{number}]", it) for number, it in enumerate(value)]
    else:
        return {name: _text(value)}
    return {key: text for part, it in parts for key, text in flat(it, part).items()}


def by_architecture(facts: Mapping[str, Facts]) -> dict[str, str]:
    """Facts that each architecture has, as one: said once where they agree, and of each one where they do not."""
    found = {}
    for name in dict.fromkeys(name for one in facts.values() for name in one):
        values = {architecture: one.get(name, NONE) for architecture, one in facts.items()}
        agreed = set(values.values())
        found[name] = agreed.pop() if len(agreed) == 1 else ", ".join(f"{it} {text}" for it, text in values.items())
    return found


def _text(value: Any) -> str:
    if isinstance(value, bool):  # before numbers: it is one, to Python
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(_text(it) for it in value) or "none"
    if isinstance(value, float):
        return f"{value:g}"
    return "none" if value in (None, "", {}) else " ".join(str(value).split())


class Side(msgspec.Struct, frozen=True):
    """A run that was read."""

    label: str
    """A, B, C, …"""
    asked: str
    """The folder or bundle, as it was named."""
    provenance: Provenance
    plan: Plan
    scenario: Scenario
    results: Results
    says_otherwise: bool
    """The `results.json` in it is not what its evidence gives."""
    settings: Facts
    """The limits of its clusters, as they were started."""
    versions: Facts
    """Of packages and servers."""
    architectures: Facts
    """What each architecture was: `redis.affinity`."""


def read_side(label: str, asked: str, folder: Path) -> Side:
    """Read and judge a run.

    Raises:
        RunFolderError: a file of the run is missing or damaged; says which run.
        ScenarioError: its scenario is none that this version understands.
    """
    try:
        return _read(label, asked, RunFolder(folder))
    except UsageError as error:
        error.what = f"{label} ({asked}): {error.what}"
        raise


def _read(label: str, asked: str, run: RunFolder) -> Side:
    provenance = run.read_provenance()
    results = judge(run.root)  # it also makes sure that plan and scenario are those that were carried out
    ready = {event.architecture: event for event in read_events(run.events) if isinstance(event, ClusterReady)}
    return Side(
        label=label,
        asked=asked,
        provenance=provenance,
        plan=read_plan(run.plan),
        scenario=read_scenario(run.scenario.read_bytes(), file=str(run.scenario), name=provenance.scenario),
        results=results,
        says_otherwise=run.results.is_file() and bool(agreement(run.results, results).otherwise),
        settings=by_architecture({name: _facts(event.limits) for name, event in ready.items()}),
        versions={**provenance.packages, **by_architecture({name: event.versions for name, event in ready.items()})},
        architectures={
            f"{name}.{what}": text
            for name, event in ready.items()
            for what, text in _facts(event.description).items()
            if what not in ("name", "summary")
        },
    )


def _facts(value: msgspec.Struct) -> dict[str, str]:
    return flat(msgspec.to_builtins(value))
