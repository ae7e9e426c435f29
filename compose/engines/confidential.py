"""What the logs of somebody's application must not keep: passwords of accounts, its key, tokens that stand in paths.

The application, the command that prepares it and the balancer write them by themselves; so they are gone through when
all has ended, before anybody can read a report of them or pack them into a bundle. What else an application prints of
its own secrets nobody here can know.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

from compose.cluster import BALANCER
from compose.description import IN_REQUESTS, Description
from shared.whole_file import write_whole

BLANK = b"[secret]"
SHORTEST = 4
"""A shorter word is no secret, and half of any log."""
NOT_IN_PATHS = frozenset(("password", "token"))
_WORD = re.compile(r"\{(" + "|".join(IN_REQUESTS) + r")\}")


def passwords_of(description: Description) -> tuple[str, ...]:
    """Those that its file holds; a command's are known to whoever ran it."""
    accounts = description.accounts
    return (accounts.password, *(password for _, password in accounts.list))


def blank_in_logs(description: Description, logs: Mapping[str, Path], secrets: Iterable[str]) -> None:
    """Take the secrets out of what the application wrote, and out of the paths in the access logs (`access…`)."""
    words = sorted({form for word in secrets for form in _forms(word)}, key=len, reverse=True)
    of_paths = [(_pattern(path), path.encode()) for path in dict.fromkeys(_telling_paths(description))]
    of_words = [(re.compile(b"|".join(map(re.escape, words))), BLANK)] if words else []
    for part, log in logs.items():
        # Not by words in what the balancer writes: one that is also the name of a field would damage the evidence.
        ours = part.startswith(("access", BALANCER))
        _replace(log, of_paths if ours else of_words)


def _forms(word: str) -> Iterator[bytes]:
    if len(word) >= SHORTEST:
        yield from (word.encode(), quote(word, safe="").encode(), quote_plus(word).encode())


def _telling_paths(it: Description) -> Iterator[str]:
    for call in it.calls().values():
        if NOT_IN_PATHS & set(_WORD.findall(call.path)):
            yield call.path


def _pattern(path: str) -> re.Pattern[bytes]:
    literals = _WORD.sub("\0", path).split("\0")
    return re.compile(rb"[^\s\"'&/?]*".join(re.escape(literal.encode()) for literal in literals))


def _replace(log: Path, rules: Iterable[tuple[re.Pattern[bytes], bytes]]) -> None:
    if not log.is_file():
        return
    before = after = log.read_bytes()
    for pattern, instead in rules:
        after = pattern.sub(lambda _, instead=instead: instead, after)  # type: ignore[misc]
    if after != before:
        write_whole(log, after)
