"""`twinshop compare RUN RUN…`: runs side by side."""

from contextlib import ExitStack
from pathlib import Path
from string import ascii_uppercase

import click

from loadtests.commands.options import DEBUG_OPTION, JSON_OPTION
from loadtests.running.console import advise, interrupts_raise, json_text, tell
from shared.errors import EnvironmentNotReady, UsageError
from shared.whole_file import write_whole

NOT_COMPARED = 3
"""As for an experiment that answers nothing."""


@click.command()
@click.argument("runs", metavar="RUN RUN…", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--html", "page", type=click.Path(dir_okay=False, path_type=Path),
    help="Where the page goes.  [default: runs/comparison.html]",
)  # fmt: skip
@JSON_OPTION
@DEBUG_OPTION
def compare(runs: tuple[Path, ...], page: Path | None, as_json: bool) -> int:
    """\b
    Examples:
      twinshop compare runs/20261121-013044-node-kill-1 runs/latest
      twinshop compare mine.zip theirs.zip --html beside.html
      twinshop compare mine.zip theirs.zip --json

    Put two or more runs side by side (folders or bundles): what was asked, where it ran, what differs; and, for each
    architecture, every number with its difference from the first run's. Numbers are compared only if the plans are the
    same; if not, it says exactly what differs. Each run is judged again, so all are counted by the same rules. The same
    is written as a page, too; with --json only if --html says where.

    \b
    Exit codes: 0 compared, 2 usage or a damaged run, 3 not comparable.
    """
    from loadtests.campaigns.bundles.unpack import run_in
    from loadtests.campaigns.comparison.comparison import compare as side_by_side
    from loadtests.campaigns.comparison.page import FILE, comparison_html, comparison_page
    from loadtests.campaigns.comparison.side import read_side

    if not 2 <= len(runs) <= len(ascii_uppercase):
        raise UsageError(
            f"{len(runs)} to compare; at least 2, and at most {len(ascii_uppercase)}",
            next_step="twinshop compare RUN RUN",
        )
    with interrupts_raise(), ExitStack() as opened:
        sides = [
            read_side(label, str(path), opened.enter_context(run_in(path)))
            for label, path in zip(ascii_uppercase, runs, strict=False)  # there are more letters than runs
        ]
    comparison = side_by_side(sides)
    if page or not as_json:
        page = page or FILE
        _write(page, comparison_html(comparison))
    if as_json:
        tell(json_text(comparison))
    else:
        advise(f"{comparison_page(comparison)}\npage     {page}")
    return 0 if comparison.comparable else NOT_COMPARED


def _write(page: Path, html: bytes) -> None:
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
        write_whole(page, html)
    except OSError as error:
        raise EnvironmentNotReady(
            f"cannot write {page}", why=error.strerror or str(error), next_step="name another file: --html FILE"
        ) from error
