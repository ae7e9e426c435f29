"""Sessions in a signed cookie, as Flask makes them, on a clock that can be wrong and can be lenient."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask.sessions import SecureCookieSessionInterface
from itsdangerous import SignatureExpired, TimestampSigner, URLSafeTimedSerializer

if TYPE_CHECKING:
    from flask import Flask


@dataclass(slots=True)
class TokenClock:
    """The clock that tokens are signed and judged by."""

    leeway_s: int = 0
    """A token may have been signed that far ahead of it."""
    ahead_s: int = 0
    """How wrong it is."""

    def now_us(self) -> int:
        """Microseconds since 1970."""
        return time.time_ns() // 1000 + self.ahead_s * 1_000_000


class ClockedSigner(TimestampSigner):
    """Signs with that clock, and judges by it. itsdangerous by itself refuses every token from the future."""

    def __init__(self, *arguments: Any, clock: TokenClock, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._clock = clock

    def get_timestamp(self) -> int:
        """The time of the clock, in seconds."""
        return int(time.time()) + self._clock.ahead_s

    def unsign(self, signed_value: Any, max_age: int | None = None, return_timestamp: bool = False) -> Any:
        """As the base class, and with leeway."""
        try:
            return super().unsign(signed_value, max_age, return_timestamp)  # type: ignore[call-overload]
        except SignatureExpired as error:
            signed = error.date_signed
            if signed is None or not 0 < signed.timestamp() - self.get_timestamp() <= self._clock.leeway_s:
                raise
            return super().unsign(signed_value, None, return_timestamp)  # type: ignore[call-overload]


class SignedCookies(SecureCookieSessionInterface):
    """Flask's own signed cookie, on that clock. Made once for an app, where Flask makes it anew for each request."""

    def __init__(self, app: Flask, clock: TokenClock) -> None:
        made = super().get_signing_serializer(app)
        if made is None:
            raise RuntimeError("an app without a secret key has no signed cookies")
        made.signer = ClockedSigner
        made.signer_kwargs = {**made.signer_kwargs, "clock": clock}
        self._serializer: URLSafeTimedSerializer = made

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer:
        """What signs and judges."""
        return self._serializer
