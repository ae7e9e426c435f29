"""What the dashboard's views ask of the request that they answer: what they need, who asks, and what is covered."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast
from urllib.parse import urlsplit

from flask import current_app, g
from msgspec import Struct

from loadtests.workshop.contract import Command, CommandReply
from loadtests.workshop.dashboard.broadcaster import Broadcaster
from loadtests.workshop.dashboard.clients import Client, Clients, JoinThrottle
from loadtests.workshop.dashboard.refusals import Refusal
from loadtests.workshop.dashboard.seats import Seat

EXTENSION = "twinshop workshop"

Tell = Callable[[Command], CommandReply]


class JoinAddress(Struct, frozen=True):
    """What a room is shown, so that it can come in."""

    url: str
    """Of the door."""
    code: str

    @property
    def short(self) -> str:
        """As somebody types it."""
        return urlsplit(self.url).netloc

    @property
    def with_code(self) -> str:
        """As a telephone reads it."""
        return f"{self.url}?code={self.code}"


class RequestContext(Struct, frozen=True):
    """What the views need."""

    broadcaster: Broadcaster
    clients: Clients
    throttle: JoinThrottle
    tell_harness: Tell | None
    """None: there is no harness (a recorded run)."""
    room: JoinAddress | None = None
    """How others join; None: they do not."""
    shop_ports: tuple[int, ...] = ()
    """Of the two shops, by the name by which a browser has reached the dashboard."""


def the_context() -> RequestContext:
    """Of the present request."""
    return cast(RequestContext, current_app.extensions[EXTENSION])


def the_client() -> Client:
    """Who makes the present request."""
    return cast(Client, g.client)


def the_seat() -> Seat | None:
    """Of whoever makes the present request; None: they have not joined, or are the instructor."""
    return the_context().broadcaster.seats.of(the_client().who)


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
