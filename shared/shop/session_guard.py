"""Stands between Flask and a session store: what if the store cannot be reached, and who gets no session at all.

Flask opens the session before anything else and saves it after everything else, outside of every error handler; a store
that is down would end in a bare 500, after being asked twice.
"""

from __future__ import annotations

from typing import cast

from flask import Flask, Request, Response, current_app
from flask.sessions import SessionInterface, SessionMixin

from shared.shop.answers import fill_with_refusal, store_unavailable
from shared.shop.identity import USER
from shared.shop.visit import Visit, current_visit, is_quiet


class SessionGuard(SessionInterface):
    """A session interface that passes on to another one."""

    def __init__(self, inner: SessionInterface, outages: tuple[type[Exception], ...]) -> None:
        self._inner = inner
        self._outages = outages

    def open_session(self, app: Flask, request: Request) -> SessionMixin | None:
        """The session of a request; None (Flask makes a null session of it) for watchers, pictures and outages."""
        if is_quiet(request.path) or request.path.startswith("/static/"):
            return None
        visit = current_visit()
        try:
            session = self._inner.open_session(app, request)
        except self._outages as error:
            note_outage(visit, error)
            return None
        # Past the session's own `get`, which would note that the answer depends on the session: it does not.
        visit.user = dict.get(cast("dict[str, str]", session), USER, "")
        return session

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Save it, or turn the answer into a refusal: what was not saved must not look like a success."""
        if current_visit().outage:
            return
        try:
            self._inner.save_session(app, session, response)
        except self._outages as error:
            note_outage(current_visit(), error)
            fill_with_refusal(response, store_unavailable())


def note_outage(visit: Visit, error: Exception) -> None:
    """One line in the node's log, and no second question to a store that is down."""
    visit.outage = True
    current_app.logger.warning("%s: the session store cannot be reached: %s", visit.id, type(error).__name__)
