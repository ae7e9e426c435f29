"""What one shopper would do, drawn from its own generator: an endless, seeded stream of steps.

A shopper's stream depends on the seed and its own number, and on nobody else: adding a shopper changes nobody's day.
Free shoppers (plain `locust -f`) take from the stream as they go; a plan cuts it off at the end of the window.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from random import Random
from typing import NamedTuple

from loadtests.history import Do
from shared.shop.catalogue import PRODUCTS

DEFAULT_MIX: dict[str, float] = {
    "browse": 4.0,
    "add": 4.0,
    "remove": 1.0,
    "cart": 3.0,
    "checkout": 0.5,
    "me": 1.0,
    "orders": 0.0,
}
"""How often a shopper does what, relative to each other."""

SHORTEST_THINK, LONGEST_THINK = 0.2, 4.0
"""Bounds of a pause, as multiples of the mean."""
MOST_OF_ONE = 900
"""Units of one article in a planned cart; the shop refuses more than 999."""
_GOLDEN = 0.6180339887498949
"""Multiples of the golden ratio, without their whole part, fill an interval evenly, however many of them there are."""

SKUS = tuple(product.sku for product in PRODUCTS)


class Step(NamedTuple):
    """One thing to do, `at_ms` after the zero of the load window."""

    at_ms: int
    do: Do
    sku: str = ""
    quantity: int = 0


class Habits(NamedTuple):
    """What is the same for all shoppers of a plan."""

    think_ms: int
    login_within_ms: int
    mix: Mapping[str, float] = DEFAULT_MIX


def generator_of(seed: int, shopper: int) -> Random:
    """The shopper's own source of chance. Seeding with text goes through SHA-512: the same in every process."""
    return Random(f"{seed}/{shopper}")


def spread(shopper: int, within_ms: float) -> float:
    """The shopper's place in an interval over which any number of shoppers are to be spread evenly, in ms."""
    return math.fmod(shopper * _GOLDEN, 1.0) * within_ms


def draw_steps(chance: Random, shopper: int, habits: Habits) -> Iterator[Step]:
    """Log in, then shop for ever. Times never go backwards."""
    within = habits.login_within_ms
    jitter = chance.random() * within / 16
    at_ms = (spread(shopper, within) + jitter) % within if within else 0.0
    yield Step(int(at_ms), "login")
    basket = _Basket(chance, {**DEFAULT_MIX, **habits.mix})
    while True:
        at_ms += think(chance, habits.think_ms)
        do, sku, quantity = basket.next()
        yield Step(int(at_ms), do, sku, quantity)


def think(chance: Random, mean_ms: float) -> float:
    """A pause: exponential, as people's are, but neither endless nor nothing."""
    drawn = -math.log(1.0 - chance.random())
    return mean_ms * min(max(drawn, SHORTEST_THINK), LONGEST_THINK)


class _Basket:
    """What the shopper wants next, given what it means to have in its cart by then."""

    def __init__(self, chance: Random, mix: Mapping[str, float]) -> None:
        self._chance = chance
        self._words = [word for word in DEFAULT_MIX if mix[word] > 0]
        self._weights = [mix[word] for word in self._words]
        self._cart: dict[str, int] = {}

    def next(self) -> tuple[Do, str, int]:
        word = self._chance.choices(self._words, self._weights)[0]
        if word == "add":
            return self._add()
        if word == "remove" and self._cart:
            sku = self._chance.choice(list(self._cart))
            del self._cart[sku]
            return "remove", sku, 0
        if word == "checkout" and self._cart:
            self._cart.clear()
            return "checkout", "", 0
        if word == "cart":
            return "cart", "", 0
        if word == "me":
            return "me", "", 0
        if word == "orders":
            return "orders", "", 0
        return "browse", "", 0

    def _add(self) -> tuple[Do, str, int]:
        sku = self._chance.choice(SKUS)
        quantity = self._chance.choices((1, 2, 3), (7, 2, 1))[0]
        if self._cart.get(sku, 0) + quantity > MOST_OF_ONE:
            return "cart", "", 0
        self._cart[sku] = self._cart.get(sku, 0) + quantity
        return "add", sku, quantity
