"""`twinshop matrix`: every scenario on every architecture; and `twinshop claims`: what its numbers say of them."""

from __future__ import annotations

import shlex
import shutil
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from loadtests.commands import options
from loadtests.running.console import json_text, tell
from shared.errors import UsageError

if TYPE_CHECKING:
    from loadtests.running.application import ApplicationUnderTest

WIDTH = 100
AGAIN = ("not as predicted", "refuted and understood", "inconclusive")
OUT = "runs/matrix"
OUT_OPTION = options.folder_option(
    "--out", OUT, "Where the matrix lies: matrix.json, matrix.html and a folder for each run; "
    "of --app: runs/matrix-NAME.",
)  # fmt: skip


@click.command()
@options.names_option("family", "families")
@options.names_option("architecture", "architectures")
@options.names_option("scenario", "scenarios")
@options.APP_OPTION
@options.ENGINE_OPTION
@options.BALANCER_OPTION
@options.seed_option("Of all plans.")
@OUT_OPTION
@click.option(
    "--side-by-side", type=options.WholeNumber(1, 16),
    help="Clusters at the same time.  [default: one for every two processors]",
)  # fmt: skip
@click.option("--shard", metavar="K/N", help="Only the K-th of N parts that take about as long as each other.")
@options.ON_OPTION
@click.option("--fresh", is_flag=True, help="Run again what was run already.")
@click.option("--again", multiple=True, type=click.Choice(AGAIN), help="Run again what ended so (repeatable).")
@click.option("--json", "as_json", is_flag=True, help="Print matrix.json on stdout, and nothing else there.")
@options.QUIET_OPTION
@options.DEBUG_OPTION
def matrix(
    families: tuple[str, ...], architectures: tuple[str, ...], scenarios: tuple[str, ...], app: Path | None,
    engine_name: str, balancer: str, seed: int, out: Path, side_by_side: int | None, shard: str | None,
    scheduler: str | None, fresh: bool, again: tuple[str, ...], as_json: bool, quiet: bool,
) -> int:  # fmt: skip
    """\b
    Examples:
      twinshop matrix                                        everything: 80 minutes on two processors
      twinshop matrix --side-by-side 2                       by twos: 48 minutes
      twinshop matrix --family availability --engine docker --out runs/matrix-docker
      twinshop matrix --family availability --balancer haproxy --out runs/matrix-haproxy
      twinshop matrix --scenario node-kill --architecture redis --fresh
      twinshop matrix --shard 3/20 --out runs/part-3         a twentieth of it; twinshop merge puts the parts together
      twinshop matrix --on tcp://10.0.0.5:8786               on the workers of a Dask scheduler
      twinshop matrix --app shop.toml --out runs/shop        every scenario that your own application can be asked

    Run every scenario of the catalogue on its architectures, cheapest first, and put predicted beside measured. Ended
    in the middle, it goes on where it ended: what was run with the same scenario, seed, engine and version is kept.

    \b
    Exit codes: 0 all as predicted, or refuted and understood; 1 something is neither; 3 something is inconclusive or could
    not be run.
    """  # noqa: E501 - as wide as it is printed
    options.check_on(scheduler, side_by_side)
    from loadtests.campaigns.cells import FILE, Selection
    from loadtests.campaigns.jobs import shard_named
    from loadtests.campaigns.matrix.board import matrix_exit_code
    from loadtests.campaigns.matrix.matrix_run import MatrixRequest, run_matrix
    from loadtests.campaigns.matrix.page import summary, table
    from loadtests.planning.scenario_file import all_scenarios

    under_test = _under_test(app, engine_name, balancer, scheduler) if app else None
    if under_test:
        architectures = under_test.chosen(architectures, or_all=False)
        # Not among the twins' cells, unless somebody says where.
        out = out.with_name(f"{out.name}-{under_test.description.name}") if out == Path(OUT) else out
    asked = MatrixRequest(
        # On other machines one at a time each, whatever this one has processors for.
        Selection(families, architectures, scenarios), engine_name, seed, out, 1 if scheduler else side_by_side, fresh,
        again, balancer, application=under_test,
    )  # fmt: skip
    if shard:
        asked = msgspec.structs.replace(asked, shard=shard_named(shard))
    launcher = None
    if scheduler:
        balancers = {balancer or scenario.balancer for scenario in all_scenarios()}
        launcher = options.far_launcher(scheduler, balancers, out, engine_name)
    done = run_matrix(asked, (lambda _line: None) if quiet else (lambda line: tell(line, err=True)), launcher)
    if as_json:
        tell((out / FILE).read_text(), nl=False)
    else:
        tell(table(done.board, width=_width()))
        tell(summary(done.board, done.page))
    if done.interrupted is not None:
        raise done.interrupted  # after the table: what was measured stays, and is told
    return matrix_exit_code(done.board)


def _under_test(file: Path, engine: str, balancer: str, scheduler: str | None) -> ApplicationUnderTest:
    from loadtests.running.application import ApplicationUnderTest

    found = ApplicationUnderTest.load(file, beyond=True)
    if found.description.running is not None:
        raise UsageError(
            f"no matrix of {found.description.name}", why="it runs already, and a matrix would break it for an hour",
            next_step=f"one at a time: twinshop run node-kill --app {shlex.quote(str(file))}",
        )  # fmt: skip
    if scheduler:
        raise UsageError(
            f"{found.description.name} cannot be run on other machines",
            why="a worker runs what its own checkout holds, and that are the twins", next_step="omit --on",
        )  # fmt: skip
    found.check_way(engine, balancer)
    return found


def _width() -> int:
    """Of the terminal; 100 where the words go to a file or a pipe."""
    return max(60, shutil.get_terminal_size().columns) if sys.stdout.isatty() else 100


@click.command()
@OUT_OPTION
@options.JSON_OPTION
@options.DEBUG_OPTION
def claims(out: Path, as_json: bool) -> None:
    """\b
    Examples:
      twinshop claims
      twinshop claims --out runs/matrix-docker --json

    Decide the claims that are commonly made of stateful and stateless shops, from what `twinshop matrix` has measured:
    confirmed, refuted, depends, or not decided. Writes them into the matrix' page, too; starts nothing.
    """
    from loadtests.campaigns.jobs import catalogue
    from loadtests.campaigns.matrix.matrix_run import decisions
    from loadtests.campaigns.matrix.page import write_page
    from loadtests.campaigns.matrix.second_predictions import read_understood

    matrix, entries = read_understood(out), catalogue()
    decided = decisions(matrix, entries)
    page = write_page(out, matrix, entries, decided)
    if as_json:
        tell(json_text({"schema": 1, "claims": decided}))
        return
    for it in decided:
        tell(f"{it.claim.id:<4}{click.style(f'{it.word:<12}', bold=True)}{it.claim.claim}")
        for line in textwrap.wrap(it.sentence, WIDTH - 16, break_on_hyphens=False, break_long_words=False):
            tell(f"{'':<16}{line}")
        tell("")
    tell(f"page     {page}#claims")


@click.command()
@click.argument("folders", metavar="DIR...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("runs/merged"), show_default=True,
    help="The new folder; it must not be there.",
)  # fmt: skip
@options.DEBUG_OPTION
def merge(folders: tuple[Path, ...], out: Path) -> None:
    """\b
    Examples:
      twinshop merge runs/part-1 runs/part-2 runs/part-3 --out runs/matrix

    Put folders of `twinshop matrix` (its --shard, usually) together into a new one, with all their runs: the page is
    the one that a single machine would have made.
    """
    from loadtests.campaigns.matrix.merge import merge as put_together

    tell(put_together(folders, out))
