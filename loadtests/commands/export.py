"""`twinshop export RUN`: what was found, in the forms that other machines read."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import click

from loadtests.commands.options import DEBUG_OPTION, RUN
from loadtests.running.console import interrupts_raise, is_gone, silence, tell
from shared.errors import UsageError
from shared.whole_file import whole_file

FORMS = ("csv", "parquet", "junit", "markdown", "badge")
TABLES = ("actions", "losses", "measures")
"""Both as `loadtests.report.exports` has them, which takes its time to import; a test compares them."""


@click.command(
    epilog="""\b
Examples:
  twinshop export runs/latest --to junit > junit.xml
  twinshop export runs/latest --to markdown >> "$GITHUB_STEP_SUMMARY"
  twinshop export runs/latest --to badge --out docs/twinshop.svg
  twinshop export runs/latest --to csv                   runs/latest/export/actions.csv, losses.csv, measures.csv
  twinshop export runs/latest --to csv --table losses    one table, on standard output
  twinshop export runs/latest --to parquet --out tables  needs: pip install 'twinshop[parquet]'

It ends with 0 once it has written, whatever the run's verdict; `twinshop check RUN` ends with that of the run.
"""
)
@RUN
@click.option("--to", "form", type=click.Choice(FORMS), required=True, help="The form.")
@click.option("--table", type=click.Choice(TABLES), help="Only this table, of csv and parquet.")
@click.option(
    "--out", type=click.Path(path_type=Path),
    help="The file; of all tables, the folder.  [default: standard output; of all tables, RUN/export]",
)  # fmt: skip
@DEBUG_OPTION
def export(folder: Path, form: str, table: str | None, out: Path | None) -> None:
    """Judge RUN (a run's folder, for example runs/latest, or a bundle) again and write it in another form."""
    from loadtests.campaigns.bundles.unpack import run_in
    from loadtests.report.exports.forms import DOCUMENTS, TABLE_FORMS, write_one, write_tables
    from loadtests.report.exports.judged import judged_run

    if form in DOCUMENTS and table:
        raise UsageError(f"{form} has no tables", why="--table is for csv and parquet", next_step="omit --table")
    tables = TABLE_FORMS.get(form)
    both = tables is not None and table is None
    _check_place(out, both)  # before anything is judged, which may take minutes
    if both and out is None and folder.is_file():
        raise UsageError(
            f"{folder} is a bundle, and stays as it is",
            why="several tables go into a folder",
            next_step="name one: --out FOLDER; or one table: --table losses",
        )
    if tables is not None:
        if tables.binary and table and out is None and sys.stdout.isatty():
            raise UsageError(
                f"{form} is nothing for a terminal", next_step=f"name a file: --out {table}.{form}, or lead it into one"
            )
        tables.check()  # before the run is judged, which may take a while: is what writes it installed?
    with interrupts_raise(), run_in(folder) as place:
        run = judged_run(place)
        if both:
            for path in write_tables(run, form, out or folder / "export"):
                tell(path)
        elif out is not None:
            out.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(out) as file:
                write_one(run, form, table, file)
            tell(out)
        else:
            _to_output(lambda stream: write_one(run, form, table, stream))


def _to_output(write: Callable[[BinaryIO], None]) -> None:
    """A reader may leave before the end, as `head` does: that is no error."""
    stream = sys.stdout.buffer
    try:
        write(stream)
        stream.flush()
    except OSError as error:
        if not is_gone(error):
            raise
        silence(sys.stdout)


def _check_place(out: Path | None, is_folder: bool) -> None:
    if out is None or not out.exists() or out.is_dir() == is_folder:
        return
    raise UsageError(
        f"{out} is {'no folder' if is_folder else 'a folder'}",
        why="several tables go into a folder" if is_folder else "one document goes into a file",
        next_step="name another place: --out PATH",
    )
