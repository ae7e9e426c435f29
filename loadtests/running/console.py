"""The terminal that a command runs in: words for whoever reads along, and Ctrl-C.

A reader may leave: a pipe into `head`, a terminal that was closed. Work that is done is not undone by that, and its
exit code stays the same. Ctrl-C, SIGTERM and SIGHUP end a run in order: the first one is heard, the rest wait until
everything is gone.
"""

import errno
import os
import re
import shlex
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TextIO

import click

from shared.errors import Interrupted

# EIO is what a terminal says that was closed under us.
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


_COMMAND = re.compile(r"(?<![\w./-])twinshop (?=[a-z-])")
_PIP = re.compile(r"(?<![\w./-])(?<!-m )pip (?=install )")


def pasteable(text: str) -> str:
    """The text, its commands as they can be pasted into this shell, whether or not it knows of `.venv`.

    `twinshop` becomes the path by which it was called, if PATH has none or another one; after `python -m` it stays. So
    does `pip`, which elsewhere would install for another Python, or take a stranger's `twinshop` from an index.
    """
    mine, found = Path(sys.argv[0]), shutil.which("twinshop")
    # Resolved: the one of PATH may be a link to this one, and then the short name will do.
    if mine.name != "twinshop" or not mine.exists() or (found and Path(found).resolve() == mine.resolve()):
        return text
    text = _COMMAND.sub(lambda _found: f"{shlex.quote(sys.argv[0])} ", text)
    python = mine.with_name("python")
    return _PIP.sub(lambda _found: f"{shlex.quote(str(python))} -m pip ", text) if python.exists() else text


def advise(text: str, *, err: bool = False) -> None:
    """Print words for a person, as `tell` does, with commands that can be pasted."""
    tell(pasteable(text), err=err)


def json_text(document: object) -> str:
    """A document as `--json` prints it."""
    import msgspec  # not at every start of the command line

    return msgspec.json.format(msgspec.json.encode(document)).decode()


def silence(stream: TextIO) -> None:
    """Lead a stream that has lost its reader nowhere, or Python would complain again when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with suppress(OSError, ValueError):  # a stream without a file needs no leading away
        # The descriptor and not the stream: at its end the interpreter flushes what the stream still holds.
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
        return len(text)  # as if all was well: whoever writes here has a run to finish

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


# SIGHUP is the terminal that was closed; Windows has none.
_SIGNALS = (signal.SIGINT, signal.SIGTERM, *((signal.SIGHUP,) if hasattr(signal, "SIGHUP") else ()))


@contextmanager
def interrupts_raise() -> Iterator[None]:
    """Within, the first of these signals raises `Interrupted` in the main thread; later ones are ignored."""

    def first(number: int, _frame: FrameType | None) -> None:
        for other in _SIGNALS:
            signal.signal(other, signal.SIG_IGN)  # so that cleaning up, which is bounded, comes to its end
        raise Interrupted(f"interrupted by {signal.Signals(number).name}", by=number)

    before = {number: signal.signal(number, first) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            # As it was before: this may run inside a program (a test, a campaign) that has handlers of its own.
            signal.signal(number, handler)
