"""`twinshop explain RUN SHOPPER`: a shopper's session life, each loss, and what would have been without its cause."""

from pathlib import Path

import click

from loadtests.commands.options import DEBUG_OPTION, JSON_OPTION, WholeNumber
from loadtests.running.console import interrupts_raise, json_text, tell


@click.command(
    epilog="""\b
Examples:
  twinshop explain runs/latest 7
  twinshop explain runs/latest 7 --architecture sticky-memory --json

It ends with 0 once it has told, whatever the run's verdict; with 2 if the run has no such shopper.
"""
)
@click.argument("run", metavar="RUN", type=click.Path(path_type=Path))
@click.argument("shopper", metavar="SHOPPER", type=WholeNumber())
@click.option("--architecture", "architectures", metavar="NAME", multiple=True, help="Only these (repeatable).")
@JSON_OPTION
@DEBUG_OPTION
def explain(run: Path, shopper: int, architectures: tuple[str, ...], as_json: bool) -> None:
    """Tell the session life of a SHOPPER (a number, from 1) of RUN (a folder or a bundle), and why each loss came."""
    from loadtests.campaigns.bundles.unpack import run_in
    from loadtests.judging.explaining import explain as stories_of
    from loadtests.judging.explaining import story_in_words

    with interrupts_raise(), run_in(run) as folder:
        stories = stories_of(folder, shopper, architectures)
    if as_json:
        tell(json_text(stories))
    else:
        tell("\n\n".join(map(story_in_words, stories)))
