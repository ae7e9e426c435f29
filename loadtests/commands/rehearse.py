"""`twinshop rehearse`: the workshop played without a person, and its texts held against what happened."""

import time
from pathlib import Path

import click
import msgspec

from loadtests.commands.options import DEBUG_OPTION, ENGINE_OPTION, JSON_OPTION, WholeNumber, runs_option
from loadtests.running.console import interrupts_raise, tell
from shared.plurals import counted, inflected


@click.command()
@click.argument("episodes", metavar="[EPISODE]...", nargs=-1)
@click.option("--shoppers", type=WholeNumber(1), help="How many in each shop, instead of what the episodes say.")
@ENGINE_OPTION
@runs_option("Where the rehearsal's folder is made; its rounds and logs lie in it.", variable=None)
@JSON_OPTION
@DEBUG_OPTION
def rehearse(episodes: tuple[str, ...], shoppers: int | None, engine_name: str, runs: Path, as_json: bool) -> int:
    """\b
    Examples:
      twinshop rehearse                 all episodes, as the pages in docs/tutorial tell them
      twinshop rehearse 2               one of them
      twinshop rehearse 2 --shoppers 8  smaller: the sentences are checked, the numbers of the texts are not
      twinshop rehearse 1 --engine docker

    Play the workshop as a person with a browser would: predict, release, break, heal, close, check. Fails on every
    promise of the texts that did not come true, and names its file and line. Do it before you teach.

    \b
    Exit codes: 0 every promise came true, 1 not every one, 2 usage, 4 environment not ready.
    """
    from compose.engines.registry import engine_named
    from loadtests.workshop.episode_file import episode_named, load_episodes
    from loadtests.workshop.rehearsal.rehearse import rehearse as play

    chosen = tuple(episode_named(name) for name in episodes) or load_episodes()
    folder = runs.resolve() / time.strftime("%Y%m%d-%H%M%S-rehearsal")
    engine = engine_named(engine_name).name
    with interrupts_raise():
        found = play(chosen, folder, shoppers=shoppers, engine=engine, say=lambda words: tell(words, err=True))
    if as_json:
        tell(msgspec.json.encode(found).decode())
    else:
        broken = [*found.texts, *(bad for played in found.episodes for bad in played.broken)]
        compared = sum(played.compared for played in found.episodes)
        for bad in broken:
            tell(bad)
        left_out = sum(played.left_out for played in found.episodes)
        tell(
            f"{counted(compared, 'promise')} of {counted(len(chosen), 'episode')} "
            f"{inflected('was', compared, 'were')} held against what happened, {len(broken)} "
            f"{inflected('was', len(broken), 'were')} broken"
        )
        if left_out:
            those = inflected("it is one", left_out, "they are those")
            tell(f"{counted(left_out, 'number was', 'numbers were')} left out: {those} of the episodes' own shoppers")
        tell(f"rounds   {folder / 'runs'}")
    return 0 if found.kept else 1
