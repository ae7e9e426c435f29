"""What a refused request is answered: what, why, and what to do; as JSON or as a page, never a traceback."""

from __future__ import annotations

import traceback

from flask import Flask, Response, jsonify, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from loadtests.running.console import tell


class Refusal(Exception):
    """A request cannot be granted, with the HTTP status that says so."""

    def __init__(self, status: int, error: str, *, why: str = "", next_step: str = "", retry_after: int = 0) -> None:
        super().__init__(error)
        self.status = status
        self.body = {"error": error, "why": why, "next": next_step}
        self.retry_after = retry_after
        """Seconds; 0: it is no matter of time."""


PLAINLY: dict[int, tuple[str, str]] = {
    400: ("this request cannot be understood", "reload the page"),
    404: ("there is nothing here", "go to the dashboard: /"),
    405: ("this address cannot be asked that way", "go to the dashboard: /"),
    413: ("that is too much", "say it in fewer words"),
    415: ("this must be sent as JSON", "send it with Content-Type: application/json"),
}


def answer_refusals(app: Flask) -> None:
    """Have every refusal and every failure answered in words."""
    app.register_error_handler(Refusal, refuse)
    app.register_error_handler(HTTPException, _by_status)
    app.register_error_handler(Exception, _failed)


def refuse(refusal: Refusal) -> Response:
    """The answer: JSON for a program, a page for a person."""
    if wants_json():
        answer = jsonify(refusal.body)
    else:
        answer = make_response(render_template("refused.html", refused=refusal.body))
    answer.status_code = refusal.status
    if refusal.retry_after:
        answer.headers["Retry-After"] = str(refusal.retry_after)
    return answer


def wants_json() -> bool:
    """Whether a program asks, and not a person who opened an address."""
    opened = request.method == "GET" and request.accept_mimetypes.best == "text/html"
    return request.is_json or (request.path.startswith(("/api/", "/events", "/healthz")) and not opened)


def _by_status(error: HTTPException) -> Response:
    if error.response is not None or (error.code or 500) < 400:  # a redirect
        return make_response(error.get_response())
    plain, next_step = PLAINLY.get(error.code or 500, ("this cannot be done", "reload the page"))
    answer = refuse(Refusal(error.code or 500, plain, next_step=next_step))
    for name, value in error.get_headers():
        if name == "Allow":
            answer.headers[name] = value
    return answer


def _failed(error: Exception) -> Response:
    # Our own mistake. The path alone is told to the log: a query can hold the instructor's key, and so can a message.
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{place.filename}:{place.lineno}"
    tell(f"dashboard: {request.method} {request.path}: {type(error).__name__} at {where}", err=True)
    return refuse(Refusal(500, "something went wrong here", why="the dashboard's log says more", next_step="try again"))
