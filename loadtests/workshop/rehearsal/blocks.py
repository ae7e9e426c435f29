"""The commands of a page, and the output that it shows: lines that begin with `$ ` in console blocks, and what follows.

In shown output `…` stands for anything within a line, and a line of its own for any lines.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

import msgspec

_FENCE = re.compile(r"^```(\w*)")
ANYTHING = "…"


class Block(msgspec.Struct, frozen=True):
    """One command of a page."""

    place: str
    """File and line."""
    words: tuple[str, ...]
    output: tuple[str, ...]
    """As the page shows it; none: it shows nothing."""

    def shows(self, said: str) -> bool:
        """Whether the page shows what the command said."""
        return not self.output or _agree(self.output, said.strip().splitlines())


def blocks(text: str, name: str) -> Iterator[Block]:
    """The commands of a page, in order; `name` is what messages call it."""
    console, command, place = False, "", ""
    output: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        fence = _FENCE.match(line)
        starts = console and line.startswith("$ ")
        if command and (fence or starts):
            yield Block(place, tuple(shlex.split(command, comments=True)), tuple(output))
            command, output = "", []
        if fence:
            console = not console and fence[1] == "console"
        elif starts:
            command, place = line[2:], f"{name}:{number}"
        elif command:
            output.append(line.rstrip())


def _agree(shown: Sequence[str], said: Sequence[str]) -> bool:
    """Line by line; a line of `…` alone stands for any number of lines, none among them."""
    if not shown:
        return not said
    if shown[0].strip() == ANYTHING:
        return any(_agree(shown[1:], said[skipped:]) for skipped in range(len(said) + 1))
    return bool(said) and _alike(shown[0], said[0]) and _agree(shown[1:], said[1:])


def _alike(shown: str, said: str) -> bool:
    pattern = ".*".join(re.escape(part) for part in shown.split(ANYTHING))
    return re.fullmatch(pattern, said.rstrip()) is not None
