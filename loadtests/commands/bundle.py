"""`twinshop bundle RUN` and `twinshop open FILE`: a whole run in one file, and its folder again."""

from pathlib import Path

import click

from loadtests.commands.options import DEBUG_OPTION, RUN
from loadtests.running.console import interrupts_raise, tell
from shared.plurals import counted


@click.command()
@RUN
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE",
    help="The file; it must not be there.  [default: the run's name and .zip, beside its folder]",
)  # fmt: skip
@DEBUG_OPTION
def bundle(folder: Path, out: Path | None) -> None:
    """\b
    Examples:
      twinshop bundle runs/latest
      twinshop bundle runs/latest --out node-kill.zip

    Write RUN (a run's folder, or that of repeats with all their runs) into one file that `twinshop open` makes the same
    folder of, on any machine: a zip file with a manifest that has each file's size and SHA-256. The same run gives the
    same bytes. Prints the file's name.
    """
    from loadtests.campaigns.bundles.pack import pack

    with interrupts_raise():
        packed = pack(folder, out)
    manifest, bytes_now = packed.manifest, packed.file.stat().st_size
    # On standard error: what a shell takes from standard output is the file's name alone.
    tell(
        f"{counted(len(manifest.files), 'file')}, {manifest.total_bytes:,} bytes, packed into {bytes_now:,}",
        err=True,
    )
    tell(packed.file)


@click.command("open")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option(
    "--into", type=click.Path(path_type=Path), default=Path("runs"), show_default=True, envvar="TWINSHOP_RUNS",
    metavar="DIR", help="Where the run folder goes.",
)  # fmt: skip
@DEBUG_OPTION
def open_bundle(file: Path, into: Path) -> None:
    """\b
    Examples:
      twinshop open 20261121-013044-node-kill-1.zip
      twinshop open node-kill.zip --into elsewhere

    Check the bundle FILE against its manifest, file by file, and unpack it into a new run folder: whole or not at all,
    and never over anything. Prints the folder's name: `twinshop report` of it gives the same bytes as of the original.
    """
    from loadtests.campaigns.bundles.unpack import unpack

    with interrupts_raise():
        folder = unpack(file, into)
    tell(folder)
