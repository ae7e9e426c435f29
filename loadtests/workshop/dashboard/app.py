"""The dashboard as a Flask app: who may come in, and the rooms that there are."""

from __future__ import annotations

from flask import Flask, Response, g, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from loadtests.workshop.dashboard.api import api
from loadtests.workshop.dashboard.clients import Visitor
from loadtests.workshop.dashboard.forms import MOST_BODY_BYTES
from loadtests.workshop.dashboard.origin_guard import Doorkeeper, protect
from loadtests.workshop.dashboard.pages import pages
from loadtests.workshop.dashboard.present_request import EXTENSION, Desk, the_visitor
from loadtests.workshop.dashboard.refusals import Refusal, answer_refusals, wants_json

WITHOUT_JOINING = frozenset({"pages.join", "pages.joined", "pages.healthz", "static"})
"""What whoever does not know the join code may ask for."""


def create_app(desk: Desk, doorkeeper: Doorkeeper) -> Flask:
    """The app."""
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
