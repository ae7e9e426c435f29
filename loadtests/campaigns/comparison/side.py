"""One of the runs that are compared: what was asked, where and under which limits, and what is found in its evidence.

It is judged again, so that the numbers of all runs were counted by the same rules, whichever version made them.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from loadtests.campaigns.comparison.rows import Facts, by_architecture, flat
from loadtests.judging.agreement import agreement
from loadtests.judging.judge import judge
from loadtests.model.events import ClusterReady, read_events
from loadtests.model.plan import Plan, read_plan
from loadtests.model.results import Results
from loadtests.model.run_folder import Provenance, RunFolder
from loadtests.model.scenario import Scenario
from loadtests.planning.scenario_file import read_scenario
from shared.errors import UsageError


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
