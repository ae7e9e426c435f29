"""Whether a document has the schema that this version reads: one question, asked and told alike of every file."""

from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, TypeVar

import msgspec

from shared.errors import RunFolderError, UsageError
from shared.ndjson import UNDECODABLE


class Versioned(Protocol):
    """A document that says which schema it was written with."""

    @property
    def schema(self) -> int:
        """Its number."""


T = TypeVar("T", bound=Versioned)


class _Heading(msgspec.Struct):
    """What a document of any schema has."""

    schema: int
    twinshop: str = ""
    """The version that wrote it, where it says so."""


_decode_heading = msgspec.json.Decoder(_Heading).decode


def decode_versioned(
    content: bytes,
    decode: Callable[[bytes], T],
    reads: int,
    what: str,
    *,
    next_step: str,
    error: type[UsageError] = RunFolderError,
) -> T:
    """The JSON document in these bytes, of the one schema that is read; `what` it is called in a message.

    Raises:
        UsageError: it was written with another schema; of the kind that `error` names.
        msgspec.DecodeError, UnicodeDecodeError: it is no such document.
    """
    try:
        document = decode(content)
    except UNDECODABLE:
        # One of another schema may lack a field, or have more than are known here: that is no damage.
        with suppress(*UNDECODABLE):
            _check(_decode_heading(content), reads, what, next_step, error)
        raise
    if document.schema != reads:
        _check(_decode_heading(content), reads, what, next_step, error)
    return document


def _check(heading: _Heading, reads: int, what: str, next_step: str, error: type[UsageError]) -> None:
    if heading.schema != reads:
        by = f"; Twinshop {heading.twinshop} wrote it" if heading.twinshop else ""
        raise error(
            f"{what} was written with schema {heading.schema}",
            why=f"this version of Twinshop reads schema {reads}{by}",
            next_step=next_step,
        )
