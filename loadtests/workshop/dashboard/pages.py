"""What people open: the dashboard, the door, the report."""

import base64
import hashlib
import io
from pathlib import Path

import msgspec
import segno
from flask import Blueprint, Response, jsonify, redirect, render_template, request, session
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from loadtests.checks import CAUSES, CHECKS
from loadtests.model.run_folder import RunFolder
from loadtests.report.glossary import definitions
from loadtests.workshop.dashboard.predictions import read_body
from loadtests.workshop.dashboard.refusals import POLICY, REPORT_POLICY, Refusal
from loadtests.workshop.dashboard.request_context import refuse_covered, the_client, the_context, the_seat
from loadtests.workshop.dashboard.seats import MOST_NAME, nickname

FOUR_NUMBERS = ("logged-out", "carts-lost", "failed", "unknown")  # those that stand above each column
SCRIPT = (Path(__file__).parent / "templates" / "whole_page.js").read_text(encoding="utf-8")
# The page loads itself once more if a part of it is missing, and must say so in its own first lines: a script in a file
# of its own could be missing, too. The policy lets no script act that stands in a page but this one, named by its hash.
_HASH = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
DASHBOARD_POLICY = POLICY.replace("script-src 'self'", f"script-src 'self' 'sha256-{_HASH}'")
pages = Blueprint("pages", __name__)
MOST_CODE = 40


Meaning = tuple[str, str, str]
"""A key of the page, the word for it, and what it means."""


def meanings() -> dict[str, tuple[Meaning, ...]]:
    """What the page's help explains, by part: from the same tables as the report and the checks."""
    found = definitions()
    return {
        "numbers": tuple((key, *found[key]) for key in FOUR_NUMBERS),
        "losses": tuple((kind, check.happened.replace("'", "’"), check.rule) for kind, check in CHECKS.items()),
        "causes": tuple((cause, cause.replace("_", " "), why) for cause, why in CAUSES.items()),
    }


class JoinForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /join`."""

    code: str
    name: str = ""


@pages.get("/")
def dashboard() -> AnyResponse:
    """The dashboard; with `?key=TOKEN` the instructor comes in, and the token leaves the address at once.

    Where nobody asks for a code, whoever opens it takes a seat by that.
    """
    token = request.args.get("key")
    if token is not None:
        return _instructor(token)
    if the_seat() is None and not the_client().instructor:
        _sit_down("")
    page = Response(render_template("dashboard.html", meanings=meanings(), whole_page=Markup(SCRIPT)))
    page.headers["Content-Security-Policy"] = _dashboard_policy(the_context().listen.shop_ports)
    # With less, a browser would not tell a shop that it was this page that sent somebody to its login.
    page.headers["Referrer-Policy"] = "strict-origin-when-cross-origin"
    # Whoever opens this page is kept apart from it as elsewhere; the shops' tabs, which it opens, it must find again.
    page.headers["Cross-Origin-Opener-Policy"] = "same-origin-allow-popups"
    return page


def _dashboard_policy(shop_ports: tuple[int, ...]) -> str:
    # Its forms may log people in to the shops, which are at its own address, whatever the browser calls that.
    host = request.host.rpartition(":")[0]
    shops = "".join(f" http://{host}:{port}" for port in shop_ports)
    return DASHBOARD_POLICY.replace("form-action 'self'", f"form-action 'self'{shops}")


def _instructor(token: str) -> AnyResponse:
    # No guess is counted: of 192 bits nobody guesses one, and who teaches must not be locked out by guessers.
    if not the_context().keys.is_instructor(token):
        raise Refusal(
            403, "this is not the instructor's key", why="each workshop has another one",
            next_step="open the address that `twinshop workshop` has printed",
        )  # fmt: skip
    session["instructor"] = True
    return redirect("/", 303)  # the key leaves the address bar, which may be on a projector


@pages.get("/join")
def join() -> AnyResponse | str:
    """The door; a code that was read from a picture stands in its form already."""
    if the_seat() is not None or the_client().instructor:
        return redirect("/", 303)
    # It has to be sent by the person: a GET that let them in would take a seat for every preview of the link.
    return _door(code=request.args.get("code", "")[:MOST_CODE])


@pages.post("/join")
def joined() -> AnyResponse:
    """Through the door, with the join code: as JSON `{"code": …}`, or from the form of the door's page."""
    context, address = the_context(), request.remote_addr or ""
    if request.is_json:
        said = read_body(request.get_data(), JoinForm)
    else:
        said = JoinForm(request.form.get("code", ""), request.form.get("name", ""))
    context.throttle.check(address)
    if not context.keys.may_join(said.code):
        context.throttle.wrong(address)
        wrong = "this is not the join code"
        if request.is_json:
            raise Refusal(403, wrong, next_step="read it again from the instructor's screen")
        return Response(_door(wrong=f"{wrong}: there is no i, l or o in it, no zero and no one"), status=403)
    if the_seat() is None and not the_client().instructor:
        _sit_down(said.name)
    return jsonify({"joined": True}) if request.is_json else redirect("/", 303)


def _sit_down(name: str) -> None:
    seat = the_context().broadcaster.seats.take(request.remote_addr or "", nickname(name))
    session["who"] = seat.who


@pages.get("/what-you-do")
def what_you_do() -> str:
    """The participants' own page, for whoever has not joined yet as well."""
    return render_template("participant.html")


@pages.get("/join.svg")
def join_picture() -> Response:
    """The door's address with its code, for telephones."""
    context = the_context()
    if not context.room_url:
        raise Refusal(404, "nobody joins here", why="this workshop was not opened to a room", next_step="go on")
    drawn = io.BytesIO()
    with_code = f"{context.room_url}?code={context.listen.join_code}"
    # Error correction m (15 %): it is read from a wall, at an angle.
    segno.make(with_code, error="m").save(drawn, kind="svg", omitsize=True, xmldecl=False, light="#fff", border=2)
    return Response(drawn.getvalue(), mimetype="image/svg+xml")


@pages.get("/report")
def report() -> Response:
    """The report of the round that is over."""
    refuse_covered()
    workshop = the_context().broadcaster.workshop
    said = workshop.round if workshop else None
    path = RunFolder(Path(said.folder)).report if said and said.folder and said.phase == "explain" else None
    if path is None or not path.is_file():
        raise Refusal(404, "there is no report yet", why="the round is not over", next_step="wait until it is closed")
    answer = Response(path.read_bytes(), mimetype="text/html")
    answer.headers["Content-Security-Policy"] = REPORT_POLICY
    return answer


@pages.get("/healthz")
def healthz() -> Response:
    """It lives."""
    return jsonify({"ok": True})


def _door(*, code: str = "", wrong: str = "") -> str:
    return render_template("join.html", code=code, wrong=wrong, most_name=MOST_NAME)
