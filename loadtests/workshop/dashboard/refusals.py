"""Which requests are refused on sight, and what a refused one is answered: what, why, and what to do next.

What is looked at before anything else, at every request: is it meant for us, and does it come from our own page?

- `Host` must be one of our names, with our port: a foreign name that resolves to this machine (DNS rebinding) is none.
- `Origin`, where a browser sends it, must be our own.
- `Sec-Fetch-Site`, where a browser sends it, must not say that another site asks, but for opening a page.
- What changes anything must be JSON: no form of another page can send that.

The answer is JSON or a page, never a traceback.
"""

import traceback
from collections.abc import Collection

from flask import Flask, Response, jsonify, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from loadtests.running.console import tell

# What `Sec-Fetch-Site` says of a request that comes from elsewhere. A site has no port: the shops are "same-site".
FOREIGN = frozenset({"cross-site", "same-site"})

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
# A report names the hashes of its own style and script; here it may not act in the dashboard's name besides.
REPORT_POLICY = (
    "sandbox allow-scripts allow-popups allow-downloads; default-src 'none'; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with no-referrer a browser says `Origin: null` of our own form at the door
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
PLAINLY: dict[int, tuple[str, str]] = {
    400: ("this request cannot be understood", "reload the page"),
    404: ("there is nothing here", "go to the dashboard: /"),
    405: ("this address cannot be asked that way", "go to the dashboard: /"),
    413: ("that is too much", "say it in fewer words"),
    415: ("this must be sent as JSON", "send it with Content-Type: application/json"),
}


class Refusal(Exception):
    """A request cannot be granted, with the HTTP status that says so."""

    def __init__(self, status: int, error: str, *, why: str = "", next_step: str = "", retry_after: int = 0) -> None:
        super().__init__(error)
        self.status = status
        self.body = {"error": error, "why": why, "next": next_step}
        self.retry_after = retry_after
        """Seconds; 0: it is no matter of time."""


def check_origin(names: Collection[str]) -> None:
    """Let the present request in; `names` are those by which browsers may call us, in small letters.

    Raises:
        Refusal: it is not meant for us, or comes from elsewhere.
    """
    host = request.headers.get("Host", "").lower()
    if not _is_ours(host, str(request.environ.get("SERVER_PORT", "")), names):
        raise _foreign(f"it asks for {host[:80]!r}, and that is not this dashboard's name")
    origin = request.headers.get("Origin")
    if origin is not None and origin.lower() != f"http://{host}":
        raise _foreign("it comes from another site's page")
    # A link to us may stand anywhere, in a chat or in a mail that is read in the browser.
    opened = request.method == "GET" and request.headers.get("Sec-Fetch-Mode") == "navigate"
    if request.headers.get("Sec-Fetch-Site") in FOREIGN and not opened:
        raise _foreign("it comes from another site's page")
    if request.method not in ("GET", "HEAD", "OPTIONS"):
        _check_content(origin)


def _is_ours(host: str, port: str, names: Collection[str]) -> bool:
    name, _, said = host.rpartition(":")  # from the right: an IPv6 address has colons of its own
    if not said.isdigit():  # a bare name, or a bare IPv6 address
        name, said = host, "80"
    return name in names and said == port


def _check_content(origin: str | None) -> None:
    if "Transfer-Encoding" in request.headers:  # what has no length beforehand would be cut off at the limit
        raise Refusal(411, "this does not say how long it is", next_step="send it with a Content-Length")
    if request.mimetype == "application/json":
        return
    if request.path == "/join" and origin is not None and request.mimetype == "application/x-www-form-urlencoded":
        return  # a form of our own page, which works without its script
    raise Refusal(
        403, "this must be sent as JSON", why="a form of another site's page could send anything else",
        next_step="send it with Content-Type: application/json",
    )  # fmt: skip


def protect(answer: Response) -> None:
    """The headers of every answer."""
    for name, value in HEADERS.items():
        answer.headers.setdefault(name, value)  # a page that needs more has said so already
    answer.headers.setdefault("Content-Security-Policy", POLICY)


def _foreign(why: str) -> Refusal:
    return Refusal(
        403, "this request is not for this dashboard", why=why, next_step="open the address that the instructor shows"
    )


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
