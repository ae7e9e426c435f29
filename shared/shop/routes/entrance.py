"""The entrance: login, logout, who am I; and the account: one's own sessions, and another password."""

import re

from flask import Blueprint, Response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import generate_csrf

from shared.shop import identity
from shared.shop.answers import RequestRefused, answer, done, refusal, sent_fields, text, wants_json
from shared.shop.counter import counter
from shared.shop.pages import lost_session
from shared.shop.request_notes import current_notes

blueprint = Blueprint("entrance", __name__)

_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")
_OWN_PATH = re.compile(r"/(?!/)[A-Za-z0-9._/-]*")


@blueprint.get("/login")
def login_page() -> ResponseReturnValue:
    """The form; a link can bring the name, `/login?user=user-0031`."""
    if identity.known_user() and not wants_json():
        return redirect("/", code=303)
    generate_csrf()  # opens a stranger's session also for a client that speaks JSON: the same visit, the same state
    then, user = _next(request.args.get("next", "")), _named(request.args.get("user", ""))
    return answer({"login": "POST user and password as JSON"}, "login.html", then=then, user=user)


@blueprint.post("/login")
def login() -> ResponseReturnValue:
    """Begin a session."""
    fields = sent_fields()
    user, password = text(fields, "user"), text(fields, "password")
    if not counter().accounts.know(user, password):
        current_notes().wrong_password = True
        refused = RequestRefused(401, "bad_credentials", "this name and this password do not belong together")
        if wants_json():
            return refusal(refused)
        return render_template("login.html", then=_next(fields.get("next")), wrong=refused.message, user=user), 401
    identity.begin(counter().store, user, regenerate=counter().settings.regenerate_at_login)
    if not wants_json():
        generate_csrf()  # now, so that showing a form later need not write the session
    return done({"user": user}, _next(fields.get("next")))


@blueprint.post("/logout")
def logout() -> ResponseReturnValue:
    """End the session; a stranger is told so, because a lost session must not look like a logout."""
    user = identity.current_user()
    sent_fields()  # a body that cannot be read is refused here, too, before anything is ended
    identity.end(counter().store)
    return done({"user": user}, "/")


@blueprint.post("/logout/everywhere")
def logout_everywhere() -> ResponseReturnValue:
    """End this session, and all others of this user that the session store can end from here."""
    user = identity.current_user()
    sent_fields()
    counter().store.revoke_user(user)  # first: if the store is away, this session stays, to try it again
    identity.end(counter().store)
    return done({"user": user}, "/")


@blueprint.get("/me")
def me() -> ResponseReturnValue:
    """Who the shop takes you for, and where."""
    user, cart = identity.current_user(), identity.current_cart()
    return answer({"user": user, "node": counter().settings.node, "cart": cart}, "me.html", user=user)


@blueprint.get("/sessions")
def sessions() -> ResponseReturnValue:
    """My sessions, as far as the session store can tell."""
    user = identity.current_user()
    found = counter().store.sessions_of(user)
    if found is None:
        raise _cannot("list your sessions")
    return answer({"user": user, "sessions": found}, "sessions.html", user=user, sessions=found)


@blueprint.post("/sessions/<name>/end")
def end_session(name: str) -> ResponseReturnValue:
    """End one of my sessions; who does so says the password again."""
    user = identity.current_user()
    _know_again(user)
    # Asked first: where nobody keeps a list, "no such session" would say that it was looked for.
    if counter().store.sessions_of(user) is None:
        raise _cannot("end one of your sessions")
    if not counter().store.end_session(user, name):
        raise RequestRefused(404, "no_such_session", "you have no such session here")
    return done({"user": user}, "/sessions")


@blueprint.post("/password")
def change_password() -> ResponseReturnValue:
    """Another password; all other sessions of mine end, where they can be ended."""
    user = identity.current_user()
    fields = _know_again(user)
    # Before the others are ended: none of them can log in again with the old one.
    counter().accounts.change_password(user, text(fields, "new"))
    return done({"user": user, "others_ended": counter().store.revoke_others(user)}, "/me")


def stranger_page(refused: RequestRefused) -> Response:
    """For a person whom the shop does not know: the login page.

    Who comes with a session that is not known here gets a page that writes none: the next node may still know it.
    """
    then = _next(request.path if request.method == "GET" else "")
    page = render_template("forgotten.html" if lost_session() else "login.html", then=then)
    return Response(page, status=refused.code, mimetype="text/html")


def _named(asked: str) -> str:
    """The name that a link wants to stand in the form; nothing that could not be one."""
    return asked if _NAME.fullmatch(asked) else ""


def _next(asked: object) -> str:
    """Where to go after the login: a path of this shop, never somebody else's address."""
    inside = isinstance(asked, str) and _OWN_PATH.fullmatch(asked) and asked != "/login"
    return str(asked) if inside else "/"


def _know_again(user: str) -> dict[str, object]:
    """The fields that were sent, if the password is among them.

    Raises:
        RequestRefused: 403, it is another one.
    """
    fields = dict(sent_fields())
    if not counter().accounts.know(user, text(fields, "password")):
        raise RequestRefused(403, "bad_credentials", "this is not your password")
    return fields


def _cannot(what: str) -> RequestRefused:
    return RequestRefused(501, "nobody_keeps_a_list", f"this shop cannot {what}: they live {counter().store.where}")
