"""`twinshop claims`: what is commonly said, and what the matrix' numbers say of it."""

from __future__ import annotations

import textwrap
from pathlib import Path

import click

from loadtests.commands.matrix import OUT_OPTION
from loadtests.commands.options import DEBUG_OPTION, JSON_OPTION
from loadtests.running.console import json_text, tell

WIDTH = 100


@click.command(
    help="""\b
Examples:
  twinshop claims
  twinshop claims --out runs/matrix-docker --json

Decide the claims that are commonly made of stateful and stateless shops, from what `twinshop matrix` has measured:
confirmed, refuted, depends, or not decided. Writes them into the matrix' page, too; starts nothing.
"""
)
@OUT_OPTION
@JSON_OPTION
@DEBUG_OPTION
def claims(out: Path, as_json: bool) -> None:
    """The claims, decided from the matrix in that folder."""
    from loadtests.campaigns.cells import read_matrix
    from loadtests.campaigns.jobs import catalogue
    from loadtests.campaigns.matrix.matrix_run import decisions
    from loadtests.campaigns.matrix.page import write_page

    matrix, entries = read_matrix(out), catalogue()
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


COMMANDS = {"claims": claims}
