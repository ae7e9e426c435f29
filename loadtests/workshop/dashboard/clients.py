"""Who asks: a random id in a signed cookie, and what they have shown to know (the join code, the instructor's token).

Signed with a key that comes from the instructor's token, so that cookies outlive a restart of the dashboard. Neither
the token nor the join code is in a cookie.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from flask import Request, Response
from itsdangerous import BadSignature, URLSafeSerializer
from msgspec import Struct
from msgspec.structs import replace

WHO_BYTES = 9
COOKIE_LIFE_S = 12 * 3600
"""A workshop's day."""


class Visitor(Struct, frozen=True):
    """Somebody with a browser."""

    who: str
    joined: bool = False
    instructor: bool = False
    new: bool = False
    """They do not have their cookie yet, or another one."""


class Visitors:
    """Knows visitors by their cookie."""

    def __init__(self, token: str, join_code: str) -> None:
        self._token = token.encode()
        self._code = _as_typed(join_code)
        key = hmac.new(self._token, self._code, hashlib.sha256).digest()
        self._signer = URLSafeSerializer(key, salt="twinshop workshop", signer_kwargs={"digest_method": hashlib.sha256})

    def of(self, request: Request) -> Visitor:
        """Who asks; a new visitor if they have no cookie of ours."""
        try:
            who, rights = self._signer.loads(request.cookies.get(cookie_name(request), ""))
            return Visitor(str(who), joined="j" in rights, instructor="i" in rights)
        except (BadSignature, ValueError, TypeError):
            return Visitor(secrets.token_urlsafe(WHO_BYTES), new=True)

    def is_instructor(self, token: str) -> bool:
        """Whether that is the instructor's token; takes as long for every wrong one."""
        return bool(self._token) and hmac.compare_digest(token.encode(), self._token)

    def may_join(self, code: str) -> bool:
        """Whether that is the join code, however it was typed."""
        return hmac.compare_digest(_as_typed(code), self._code)

    def may_come_in(self, visitor: Visitor) -> bool:
        """Whether they need not join, or have."""
        return not self._code or visitor.joined or visitor.instructor

    def remember(self, answer: Response, visitor: Visitor, request: Request) -> None:
        """Give them their cookie."""
        rights = ("j" if visitor.joined else "") + ("i" if visitor.instructor else "")
        answer.set_cookie(
            cookie_name(request), str(self._signer.dumps([visitor.who, rights])),
            max_age=COOKIE_LIFE_S, httponly=True, samesite="Strict", path="/",
        )  # fmt: skip


def joined(visitor: Visitor) -> Visitor:
    """They know the join code."""
    return replace(visitor, joined=True, new=True)


def promoted(visitor: Visitor) -> Visitor:
    """They know the instructor's token."""
    return replace(visitor, instructor=True, new=True)


def cookie_name(request: Request) -> str:
    """Cookies ignore ports: two workshops on one machine must not share a name."""
    return f"twinshop_workshop_{request.environ.get('SERVER_PORT', '')}"


def _as_typed(code: str) -> bytes:
    """Capitals, spaces and dashes make no difference."""
    return "".join(code.split()).replace("-", "").upper().encode()
