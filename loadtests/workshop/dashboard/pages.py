"""What people open: the dashboard, the door, the report."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import msgspec
from flask import Blueprint, Response, g, jsonify, redirect, render_template, request
from markupsafe import Markup
from msgspec.structs import replace
from werkzeug.wrappers import Response as AnyResponse

from loadtests.checks import CAUSES, CHECKS
from loadtests.model.run_folder import RunFolder
from loadtests.report.glossary import definitions
from loadtests.workshop.dashboard.origin_guard import POLICY, REPORT_POLICY
from loadtests.workshop.dashboard.predictions import read_body
from loadtests.workshop.dashboard.refusals import Refusal
from loadtests.workshop.dashboard.request_context import refuse_covered, the_client, the_context

FOUR_NUMBERS = ("logged-out", "carts-lost", "failed", "unknown")
"""Those that stand above each column."""
SCRIPT = (Path(__file__).parent / "templates" / "whole_page.js").read_text(encoding="utf-8")
# The page loads itself once more if a part of it is missing, and must say so in its own first lines: a script in a file
# of its own could be missing, too. The policy lets no script act that stands in a page but this one, named by its hash.
_HASH = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
DASHBOARD_POLICY = POLICY.replace("script-src 'self'", f"script-src 'self' 'sha256-{_HASH}'")
pages = Blueprint("pages", __name__)


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


@pages.get("/")
def dashboard() -> AnyResponse:
    """The dashboard; with `?key=TOKEN` the instructor comes in, and the token leaves the address at once."""
    token = request.args.get("key")
    if token is None:
        page = Response(render_template("dashboard.html", meanings=meanings(), whole_page=Markup(SCRIPT)))
        page.headers["Content-Security-Policy"] = DASHBOARD_POLICY
        return page
    context, address = the_context(), request.remote_addr or ""
    context.throttle.check(address)
    if not context.clients.is_instructor(token):
        context.throttle.wrong(address)
        raise Refusal(
            403, "this is not the instructor's key", why="each workshop has another one",
            next_step="open the address that `twinshop workshop` has printed",
        )  # fmt: skip
    g.client = replace(the_client(), instructor=True, new=True)
    return redirect("/", 303)


@pages.get("/join")
def join() -> AnyResponse | str:
    """The door."""
    if the_context().clients.may_come_in(the_client()):
        return redirect("/", 303)
    return render_template("join.html", wrong="")


@pages.post("/join")
def joined() -> AnyResponse:
    """Through the door, with the join code: as JSON `{"code": …}`, or from the form of the door's page."""
    context, address = the_context(), request.remote_addr or ""
    code = read_body(request.get_data(), JoinForm).code if request.is_json else request.form.get("code", "")
    context.throttle.check(address)
    if not context.clients.may_join(code):
        context.throttle.wrong(address)
        return _not_joined()
    g.client = replace(the_client(), joined=True, new=True)
    return jsonify({"joined": True}) if request.is_json else redirect("/", 303)


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


def _not_joined() -> AnyResponse:
    wrong = "this is not the join code"
    if request.is_json:
        raise Refusal(403, wrong, next_step="read it again from the instructor's screen")
    return Response(render_template("join.html", wrong=wrong), status=403)
