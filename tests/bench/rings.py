"""Whom a ring of constant size moves when a node leaves or joins, by throwing many: docs/explanation/closed-forms.md.

    python -m tests.bench.rings

Each ring has as many points as Envoy's `RING_HASH` with its default `minimum_ring_size`, shared among the nodes; a
shopper belongs to the node of the next point. Prints what moved, beside the closed form.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from math import ceil
from random import Random
from statistics import mean

RING = 1024
NODES = 3
SHOPPERS = 30
RINGS = 2_500
SEED = 1


class Ring:
    """The points of some nodes."""

    def __init__(self, points: Sequence[Sequence[float]], nodes: Sequence[int]) -> None:
        each = ceil(RING / len(nodes))
        self._points = sorted((at, node) for node in nodes for at in points[node][:each])

    def node_of(self, at: float) -> int:
        return self._points[bisect_left(self._points, (at, -1)) % len(self._points)][1]


def thrown(chance: Random) -> tuple[float, float]:
    """The share of the others that move when the last node leaves, and of all when another joins."""
    points = [[chance.random() for _ in range(RING)] for _ in range(NODES + 1)]
    fewer, before, more = (Ring(points, range(count)) for count in (NODES - 1, NODES, NODES + 1))
    shoppers = [(at, before.node_of(at)) for at in (chance.random() for _ in range(SHOPPERS))]
    others = [(at, node) for at, node in shoppers if node != NODES - 1]
    left = sum(fewer.node_of(at) != node for at, node in others)
    joined = sum(more.node_of(at) != node for at, node in shoppers)
    return left / len(others), joined / SHOPPERS


def main() -> None:
    """Print both."""
    chance, n = Random(SEED), NODES
    left, joined = zip(*(thrown(chance) for _ in range(RINGS)), strict=True)
    forms = (n - 2) / ((n - 1) * (n + 1)), (2 * n + 1) / ((n + 1) * (n + 2))
    print(f"{RINGS:,} rings of {n} nodes, {SHOPPERS} shoppers; shares that move")
    for what, shares, form in zip(("a node leaves: others", "a node joins: all"), (left, joined), forms, strict=True):
        few, many = (sorted(shares)[round(part * (RINGS - 1))] for part in (0.001, 0.999))
        print(f"{what:22} mean {mean(shares):.3f}   closed form {form:.3f}   0.1 % to 99.9 %: {few:.2f} to {many:.2f}")


if __name__ == "__main__":
    main()
