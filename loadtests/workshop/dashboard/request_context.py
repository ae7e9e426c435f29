"""What the dashboard's views ask of the request that they answer: what they need, who asks, and what is covered.

Who asks has a random id in a signed cookie, beside what they have shown to know (the join code, the instructor's
token). It is signed with a key that comes from the instructor's token, so that cookies outlive a restart of the
dashboard. Neither the token nor the join code is in a cookie.
"""

import hashlib
import hmac
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import cast

from flask import Flask, Request, Response, current_app, request, session
from flask.sessions import SecureCookieSession, SessionInterface, SessionMixin
from itsdangerous import BadSignature, URLSafeSerializer
from msgspec import Struct

from loadtests.workshop.contract import Command, CommandReply
from loadtests.workshop.dashboard.broadcaster import Broadcaster
from loadtests.workshop.dashboard.refusals import Refusal
from loadtests.workshop.dashboard.seats import Seat
from loadtests.workshop.listen_addresses import ListenAddress

EXTENSION = "twinshop workshop"
COOKIE_LIFE_S = 12 * 3600  # a workshop's day
WITHIN_S = 60.0
MOST_OF_ONE = 10
MOST_ADDRESSES = 4096  # that are remembered; beyond it the oldest is forgotten
Tell = Callable[[Command], CommandReply]


class SignedCookie(SessionInterface):
    """Flask's session in a cookie of ours: signed, and by a name of its own.

    No date is in it: nobody loses a seat because a telephone's clock, or this machine's, is wrong or is set.
    """

    def __init__(self, key: bytes) -> None:
        self._signer = URLSafeSerializer(key, salt=EXTENSION, signer_kwargs={"digest_method": hashlib.sha256})

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession:
        """What we have written there; nothing if it is not from us."""
        try:
            return SecureCookieSession(self._signer.loads(request.cookies.get(_cookie_name(request), "")))
        except BadSignature:
            return SecureCookieSession()

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Give them their cookie, if anything in it is new."""
        if session.modified:
            response.set_cookie(
                _cookie_name(request), str(self._signer.dumps(dict(session))),
                max_age=COOKIE_LIFE_S, httponly=True, samesite="Strict",  # not `secure`: a room has no HTTPS
            )  # fmt: skip


def _cookie_name(request: Request) -> str:
    # Cookies ignore ports: two workshops on one machine must not share a name.
    return f"twinshop_workshop_{request.environ.get('SERVER_PORT', '')}"


class Client(Struct, frozen=True):
    """Somebody with a browser."""

    who: str
    instructor: bool = False


class DoorKeys:
    """What somebody must know to come in: the join code, or the instructor's token."""

    def __init__(self, token: str, join_code: str) -> None:
        self._token = token.encode()
        self._code = _as_typed(join_code)
        # With the code in it: whoever came in by another one has not joined.
        self.of_cookies = hmac.new(self._token, self._code, hashlib.sha256).digest()
        """Signs everybody's cookie."""

    def is_instructor(self, token: str) -> bool:
        """Whether that is the instructor's token; takes as long for every wrong one."""
        # Without one nobody is: two empty ones would be equal.
        return bool(self._token) and hmac.compare_digest(token.encode(), self._token)

    def may_join(self, code: str) -> bool:
        """Whether that is the join code, however it was typed."""
        return hmac.compare_digest(_as_typed(code), self._code)


def _as_typed(code: str) -> bytes:
    # Whatever a telephone makes of it: capitals, spaces and dashes make no difference.
    return "".join(code.split()).replace("-", "").upper().encode()


class JoinThrottle:
    """How often one address may be wrong about the join code, in a minute.

    Who is over the limit is refused even with the right code, or they could go on guessing; nobody else is. Of codes
    there are 900 million: a room full of guessers, all at the limit, would be at it for two years.
    """

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._by_address: OrderedDict[str, deque[float]] = OrderedDict()

    def check(self, address: str) -> None:
        """Let them guess.

        Raises:
            Refusal: too many were wrong of late.
        """
        wrong = self._by_address.get(address, deque())
        wait = wrong[0] + WITHIN_S - self._clock_s() if len(wrong) >= MOST_OF_ONE else 0.0
        if wait > 0:
            raise Refusal(
                429, "too many wrong guesses", why="somebody may be trying all of them",
                next_step=f"wait {int(wait) + 1} s, then read it again from the instructor's screen",
                retry_after=int(wait) + 1,
            )  # fmt: skip

    def wrong(self, address: str) -> None:
        """It was a wrong one."""
        self._by_address.setdefault(address, deque(maxlen=MOST_OF_ONE)).append(self._clock_s())
        self._by_address.move_to_end(address)  # the oldest is the one that was wrong longest ago
        while len(self._by_address) > MOST_ADDRESSES:
            self._by_address.popitem(last=False)


class RequestContext(Struct, frozen=True):
    """What the views need."""

    broadcaster: Broadcaster
    keys: DoorKeys
    throttle: JoinThrottle
    tell_harness: Tell | None
    """None: there is no harness (a recorded run)."""
    listen: ListenAddress
    names: frozenset[str]
    """By which browsers may call it, in small letters; as they were when it began, like the room's address."""
    room_url: str
    """Where others join; "": they do not."""


def the_context() -> RequestContext:
    """Of the present request."""
    return cast(RequestContext, current_app.extensions[EXTENSION])


def the_client() -> Client:
    """Who makes the present request."""
    return Client(session["who"], session.get("instructor", False))


def the_seat() -> Seat | None:
    """Of whoever makes the present request; None: they have not joined, or are the instructor."""
    return the_context().broadcaster.seats.of(the_client().who)


def refuse_covered() -> None:
    """Keep a result back from whoever has not committed a prediction.

    Raises:
        Refusal: they may not see it yet.
    """
    if the_context().broadcaster.is_covered(the_client().who):
        raise Refusal(
            403, "results are covered", why="who predicts first learns more from what happens",
            next_step="commit your prediction, and they are yours as soon as there are any",
        )  # fmt: skip
