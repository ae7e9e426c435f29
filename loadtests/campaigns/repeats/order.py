"""What is run, in which order, from which seed: balanced, so that a machine that slows down accuses nobody.

Two architectures take turns as ABBA. More of them are rotated, and every second round runs backwards: in each round
everybody stands once in every place, and over two rounds everybody comes as often before as after everybody else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

Kind = Literal["fault", "no-fault", "placebo", "again"]
"""Of a block. `again`: the first architecture a second time, beside the fault block of the same number."""

CONTROLLED = 10
"""One of each control for so many fault blocks, and at least one: for two architectures a quarter more to run."""


class Turn(msgspec.Struct, frozen=True):
    """One run that is to be carried out: the architectures in this order, from this seed."""

    number: int
    """Of the block that it belongs to: 1 … N."""
    kind: Kind
    seed: int
    architectures: tuple[str, ...]


def turns(architectures: Sequence[str], repeats: int, seed: int) -> tuple[Turn, ...]:
    """Every run of the whole, in order. A control has the seed of the block that it follows.

    The first architecture's second time comes after its block and before it in turn, for the same reason as ABBA.
    """
    controlled = controlled_blocks(repeats)
    found: list[Turn] = []
    for block in range(repeats):
        number, block_seed, names = block + 1, seed + block, in_turn(architectures, block)
        around = [Turn(number, "fault", block_seed, names)]
        if block in controlled:
            again = Turn(number, "again", block_seed, (architectures[0],))
            around.insert(1 - controlled.index(block) % 2, again)
            around += [Turn(number, "no-fault", block_seed, names), Turn(number, "placebo", block_seed, names)]
        found += around
    return tuple(found)


def in_turn(architectures: Sequence[str], block: int) -> tuple[str, ...]:
    """The order of a block, counted from 0."""
    names = tuple(architectures)
    if len(names) == 2:
        return names[::-1] if block % 4 in (1, 2) else names
    round_, place = divmod(block, len(names))
    rotated = names[place:] + names[:place]
    return rotated[::-1] if round_ % 2 else rotated


def controlled_blocks(repeats: int) -> tuple[int, ...]:
    """The blocks, counted from 0, that the controls stand beside: spread evenly over the whole."""
    count = max(1, repeats // CONTROLLED)
    return tuple((2 * each + 1) * repeats // (2 * count) for each in range(count))
