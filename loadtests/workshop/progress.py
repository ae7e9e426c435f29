"""What a learner's own round has shown: each objective, met or not yet. Judged by outcome, from the round's evidence.

It does not matter which keys were pressed. What counts is in the run's folder: a prediction that is older than the
first shopper, faults that were observed, books that balance, and numbers that satisfy the episode's rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from loadtests.judging.judge import judge
from loadtests.model.events import LoadStarted, read_events
from loadtests.model.formulas import is_true
from loadtests.model.plan import read_plan
from loadtests.model.results import Results
from loadtests.model.run_folder import Provenance, RunFolder
from loadtests.workshop.episode import Check, Episode
from loadtests.workshop.measured import measured, visitors_of
from loadtests.workshop.predictions import read_predictions
from shared.errors import RunFolderError, UsageError

NO_PREDICT = "--no-predict"


class Shown(msgspec.Struct, frozen=True):
    """One thing to be shown."""

    what: str
    met: bool
    next_step: str = ""
    """If it is not met yet."""


class Standing(msgspec.Struct, frozen=True):
    """How far a learner has come with an episode."""

    episode: str
    round: str
    """The run's folder."""
    met: bool
    """All of it."""
    shown: tuple[Shown, ...]


def newest_round(runs: Path, episode: Episode) -> RunFolder:
    """The episode's newest round that was closed.

    Raises:
        UsageError: there is none.
    """
    rounds = sorted(_rounds(runs, episode), key=lambda found: (found[0].started, found[1].root.name))
    closed = [run for _provenance, run in rounds if run.results.is_file()]
    if closed:
        return closed[-1]
    begun = f"{rounds[-1][1].root} was begun and not closed" if rounds else f"{runs} holds no round of it"
    raise UsageError(
        f"episode {episode.number} ({episode.name}) has no result yet",
        why=begun,
        next_step="close the round in the dashboard" if rounds else f"twinshop goto {episode.number}",
    )


def standing(episode: Episode, run: RunFolder) -> Standing:
    """What that round has shown.

    Raises:
        RunFolderError: a file of the run is missing or damaged.
    """
    results = judge(run.root)
    shown = (*_predicted(run), _balanced(results, run), *_checked(episode, run, results))
    return Standing(episode.name, str(run.root), all(one.met for one in shown), shown)


def _rounds(runs: Path, episode: Episode) -> Iterator[tuple[Provenance, RunFolder]]:
    """All rounds of that episode; what is no run of this version of Twinshop is none."""
    for folder in runs.iterdir() if runs.is_dir() else ():
        run = RunFolder(folder)
        if folder.is_symlink() or not run.provenance.is_file():
            continue
        try:
            provenance = run.read_provenance()
        except RunFolderError:
            continue
        if provenance.scenario == episode.name:
            yield provenance, run


def _predicted(run: RunFolder) -> Iterator[Shown]:
    if NO_PREDICT in run.read_provenance().command:
        return
    began_us = min((event.epoch_us for event in read_events(run.events) if isinstance(event, LoadStarted)), default=0)
    early = sum(prediction.at_us < began_us for prediction in read_predictions(run.root))
    yield Shown(
        "A prediction was committed before the first shopper came.",
        early > 0,
        "begin the episode again, and commit a prediction before you release the shoppers",
    )


def _balanced(results: Results, run: RunFolder) -> Shown:
    balance = bool(results.architectures) and all(it.books_balance for it in results.architectures.values())
    return Shown(
        "The books of both shops balance.", balance, f"twinshop check {run.root}, which says what does not add up"
    )


def _checked(episode: Episode, run: RunFolder, results: Results) -> Iterator[Shown]:
    plan = read_plan(run.plan)
    visitors = {name: visitors_of(run.logs(name), results.shoppers) for name in episode.architectures}
    values = measured(episode, results, [fault.kind for fault in plan.faults], visitors)
    yield from (Shown(check.shows, _met(check, values), check.next_step) for check in episode.check)


def _met(check: Check, values: dict[str, float]) -> bool:
    """A number that was not measured shows nothing."""
    try:
        return is_true(check.rule, values)
    except KeyError:
        return False
