"""`twinshop check RUN` and `twinshop report RUN`: judge again, offline, from a run's folder alone; and write again.

`twinshop check EPISODE` asks the newest round of a workshop's episode what it has shown.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

import click
import msgspec

from loadtests.commands.options import DEBUG_OPTION, RUN, runs_option
from loadtests.model.run_folder import REPEATS, RunFolder, check_text, encode_document
from loadtests.running.console import advise, interrupts_raise, tell
from shared.errors import LossesLeftOut, RunFolderError, UsageError

if TYPE_CHECKING:
    from loadtests.model.results import Results
    from loadtests.workshop.episode import Episode
    from loadtests.workshop.progress import EpisodeProgress

WIDTH = 100
MARGIN = " " * 9
"""As wide as the first word of a line of the answer."""


@click.command()
@click.argument("run", metavar="RUN|EPISODE", type=click.Path(path_type=Path))
@click.option(
    "--json", "as_json", is_flag=True, help="Print what results.json should be (or what an episode has shown)."
)
@runs_option("Where an episode's rounds lie.", variable=None)
@DEBUG_OPTION
def check(run: Path, as_json: bool, runs: Path) -> int:
    """\b
    Examples:
      twinshop check runs/latest
      twinshop check node-kill.zip --json
      twinshop check 2                              what has my episode 2 shown?

    Judge RUN (a run's folder, that of repeats, or a bundle) again, from its evidence alone, and say whether its
    results.json agrees. Or of an EPISODE of the workshop (its name or number): say what your newest round of it has
    shown, and what not yet. Writes nothing.

    \b
    Exit codes: the verdict's (0, 1, 3) if it agrees; 1 if it leaves out losses that the evidence proves; 2 if it says
    otherwise, or if the run is damaged. Of an episode: 0 all of it was shown, 1 not yet, 2 there is no round of it.
    """
    from loadtests.workshop.episode_file import find_episode

    if not run.exists() and find_episode(str(run)):  # a folder of the name 2 is a run before it is an episode
        return _check_episode(str(run), runs, as_json)
    return _check_run(run, as_json)


def _check_run(run: Path, as_json: bool) -> int:
    from loadtests.campaigns.bundles.unpack import run_in
    from loadtests.judging.judge import judge
    from loadtests.judging.verdict import exit_code_of
    from loadtests.report.terminal import summary

    with interrupts_raise(), run_in(run) as folder:
        if (folder / REPEATS).is_file():
            return _check_repeats(run, folder, as_json)
        check_text(folder)  # first: a byte that is no text may lie in a file that judging never reads
        results = judge(folder)
        agrees = _agreement(run, folder, results)
        in_bundle = _in_bundle(run, folder)
        if as_json:
            tell(encode_document(results).decode(), nl=False)
        else:
            advise(summary(results, folder, report=in_bundle))
        advise(f"results  {agrees}", err=as_json)  # with --json, standard output is the document alone
    return exit_code_of(results)


def _in_bundle(run: Path, folder: Path) -> str:
    """Where the report is, if not in the folder."""
    return "" if folder == run else f"in the bundle: twinshop open {shlex.quote(str(run))}"


def _check_repeats(run: Path, folder: Path, as_json: bool) -> int:
    """The same of repeats: all their runs, then what they have shown together."""
    from loadtests.campaigns.repeats.page import summary
    from loadtests.campaigns.repeats.repeats_run import compared_again
    from loadtests.judging.judge import judge
    from loadtests.judging.verdict import exit_code

    check_text(folder)
    repeats = compared_again(folder)
    for block in repeats.blocks:
        if block.run:
            _agreement(run / block.run, folder / block.run, judge(folder / block.run))
    if (folder / REPEATS).read_bytes() != encode_document(repeats):
        raise RunFolderError(
            f"{REPEATS} of {run} says otherwise than its runs",
            why="one of them was changed, or another version of Twinshop compared them",
            next_step=f"if you trust the runs: twinshop report {shlex.quote(str(run))}",
        )
    if as_json:
        tell(encode_document(repeats).decode(), nl=False)
    else:
        advise(summary(repeats, folder, report=_in_bundle(run, folder)))
    tell(f"repeats  {REPEATS} and every results.json agree with the evidence", err=as_json)
    return exit_code(repeats.verdict, fired=repeats.fired)


def _agreement(run: Path, folder: Path, results: Results) -> str:
    """What to say of the run's `results.json`.

    Raises:
        RunFolderError: it says otherwise than the evidence.
        LossesLeftOut: it lacks losses that the evidence proves.
    """
    from loadtests.judging.judge import MOST, agreement
    from loadtests.model.results import EARLIER

    written = RunFolder(folder).results
    again = f"twinshop report {shlex.quote(str(run))}"
    if not written.is_file():
        return f"there is no results.json; {again}"
    found = agreement(written, results)
    # First, and with an exit code of its own: losses left out are no slip of the pen.
    if found.left_out:
        raise LossesLeftOut(
            f"results.json of {run} leaves out {len(found.left_out)} of the losses that its evidence proves: "
            f"{found.left_out[0]}",
            why="; ".join(found.left_out[1:MOST]) or "it or the evidence was changed, or another version counted",
            next_step=f"if you trust the evidence: {again}",
        )
    if found.otherwise:
        raise RunFolderError(
            f"results.json of {run} says otherwise than its evidence: {found.otherwise[0]}",
            why="; ".join(found.otherwise[1:]) or "one of them was changed, or another version of Twinshop counted",
            next_step=f"if you trust the evidence: {again}",
        )
    if found.earlier is not None:
        return f"results.json agrees, and was written with schema {found.earlier}, {EARLIER[found.earlier]}; {again}"
    return "results.json agrees with the evidence"


def _check_episode(name_or_number: str, runs: Path, as_json: bool) -> int:
    """Say what the newest round of that episode has shown; 0 if all of it was, else 1."""
    from loadtests.workshop.episode_file import episode_named
    from loadtests.workshop.progress import newest_round, progress_of

    episode = episode_named(name_or_number)
    with interrupts_raise():
        found = progress_of(episode, newest_round(runs, episode))
        tell(msgspec.json.encode(found).decode() if as_json else "\n".join(_lines(episode, found)))
    return 0 if found.met else 1


def _lines(episode: Episode, found: EpisodeProgress) -> Iterator[str]:
    yield f"episode  {episode.number}, {episode.title}"
    yield f"round    {found.round}"
    yield ""
    for one in found.shown:
        yield from _wrapped("met" if one.met else "not yet", one.what)
        if not one.met:
            yield from _wrapped("", f"next: {one.next_step}")
    yield ""
    missing = sum(not one.met for one in found.shown)
    if missing:
        yield f"next     {missing} of {len(found.shown)} not yet: twinshop goto {episode.number}"
    else:
        yield f"next     all met: {_afterwards(episode)}"


def _afterwards(episode: Episode) -> str:
    from loadtests.workshop.episode_file import load_episodes

    later = [other.number for other in load_episodes() if other.number > episode.number]
    return f"twinshop goto {later[0]}" if later else "the decision sheet, docs/tutorial/decision-sheet.md"


def _wrapped(word: str, text: str) -> list[str]:
    # Not at hyphens: a command that was broken at one cannot be pasted.
    return wrap(text, WIDTH, initial_indent=f"{word:<9}", subsequent_indent=MARGIN, break_on_hyphens=False)


@click.command()
@RUN
@DEBUG_OPTION
def report(folder: Path) -> None:
    """Judge RUN (a run's folder, for example runs/latest) again and rewrite its results.json and report.html.

    Of the folder of repeats, compare them again and rewrite repeats.json and report.html.
    """
    from loadtests.campaigns.repeats.repeats import PAGE
    from loadtests.running.run import write_both
    from loadtests.workshop.report_section import predictions_section

    if folder.is_file():
        raise UsageError(
            f"{folder} is a file, and a report lies in its run's folder",
            next_step=f"if it is a bundle: twinshop open {shlex.quote(str(folder))}",
        )
    if (folder / REPEATS).is_file():
        from loadtests.campaigns.repeats.repeats_run import again

        again(folder)
        tell(folder / PAGE)
        return
    run = RunFolder(folder)
    write_both(run, predictions_section)
    tell(run.report)
