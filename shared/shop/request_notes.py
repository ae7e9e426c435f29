"""What a node notes of a request, from the moment it comes in until its answer leaves: what the log will say of it."""

from __future__ import annotations

import re
import uuid
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from flask import Request, request

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_NOTES = "twinshop.notes"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_QUIET = frozenset({"/healthz", "/metrics"})


@dataclass(slots=True)
class RequestNotes:
    """The shop fills in what it finds out."""

    id: str
    user: str = ""
    quiet: bool = False
    """`is_quiet` of its path."""
    asked: Request | None = None
    """Where Flask notes which route it is; given back when the answer leaves, lest the two keep each other alive."""
    event: tuple[Literal["opened", "ended"], str, str] | None = None
    """What happened to the session, whose it is, and its fingerprint."""
    wrong_password: bool = False
    too_large: bool = False
    """Its body is: it is refused before anybody asks who sent it."""
    outage: bool = False
    """The session store could not be reached: there is no session to save."""
    done_in_spite: bool = False
    """All was done and saved, although the answer says that it was not."""
    alone: ExitStack | None = None
    """Keeps others from writing the same cart; closed after the session was saved."""
    streams: bool = False
    """The answer has no end yet: it is handed on piece by piece, and logged when it begins."""


def begin_notes(environ: WSGIEnvironment) -> RequestNotes:
    """Put new ones into a request that has just come in."""
    notes = environ[_NOTES] = RequestNotes(
        _request_id(environ.get("HTTP_X_REQUEST_ID", "")), quiet=is_quiet(environ.get("PATH_INFO", ""))
    )
    return notes


def current_notes() -> RequestNotes:
    """Those of the request that is being answered."""
    return notes_of(request.environ)


def notes_of(environ: WSGIEnvironment) -> RequestNotes:
    """Those of this request."""
    notes: RequestNotes = environ[_NOTES]
    return notes


def is_quiet(path: str) -> bool:
    """Whether a path is for machines that watch the node: never logged, never with a session, never in trouble."""
    return path in _QUIET or path.startswith("/-/")


def _request_id(asked: str) -> str:
    """The caller's id if it is one that can be logged and echoed without thinking, else a new one."""
    return asked if _REQUEST_ID.fullmatch(asked) else uuid.uuid4().hex
