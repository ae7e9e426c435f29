"""What the logs of somebody's application must not keep: passwords of accounts, its key, tokens that stand in paths.

The application, the command that prepares it and the balancer write them by themselves; so they are gone through when
all has ended, before anybody can read a report of them or pack them into a bundle. What else an application prints of
its own secrets nobody here can know.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

from compose.cluster import BALANCER
from compose.description import IN_REQUESTS, Description
from shared.whole_file import write_whole

BLANK = b"[secret]"
SHORTEST = 4  # a shorter word is no secret, and half of any log
NOT_IN_PATHS = frozenset(("password", "token"))
_WORD = re.compile(r"\{(" + "|".join(IN_REQUESTS) + r")\}")


def passwords_of(description: Description) -> tuple[str, ...]:
    """Those that its file holds; a command's are known to whoever ran it."""
    accounts = description.accounts
    return (accounts.password, *(password for _, password in accounts.list))


def blank_in_logs(description: Description, logs: Mapping[str, Path], secrets: Iterable[str]) -> None:
    """Take the secrets out of what the application wrote, and out of the paths in the access logs (`access…`)."""
    # The longest first: of two secrets the one may be the beginning of the other.
    words = sorted({form for word in secrets for form in _forms(word)}, key=len, reverse=True)
    paths = [(_pattern(path), path.encode()) for path in dict.fromkeys(_telling_paths(description))]
    for part, log in logs.items():
        if not log.is_file():
            continue
        before = log.read_bytes()
        # Not by words in what the balancer writes: one that is also the name of a field would damage the evidence.
        if part.startswith(("access", BALANCER)):
            after = _without_filled(before, paths)
        else:
            after = _without_words(before, words)
        if after != before:
            write_whole(log, after)


def _without_words(text: bytes, words: Iterable[bytes]) -> bytes:
    for word in words:  # one by one: an expression of a thousand alternatives took five times as long
        text = text.replace(word, BLANK)
    return text


def _without_filled(text: bytes, paths: Iterable[tuple[re.Pattern[bytes], bytes]]) -> bytes:
    for pattern, told in paths:
        text = pattern.sub(told.replace(b"\\", b"\\\\"), text)  # `sub` reads a backslash as an escape
    return text


def _forms(word: str) -> Iterator[bytes]:
    if len(word) >= SHORTEST:
        # As it is, and as it stands in a path or in a form.
        yield from (word.encode(), quote(word, safe="").encode(), quote_plus(word).encode())


def _telling_paths(it: Description) -> Iterator[str]:
    for call in it.interface().calls.values():
        if NOT_IN_PATHS & set(_WORD.findall(call.path)):
            yield call.path


def _pattern(path: str) -> re.Pattern[bytes]:
    literals = _WORD.sub("\0", path).split("\0")
    # What was filled in ends where a path's next part, its query or the log's own field begins.
    return re.compile(rb"[^\s\"'&/?]*".join(re.escape(literal.encode()) for literal in literals))
