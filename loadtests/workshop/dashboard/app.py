"""The dashboard as a Flask app: who may come in, and the rooms that there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from flask import Flask, Response, current_app, g, redirect, request
from msgspec import Struct
from werkzeug.wrappers import Response as AnyResponse

from loadtests.workshop.contract import Command, Reply
from loadtests.workshop.dashboard.broadcaster import Broadcaster
from loadtests.workshop.dashboard.doorkeeper import Doorkeeper, protect
from loadtests.workshop.dashboard.guesses import Guesses
from loadtests.workshop.dashboard.refusals import Refusal, answer_refusals, wants_json
from loadtests.workshop.dashboard.said import MOST_BODY_BYTES
from loadtests.workshop.dashboard.visitors import Visitor, Visitors

EXTENSION = "twinshop workshop"
WITHOUT_JOINING = frozenset({"pages.join", "pages.joined", "pages.healthz", "static"})
"""What whoever does not know the join code may ask for."""

Tell = Callable[[Command], Reply]


class Desk(Struct, frozen=True):
    """What the views need."""

    broadcaster: Broadcaster
    visitors: Visitors
    guesses: Guesses
    tell_harness: Tell | None
    """None: there is no harness (a recorded run)."""


def create_app(desk: Desk, doorkeeper: Doorkeeper) -> Flask:
    """The app."""
    from loadtests.workshop.dashboard.api import api
    from loadtests.workshop.dashboard.pages import pages

    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MOST_BODY_BYTES
    app.extensions[EXTENSION] = desk
    app.register_blueprint(api)
    app.register_blueprint(pages)
    answer_refusals(app)

    @app.before_request
    def let_in() -> AnyResponse | None:
        doorkeeper.check(request)
        g.visitor = desk.visitors.of(request)
        return _to_the_door(desk)

    @app.after_request
    def send_off(answer: Response) -> Response:
        protect(answer)
        visitor: Visitor | None = g.get("visitor")
        if visitor is not None and visitor.new and request.endpoint != "static":
            desk.visitors.remember(answer, visitor, request)
        return answer

    return app


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


def _to_the_door(desk: Desk) -> AnyResponse | None:
    if request.endpoint in WITHOUT_JOINING or desk.visitors.may_come_in(the_visitor()):
        return None
    if request.endpoint == "pages.dashboard" and request.args.get("key"):
        return None  # the instructor comes with a better key
    if wants_json():
        raise Refusal(
            403, "you have not joined", why="this workshop asks for a join code", next_step="open /join in your browser"
        )
    return redirect("/join", 303)
