"""Answers: HTML for a person, JSON for a client, from the same routes; and refusals, in both."""

from collections.abc import Mapping
from typing import Any

import msgspec
from flask import Flask, Request, Response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

JSON = "application/json"
HTML = "text/html"
_decode_object = msgspec.json.Decoder(dict[str, object]).decode


class RequestRefused(HTTPException):
    """The shop says no: a status, a word for programs and a sentence for people."""

    def __init__(self, status: int, word: str, message: str) -> None:
        super().__init__(message)
        self.code = status
        self.word = word
        self.message = message


def not_logged_in() -> RequestRefused:
    """To whom the shop does not know."""
    return RequestRefused(401, "not_logged_in", "log in first")


def store_unavailable() -> RequestRefused:
    """When the session store cannot be reached."""
    return RequestRefused(503, "store_unavailable", "the session store cannot be reached")


def wants_json() -> bool:
    """Whether the client asks for JSON rather than for a page."""
    accept = request.headers.get("Accept", "")
    # Who sends JSON and names no page is a program, also one that accepts "*/*", as curl does.
    if accept == JSON or (request.mimetype == JSON and HTML not in accept):
        return True
    return request.accept_mimetypes.best_match([HTML, JSON]) == JSON


def json_answer(document: object, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(msgspec.json.encode(document), status=status, mimetype=JSON)


def answer(document: object, template: str, /, *, status: int = 200, **shown: Any) -> ResponseReturnValue:
    """The document for a client, the page for a person."""
    if wants_json():
        return json_answer(document, status)
    return render_template(template, **shown), status


def done(document: object, then: str, /, *, status: int = 200) -> ResponseReturnValue:
    """After a write: the document for a client; a person is sent on, so that reloading does not write again."""
    if wants_json():
        return json_answer(document, status)
    return redirect(then, code=303)


def refusal(refused: RequestRefused) -> Response:
    """A refusal, as what was asked for."""
    status = refused.code or 500
    if wants_json():
        return json_answer({"error": refused.word, "message": refused.message}, status)
    return Response(
        render_template("refused.html", refused=refused, headline=_headline(status)), status=status, mimetype=HTML
    )


def _headline(status: int) -> str:
    if status >= 500:
        return "One moment, please"
    return "There is no such page" if status == 404 else "That did not work"


def fill_with_refusal(response: Response, refused: RequestRefused) -> None:
    """Turn an answer that was already made into a refusal."""
    told = refusal(refused)
    response.close()  # whatever it was made of is not read any more
    response.status_code = told.status_code
    response.mimetype = told.mimetype or HTML
    response.headers.pop("Location", None)  # a redirect after a write that was not saved would look like a success
    response.set_data(told.get_data())


def install(app: Flask) -> None:
    """Refusals for what Flask and the database may raise; never a traceback."""
    app.register_error_handler(HTTPException, _plain_refusal)
    app.register_error_handler(OperationalError, _database_down)


def _plain_refusal(error: HTTPException) -> Response:
    """What Flask and werkzeug refuse by themselves: 404, 405, 413; and 500, whose error is in the node's log."""
    status = error.code or 500
    word = error.name.lower().replace(" ", "_")
    told = refusal(RequestRefused(status, word, error.description or error.name))
    for header, value in error.get_headers():
        if header not in {"Content-Type", "Content-Length"}:  # those are of werkzeug's own page, and not of ours
            told.headers[header] = value
    return told


def _database_down(error: OperationalError) -> Response:
    return refusal(RequestRefused(503, "database_unavailable", "the database cannot be reached or is locked"))


def body_is_too_large(asked: Request) -> bool:
    """Whether the body is over the limit: known before anything else is done, or whoever answers first would decide.

    One whose length nobody tells is read, and kept for whoever wants it: it is no longer than the limit.
    """
    if asked.content_length is not None or "Transfer-Encoding" not in asked.headers:
        return (asked.content_length or 0) > (asked.max_content_length or 0)
    try:
        return len(asked.get_data(parse_form_data=True)) >= (asked.max_content_length or 0)  # it is cut off there
    except RequestEntityTooLarge:
        return True


def sent_fields() -> Mapping[str, object]:
    """The fields of the body; an empty body has none.

    Raises:
        RequestRefused: 400, the body says it is JSON and is not an object.
    """
    if request.mimetype != JSON:
        return request.form
    body = request.get_data()
    if not body:
        return {}
    try:
        return _decode_object(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestRefused(400, "bad_json", f"expected a JSON object: {error}") from error


def text(fields: Mapping[str, object], name: str) -> str:
    """A field that is a text.

    Raises:
        RequestRefused: 400, it is missing or something else.
    """
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise RequestRefused(400, f"bad_{name}", f"expected {name}, a text")
    return value


def whole_number(fields: Mapping[str, object], name: str) -> int:
    """A field that is a whole number; a form can only send it as digits.

    Raises:
        RequestRefused: 400, it is missing or something else.
    """
    value = fields.get(name)
    if isinstance(value, int) and not isinstance(value, bool):  # to Python, True is a number
        return value
    # isascii: "²" is a digit to Python, and no number to int.
    if request.mimetype != JSON and isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    raise RequestRefused(400, f"bad_{name}", f"expected {name}, a whole number")
