"""`twinshop dataset DIR` and `twinshop verify DIR`: a campaign as an open data set, and its numbers computed again."""

from pathlib import Path

import click

from loadtests.commands.options import DEBUG_OPTION, JSON_OPTION
from loadtests.running.console import interrupts_raise, json_text, tell

MOST_SHOWN = 20


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The new folder.")
@click.option("--licence", default="CC-BY-4.0", show_default=True, help="Under which the data are published.")
@DEBUG_OPTION
def dataset(folder: Path, out: Path, licence: str) -> None:
    """\b
    Examples:
      twinshop dataset runs/matrix --out dataset            needs: pip install 'twinshop[parquet]'
      twinshop dataset runs/20261127-120000-node-kill-x20 --out node-kill-20 --licence CC0-1.0

    Write a campaign (the folder of twinshop matrix, or of repeats) as Parquet tables: runs, cells, actions, orders,
    losses, faults and events, with a README of every column and checksums. Enough to compute every number again.
    """
    from loadtests.campaigns.dataset.write import write_dataset

    with interrupts_raise():
        counts = write_dataset(folder, out, licence, lambda line: tell(line, err=True))
    tell(", ".join(f"{count:,} {name}" for name, count in counts.items()), err=True)
    tell(out)


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@JSON_OPTION
@DEBUG_OPTION
def verify(folder: Path, as_json: bool) -> int:
    """\b
    Examples:
      twinshop verify dataset

    Recompute every published number of a data set (twinshop dataset) from its rows, by the second opinion, a program
    that shares no code with the one that made it; and check its sums.

    \b
    Exit codes: 0 all agree, 1 something differs (it is named), 2 it is no data set.
    """
    from loadtests.campaigns.dataset.verify import verify as recompute

    with interrupts_raise():
        done = recompute(folder, lambda line: tell(line, err=True))
    if as_json:
        tell(json_text(done))
        return 1 if done.differences else 0
    for line in done.differences[:MOST_SHOWN]:
        tell(line)
    if len(done.differences) > MOST_SHOWN:
        tell(f"… and {len(done.differences) - MOST_SHOWN} more: --json")
    tell(f"left out: {', '.join(done.left_out) or 'nothing'}")
    tell(f"runs: {done.runs}; numbers: {done.numbers:,}; differences: {len(done.differences)}")
    return 1 if done.differences else 0
