"""The page of commands: what `--help` says, word for word."""

from __future__ import annotations

from importlib import import_module

import click

from loadtests.cli import COMMANDS, twinshop
from loadtests.reference.markdown import page

WIDTH = 100


def commands() -> str:
    """docs/reference/cli.md."""
    parts = [f"```text\n{_help(twinshop, 'twinshop')}\n```"]
    for name, (module, _what) in COMMANDS.items():
        command: click.Command = import_module(module).COMMANDS[name]
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
    """As on a terminal of that width, wherever this runs."""
    with click.Context(
        command, info_name=name, help_option_names=["-h", "--help"], terminal_width=WIDTH, max_content_width=WIDTH
    ) as context:
        return "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
