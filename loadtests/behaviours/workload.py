"""The contract of a behaviour, and what it draws a shopper's steps from: moments, pauses, what it wants in its basket.

A behaviour makes steps, before anything is started; it knows nothing of architectures, answers or time as it passes.
What a step does on the wire is for `loadtests.load` to know.

A shopper's stream depends on the seed and its own number, and on nobody else: adding a shopper changes nobody's day.
Free shoppers (plain `locust -f`) take from the stream as they go; a plan cuts it off at the end of the window.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import takewhile
from random import Random
from typing import NamedTuple, cast

from compose.applications import SHIPPED
from loadtests.model.history import Do, Jar

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
# Units of one article in a planned cart. The shop refuses more than 999; some room is left for adds that come twice.
MOST_OF_ONE = 900
# Multiples of the golden ratio, without their whole part, fill an interval evenly, however many of them there are.
_GOLDEN = 0.6180339887498949

SKUS = SHIPPED.interface.articles


class Step(NamedTuple):
    """One thing to do, `at_ms` after the zero of the load window."""

    at_ms: int
    do: Do
    sku: str = ""
    quantity: int = 0
    jar: Jar = "main"
    beside: bool = False
    """At its time, though the step before may still be waiting for its answer."""


class Habits(NamedTuple):
    """What is the same for all shoppers of a plan."""

    think_ms: float
    login_within_ms: int
    mix: Mapping[str, float] = DEFAULT_MIX


class ShopperDraw(NamedTuple):
    """What one shopper's steps are drawn from."""

    chance: Random
    """The shopper's own."""
    shopper: int
    habits: Habits
    window_ms: int = 0
    """What lies beyond it is cut off; 0: there is no end."""

    def at(self, share: float) -> int:
        """The moment at which so much of the window is over, in ms; not before everybody has logged in."""
        return max(int(self.window_ms * share), self.habits.login_within_ms)

    def moments(self, pauses: float = 1.0) -> Iterator[float]:
        """When the shopper logs in, and then when it does each next thing, for ever, in ms. Times never go backwards.

        Pauses are so many times as long as the habit is.
        """
        within, chance = self.habits.login_within_ms, self.chance
        jitter = chance.random() * within / 16  # drawn always: whether it is used must not change what comes after
        at_ms = (spread(self.shopper, within) + jitter) % within if within else 0.0
        while True:
            yield at_ms
            at_ms += think(chance, self.habits.think_ms * pauses)

    def basket(self) -> Basket:
        """An empty one."""
        return Basket(self.chance, self.habits.mix)

    def shopping(self) -> Iterator[Step]:
        """Log in, then shop for ever."""
        when = self.moments()
        yield Step(int(next(when)), "login")
        basket = self.basket()
        for at_ms in when:
            yield basket.next(int(at_ms))

    def probes(self, jar: Jar, since_ms: int, count: int) -> Iterator[Step]:
        """That many looks with that jar's cookies, evenly spread over what is left of the window."""
        for number in range(1, count + 1):
            yield Step(since_ms + (self.window_ms - since_ms) * number // (count + 1), "me", jar=jar)


class Behaviour:
    """One way to shop."""

    name: str
    """What a scenario calls it: `behaviour = "two-tabs"`."""
    sentence: str
    """One sentence for a person: what these shoppers do."""
    uses: frozenset[Do] = frozenset()
    """What they do beside logging in and what the scenario's mix has."""
    pace: float = 1.0
    """Planned actions for each mean pause of the scenario."""
    gives_up: bool = False
    """Their client takes any error of the shop for a logout."""
    may_leave: bool = True
    """Some of them may log out as their last action (`load.leavers`): it would not spoil what the behaviour shows."""

    def steps(self, draw: ShopperDraw) -> Iterable[Step]:
        """The steps, in order of time; what lies beyond the window is cut off. Just shopping, unless it is overridden.

        The first one of jar `main` is a login. What is `beside` has a step of the same jar before it.
        """
        return draw.shopping()


def generator_of(seed: int, shopper: int) -> Random:
    """The shopper's own source of chance."""
    # As text: that is seeded by SHA-512, the same in every process, where a tuple would go by `hash()`.
    return Random(f"{seed}/{shopper}")


def spread(shopper: int, within_ms: float) -> float:
    """The shopper's place in an interval over which any number of shoppers are to be spread evenly, in ms."""
    return math.fmod(shopper * _GOLDEN, 1.0) * within_ms


def until(at_ms: int, steps: Iterable[Step]) -> Iterator[Step]:
    """The steps before that time, and the login in any case."""
    return takewhile(lambda step: step.do == "login" or step.at_ms < at_ms, steps)


def in_between(steps: Iterable[Step], others: Iterable[Step]) -> Iterator[Step]:
    """The steps, and the others at their times."""
    waiting = deque(others)
    for step in steps:
        # None before the login, however late that is: there is nothing yet that others could look at or use.
        while waiting and waiting[0].at_ms <= step.at_ms and step.do != "login":
            yield waiting.popleft()
        yield step


def think(chance: Random, mean_ms: float) -> float:
    """A pause: exponential, as people's are, but neither endless nor nothing."""
    drawn = -math.log(1.0 - chance.random())
    return mean_ms * min(max(drawn, SHORTEST_THINK), LONGEST_THINK)


class Basket:
    """What the shopper wants next, given what it means to have in its cart by then."""

    def __init__(self, chance: Random, mix: Mapping[str, float]) -> None:
        weights = {do: mix.get(do, weight) for do, weight in DEFAULT_MIX.items()}
        self._chance = chance
        # In our order: how a scenario sorts its mix changes no plan.
        self._words = cast("list[Do]", [do for do in DEFAULT_MIX if weights[do] > 0])
        self._weights = [weights[do] for do in self._words]
        self._cart: dict[str, int] = {}

    def next(self, at_ms: int) -> Step:
        """Whatever comes to its mind."""
        do = self._chance.choices(self._words, self._weights)[0]
        if do == "add":
            return self.add(at_ms)
        if do in ("remove", "checkout") and not self._cart:
            return Step(at_ms, "browse")  # the shop would refuse it: a failed action that no fault has caused
        if do == "remove":
            sku = self._chance.choice(list(self._cart))
            del self._cart[sku]
            return Step(at_ms, "remove", sku)
        if do == "checkout":
            self._cart.clear()
        return Step(at_ms, do)

    def add(self, at_ms: int, but: str = "") -> Step:
        """Some more of an article (any other than `but`); a look at the cart if there is enough of it."""
        sku = self._chance.choice(SKUS)
        while sku == but:
            sku = self._chance.choice(SKUS)
        quantity = self._chance.choices((1, 2, 3), (7, 2, 1))[0]
        if self._cart.get(sku, 0) + quantity > MOST_OF_ONE:
            return Step(at_ms, "cart")
        self._cart[sku] = self._cart.get(sku, 0) + quantity
        return Step(at_ms, "add", sku, quantity)
