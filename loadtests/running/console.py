"""Words for whoever reads along. A reader may leave: a pipe into `head`, a terminal that was closed.

Work that is done is not undone by that, and its exit code stays the same.
"""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from typing import TextIO

import click

_GONE = (errno.EPIPE, errno.EIO)


def is_gone(error: OSError) -> bool:
    """Whether it means that nobody reads any more; a full disk does not."""
    return error.errno in _GONE


def tell(text: object, *, err: bool = False, nl: bool = True) -> None:
    """Print it, if anybody still reads.

    Raises:
        OSError: it cannot be written for another reason.
    """
    try:
        click.echo(text, err=err, nl=nl)
    except OSError as error:
        if not is_gone(error):
            raise
        silence(sys.stderr if err else sys.stdout)


def json_text(document: object) -> str:
    """A document as `--json` prints it."""
    import msgspec  # not at every start of the command line

    return msgspec.json.format(msgspec.json.encode(document)).decode()


def silence(stream: TextIO) -> None:
    """Lead a stream that has lost its reader nowhere, or Python would complain again when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with suppress(OSError, ValueError):  # a stream without a file needs no leading away
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


class GuardedOutput:
    """A text stream that may lose its reader: from then on it takes every word and drops it."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self.encoding = out.encoding

    def write(self, text: str) -> int:
        """Pass it on, if anybody still reads."""
        try:
            self._out.write(text)
        except OSError as error:
            self._lost(error)
        return len(text)

    def flush(self) -> None:
        """Pass on what waits, if anybody still reads."""
        try:
            self._out.flush()
        except OSError as error:
            self._lost(error)

    def isatty(self) -> bool:
        """Whether it leads to a terminal."""
        return self._out.isatty()

    def fileno(self) -> int:
        """Its file, from which the width of a terminal is read."""
        return self._out.fileno()

    def _lost(self, error: OSError) -> None:
        if not is_gone(error):
            raise error
        silence(self._out)
