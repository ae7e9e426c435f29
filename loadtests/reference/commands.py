"""The page of commands, which is what `--help` says word for word; and the page of exports, with each column."""

import click

from loadtests.cli import COMMANDS, command_named, twinshop
from loadtests.reference.markdown import code, page, table
from loadtests.report.exports.tables import TABLES

WIDTH = 100


def commands() -> str:
    """docs/reference/cli.md."""
    parts = [f"```text\n{_help(twinshop, 'twinshop')}\n```"]
    for name in COMMANDS:
        command = command_named(name)
        parts.append(f"## twinshop {name}")
        parts.append(f"```text\n{_help(command, f'twinshop {name}')}\n```")
        if isinstance(command, click.Group):
            parts += [
                f"```text\n{_help(below, f'twinshop {name} {word}')}\n```" for word, below in command.commands.items()
            ]
    return page(
        "The command line",
        "Results go to standard output, progress and problems to standard error. This is what `--help` prints.",
        *parts,
    )


def _help(command: click.Command, name: str) -> str:
    """As on a terminal that is `WIDTH` wide."""
    # A fixed width, as click otherwise asks the terminal, and the page would depend on who makes it.
    with click.Context(
        command, info_name=name, help_option_names=["-h", "--help"], terminal_width=WIDTH, max_content_width=WIDTH
    ) as context:
        return "\n".join(line.rstrip() for line in command.get_help(context).splitlines())


FORMS = {
    "csv": "Three tables, for spreadsheets and data frames: UTF-8, what there is not is empty. Text that a spreadsheet "
    "would take for a formula gets an apostrophe before it.",
    "parquet": "The same tables, typed: text, 64-bit whole numbers, doubles, booleans; what there is not is null. "
    "Needs `pip install 'twinshop[parquet]'`.",
    "junit": "One test suite for the run; one case for each verdict, prediction and threshold. Refuted, or fired: a "
    "failure. Inconclusive, or never begun: an error, because a test that could not be carried out must not be green; "
    "what was predicted there is skipped, because it decides nothing.",
    "markdown": "A summary for a pull request: answer, numbers, thresholds, predictions, plan, how to run it again.",
    "badge": "An SVG that says how the run ended.",
}


def exports() -> str:
    """docs/reference/exports.md."""
    parts = []
    for it in TABLES.values():
        parts += [
            f"## The table {code(it.name)}",
            it.about,
            table(("column", "holds", "meaning"), [(code(head.name), head.kind, head.about) for head in it.heads()]),
        ]
    return page(
        "Exports",
        "`twinshop export RUN --to FORM` judges a run's folder again, offline, and writes it in a form that other "
        "machines read: the same run, the same bytes. One file each in "
        "[`loadtests/report/exports`](../../loadtests/report/exports). "
        "[Where each number comes from](results.md); [how to run it in CI](../how-to/run-in-ci.md).",
        table(("form", "what it is"), [(code(name), about) for name, about in FORMS.items()]),
        *parts,
    )
