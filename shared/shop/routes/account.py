"""The account: one's own sessions, and another password."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from shared.shop import identity
from shared.shop.answers import RequestRefused, answer, done, sent_fields, text
from shared.shop.counter import counter

blueprint = Blueprint("account", __name__)


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
