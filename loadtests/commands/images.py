"""`twinshop images`: what the docker engine runs, built, and carried to a room without a network."""

import shlex
from pathlib import Path

import click

from loadtests.running.console import pasteable


@click.group()
def images() -> None:
    """\b
    Examples:
      twinshop images build
      twinshop images save twinshop-images.tar     where there is a network
      twinshop images load twinshop-images.tar     where there is none

    The images of the docker engine. They are built and pulled when first needed; this does it beforehand.
    """


@images.command()
def build() -> None:
    """Build the node's image if its inputs changed, and pull the others if they are not there."""
    from compose.containers import connect
    from compose.engines.images import OFFICIAL, ensure, node_image, size_mb

    engine = connect()
    names = (node_image(), *OFFICIAL)  # ours first: if it cannot be built, nothing is pulled in vain
    ensure(engine, names, _say)
    for name in names:
        click.echo(f"{name:<28} {size_mb(engine, name):>5} MB")


@images.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def save(file: Path) -> None:
    """Write all of them into FILE."""
    from compose.containers import connect
    from compose.engines.images import save as write

    names = write(connect(), file, _say)
    click.echo(f"{file}: {file.stat().st_size // 10**6} MB, {', '.join(names)}")
    there = f"twinshop images load {shlex.quote(file.name)}"
    click.echo(pasteable(f"Next: carry it to the other machine, and there: {there}"))


@images.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def load(file: Path) -> None:
    """Read them from FILE."""
    from compose.containers import connect
    from compose.engines.images import load as read

    names = read(connect(), file, _say)
    click.echo(f"There are now: {', '.join(names)}")
    click.echo(pasteable("Next: twinshop run node-kill --engine docker"))


def _say(line: str) -> None:
    click.echo(line, err=True)
