"""What `twinshop check EPISODE` says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap

import msgspec

from loadtests.running.console import interrupts_raise, tell
from loadtests.workshop.episode import Episode
from loadtests.workshop.episode_file import episode_named, load_episodes
from loadtests.workshop.progress import EpisodeProgress, newest_round, progress_of

WIDTH = 100
MARGIN = " " * 9
"""As wide as the first word of a line of the answer."""


def check_episode(name_or_number: str, runs: Path, as_json: bool) -> int:
    """Say what the newest round of that episode has shown; 0 if all of it was, else 1.

    Raises:
        UsageError: there is no such episode, or no round of it.
        RunFolderError: the round is damaged.
    """
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
    later = [other.number for other in load_episodes() if other.number > episode.number]
    return f"twinshop goto {later[0]}" if later else "the decision sheet, docs/tutorial/decision-sheet.md"


def _wrapped(word: str, text: str) -> list[str]:
    # Not at hyphens: a command that was broken at one cannot be pasted.
    return wrap(text, WIDTH, initial_indent=f"{word:<9}", subsequent_indent=MARGIN, break_on_hyphens=False)
