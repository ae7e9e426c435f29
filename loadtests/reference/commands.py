"""What the page of commands says: what `--help` prints, word for word."""

import click

from loadtests.cli import COMMANDS, command_named, twinshop

WIDTH = 100


def helps() -> dict[str, list[str]]:
    """The help of each command, and of those below it; of `twinshop` itself under ""."""
    found = {"": [_help(twinshop, "twinshop")]}
    for name in COMMANDS:
        command = command_named(name)
        below = command.commands.items() if isinstance(command, click.Group) else ()
        whole = f"twinshop {name}"
        found[name] = [_help(command, whole), *(_help(it, f"{whole} {word}") for word, it in below)]
    return found


def _help(command: click.Command, name: str) -> str:
    """As on a terminal that is `WIDTH` wide."""
    # A fixed width, as click otherwise asks the terminal, and the page would depend on who makes it.
    with click.Context(
        command, info_name=name, help_option_names=["-h", "--help"], terminal_width=WIDTH, max_content_width=WIDTH
    ) as context:
        return "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
