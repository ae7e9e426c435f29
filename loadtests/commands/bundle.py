"""`twinshop bundle RUN`: the whole run in one file."""

from __future__ import annotations

from pathlib import Path

import click

from loadtests.commands.options import DEBUG_OPTION


@click.command(
    help="""\b
Examples:
  twinshop bundle runs/latest
  twinshop bundle runs/latest --out node-kill.zip

Write RUN (a run's folder, or that of repeats with all their runs) into one file that `twinshop open` makes the same
folder of, on any machine: a zip file with a manifest that has each file's size and SHA-256. The same run gives the same
bytes. Prints the file's name.
"""
)
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE",
    help="The file; it must not be there.  [default: the run's name and .zip, in this folder]",
)  # fmt: skip
@DEBUG_OPTION
def bundle(folder: Path, out: Path | None) -> None:
    """Write RUN into one file."""
    from loadtests.campaigns.bundles.pack import pack
    from loadtests.running.console import tell
    from loadtests.running.interrupts import interrupts_raise

    with interrupts_raise():
        packed = pack(folder, out)
    manifest, bytes_now = packed.manifest, packed.file.stat().st_size
    tell(f"{len(manifest.files)} files, {manifest.total_bytes:,} bytes, packed into {bytes_now:,}", err=True)
    tell(packed.file)


COMMANDS = {"bundle": bundle}
