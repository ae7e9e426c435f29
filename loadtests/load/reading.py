"""What anybody can read in a cookie, who has no key.

A cookie's words are tried as they stand, and as URL-safe base64 of text or of compressed text: itsdangerous writes
`payload.timestamp.signature`, with a dot before a payload that zlib has made shorter
(https://itsdangerous.palletsprojects.com/en/stable/url_safe/).
"""

from __future__ import annotations

import re
import zlib
from base64 import urlsafe_b64decode
from collections.abc import Iterable, Iterator

MOST_BYTES = 2**20
"""No cookie holds more; what grows beyond it is not text for people."""
_WORDS = re.compile(rb"[A-Za-z0-9_-]{8,}")


def stands_in(name: str, values: Iterable[str]) -> bool:
    """Whether that name can be read in one of these cookies' values, in a word of its own."""
    sought = re.compile(rb"(?<![\w-])" + re.escape(name.encode()) + rb"(?![\w-])")
    return any(sought.search(text) for value in values for text in _texts(value.encode()))


def _texts(value: bytes) -> Iterator[bytes]:
    yield value
    for word in _WORDS.findall(value):
        try:
            decoded = urlsafe_b64decode(word + b"=" * (-len(word) % 4))
        except ValueError:
            continue
        yield decoded
        try:
            yield zlib.decompressobj().decompress(decoded, MOST_BYTES)
        except zlib.error:
            continue
