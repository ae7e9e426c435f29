"""What a learner's own round has shown: each objective, met or not yet. Judged by outcome, from the round's evidence.

It does not matter which keys were pressed. What counts is in the run's folder: a prediction that is older than the
first shopper, faults that were observed, books that balance, and numbers that satisfy the episode's rules.
"""

import shlex
from collections.abc import Iterator
from pathlib import Path

import msgspec

from loadtests.judging.judge import judge
from loadtests.model.plan import read_plan
from loadtests.model.results import Results
from loadtests.model.run_folder import Provenance, RunFolder
from loadtests.workshop.episode import Episode
from loadtests.workshop.live.recorded import guests_seen
from loadtests.workshop.measured import holds, measured
from loadtests.workshop.predictions import begun_us, read_predictions
from shared.errors import RunFolderError, UsageError

NO_PREDICT = "--no-predict"


class Objective(msgspec.Struct, frozen=True):
    """One thing to be shown."""

    what: str
    met: bool
    next_step: str = ""
    """If it is not met yet."""


class EpisodeProgress(msgspec.Struct, frozen=True):
    """How far a learner has come with an episode."""

    episode: str
    round: str
    """The run's folder."""
    met: bool
    """All of it."""
    shown: tuple[Objective, ...]


def newest_round(runs: Path, episode: Episode) -> RunFolder:
    """The episode's newest round that was closed.

    Raises:
        UsageError: there is none.
    """
    # By what they say of themselves: a folder that was copied is newer than it is.
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


def progress_of(episode: Episode, run: RunFolder) -> EpisodeProgress:
    """What that round has shown.

    Raises:
        RunFolderError: a file of the run is missing or damaged.
    """
    results = judge(run.root)
    values = values_of(episode, run, results)
    checked = (Objective(check.shows, holds(check.rule, values), check.next_step) for check in episode.check)
    shown = (*_predicted(run), _balanced(results, run), *checked)
    return EpisodeProgress(episode.name, str(run.root), all(one.met for one in shown), shown)


def values_of(episode: Episode, run: RunFolder, results: Results) -> dict[str, float]:
    """A round's numbers by name."""
    kinds = [fault.kind for fault in read_plan(run.plan).faults]
    guests = guests_seen(run.root)
    visitors = {name: len(guests.get(name, ())) for name in episode.architectures}
    return measured(episode, results, kinds, visitors)


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


def _predicted(run: RunFolder) -> Iterator[Objective]:
    if NO_PREDICT in run.read_provenance().command:
        return
    began_us = begun_us(run) or 0  # nobody came: no prediction is older than that
    early = sum(prediction.at_us < began_us for prediction in read_predictions(run.root))
    yield Objective(
        "A prediction was committed before the first shopper came.",
        early > 0,
        "begin the episode again, and commit a prediction before you release the shoppers",
    )


def _balanced(results: Results, run: RunFolder) -> Objective:
    balance = bool(results.architectures) and all(it.books_balance for it in results.architectures.values())
    return Objective(
        "The books of both shops balance.",
        balance,
        f"twinshop check {shlex.quote(str(run.root))}, which says what does not add up",
    )
