"""Stands between Flask and a session store: what if it cannot be reached, who gets no session, who waits for whom.

Flask opens the session before anything else and saves it after everything else, outside of every error handler; a store
that is down would end in a bare 500, after being asked twice.
"""

import os
import re
import signal
from contextlib import ExitStack
from typing import cast

from flask import Flask, Request, Response, current_app, request
from flask.sessions import SessionInterface, SessionMixin

from shared.sessions import CartBusy, SessionStore
from shared.shop.answers import body_is_too_large, fill_with_refusal, store_unavailable
from shared.shop.counter import counter
from shared.shop.request_notes import RequestNotes, current_notes
from shared.shop.session_format import FORMATS

_CART_WRITES = re.compile(r"/cart(/.*)?|/checkout")
NEW_ORDER = 201
"""The status with which a new order is answered."""
_READS = frozenset({"GET", "HEAD", "OPTIONS"})


class SessionGuard(SessionInterface):
    """A session interface that passes on to another one."""

    def __init__(self, inner: SessionInterface, store: SessionStore, *, cart_lock: bool = False) -> None:
        self._inner = inner
        self._store = store
        self._outages: tuple[type[Exception], ...] = (*store.outages, CartBusy)
        self._cart_lock = cart_lock

    def install(self, app: Flask) -> None:
        """Take the place of the app's own session interface."""
        app.session_interface = self
        if self._cart_lock:
            app.teardown_request(_let_others_in)

    def open_session(self, app: Flask, request: Request) -> SessionMixin | None:
        """The session of a request; None (Flask makes a null session) for watchers, pictures, outages, large bodies."""
        notes = current_notes()
        notes.asked = request
        notes.too_large = body_is_too_large(request)
        # What asks for no session must not wait for a store that is away.
        if notes.too_large or notes.quiet or request.path.startswith("/static/"):
            return None
        try:
            if self._cart_lock and _writes_a_cart(request, app.config["SESSION_COOKIE_NAME"]):
                # Kept in the notes: it is left only after the session was saved, in another function.
                alone = notes.alone = ExitStack()
                alone.enter_context(self._store.cart_alone())
            session = self._inner.open_session(app, request)
        except self._outages as error:
            note_outage(notes, error)
            return None
        # Past the session's own `get`, which would note that the answer depends on the session: it does not.
        notes.user = FORMATS[counter().settings.session_format].user(dict(cast("dict[str, str]", session)))
        return session

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Save it, or turn the answer into a refusal: what was not saved must not look like a success."""
        if current_notes().outage:
            return  # it could not be read: to save what there is would make an empty one of it
        ordered = response.status_code == NEW_ORDER and (request.method, request.path) == ("POST", "/checkout")
        if ordered and counter().injection.now.dies_before_saving:
            os.kill(os.getpid(), signal.SIGKILL)  # the order is in the database, the session is as it was before
        try:
            self._inner.save_session(app, session, response)
        except self._outages as error:
            note_outage(current_notes(), error)
            fill_with_refusal(response, store_unavailable())


def _writes_a_cart(request: Request, cookie: str) -> bool:
    """Whether it may; who comes without a session has no cart that others could write."""
    writes = request.method not in _READS and _CART_WRITES.fullmatch(request.path) is not None
    return writes and cookie in request.cookies


def _let_others_in(_error: BaseException | None) -> None:
    """After the session was saved, or was not."""
    alone = current_notes().alone
    if alone is not None:
        alone.close()


def note_outage(notes: RequestNotes, error: Exception) -> None:
    """One line in the node's log, and no second question to a store that is down."""
    notes.outage = True
    counter().tally.count_outage()
    current_app.logger.warning("%s: the session store cannot be reached: %s", notes.id, type(error).__name__)
