"""What the dashboard's views ask of the request that they answer: what they need, who asks, and what is covered."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from flask import current_app, g
from msgspec import Struct

from loadtests.workshop.contract import Command, CommandReply
from loadtests.workshop.dashboard.broadcaster import Broadcaster
from loadtests.workshop.dashboard.clients import Client, Clients, JoinThrottle
from loadtests.workshop.dashboard.refusals import Refusal

EXTENSION = "twinshop workshop"

Tell = Callable[[Command], CommandReply]


class RequestContext(Struct, frozen=True):
    """What the views need."""

    broadcaster: Broadcaster
    clients: Clients
    throttle: JoinThrottle
    tell_harness: Tell | None
    """None: there is no harness (a recorded run)."""


def the_context() -> RequestContext:
    """Of the present request."""
    return cast(RequestContext, current_app.extensions[EXTENSION])


def the_client() -> Client:
    """Who makes the present request."""
    return cast(Client, g.client)


def refuse_covered() -> None:
    """Keep a result back from whoever has not committed a prediction.

    Raises:
        Refusal: they may not see it yet.
    """
    if the_context().broadcaster.is_covered(the_client().who):
        raise Refusal(
            403, "results are covered", why="who predicts first learns more from what happens",
            next_step="commit your prediction, and they are yours as soon as there are any",
        )  # fmt: skip
