"""Options that several commands have, said once."""

from __future__ import annotations

import click

DEBUG_OPTION = click.option(
    "--debug", is_flag=True, expose_value=False, help="Show the traceback of an error."
)  # `loadtests.cli.main` looks for the word, because the error may come before any option is read
JSON_OPTION = click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
