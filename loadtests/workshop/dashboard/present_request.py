"""What the dashboard's views ask of the request that they answer: what they need, who asks, and what is covered."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from flask import current_app, g
from msgspec import Struct

from loadtests.workshop.contract import Command, Reply
from loadtests.workshop.dashboard.broadcaster import Broadcaster
from loadtests.workshop.dashboard.clients import Guesses, Visitor, Visitors
from loadtests.workshop.dashboard.refusals import Refusal

EXTENSION = "twinshop workshop"

Tell = Callable[[Command], Reply]


class Desk(Struct, frozen=True):
    """What the views need."""

    broadcaster: Broadcaster
    visitors: Visitors
    guesses: Guesses
    tell_harness: Tell | None
    """None: there is no harness (a recorded run)."""


def the_desk() -> Desk:
    """Of the present request."""
    return cast(Desk, current_app.extensions[EXTENSION])


def the_visitor() -> Visitor:
    """Who makes the present request."""
    return cast(Visitor, g.visitor)


def refuse_covered() -> None:
    """Keep a result back from whoever has not committed a prediction.

    Raises:
        Refusal: they may not see it yet.
    """
    if the_desk().broadcaster.is_covered(the_visitor().who):
        raise Refusal(
            403, "results are covered", why="who predicts first learns more from what happens",
            next_step="commit your prediction, and they are yours as soon as there are any",
        )  # fmt: skip
