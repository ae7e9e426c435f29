"""`twinshop open FILE`: a run's folder, from a bundle."""

from __future__ import annotations

from pathlib import Path

import click

from loadtests.commands.options import DEBUG_OPTION


@click.command(
    "open",
    help="""\b
Examples:
  twinshop open 20261121-013044-node-kill-1.zip
  twinshop open node-kill.zip --into elsewhere

Check the bundle FILE against its manifest, file by file, and unpack it into a new run folder: whole or not at all, and
never over anything. Prints the folder's name: `twinshop report` of it gives the same bytes as of the original.
""",
)
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option(
    "--into", type=click.Path(path_type=Path), default=Path("runs"), show_default=True, envvar="TWINSHOP_RUNS",
    metavar="DIR", help="Where the run folder goes.",
)  # fmt: skip
@DEBUG_OPTION
def open_bundle(file: Path, into: Path) -> None:
    """Unpack the bundle FILE into a new run folder."""
    from loadtests.campaigns.bundles.unpack import unpack
    from loadtests.running.console import tell
    from loadtests.running.interrupts import interrupts_raise

    with interrupts_raise():
        folder = unpack(file, into)
    tell(folder)


COMMANDS = {"open": open_bundle}
