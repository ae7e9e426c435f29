"""The run that is exported: judged again, so that no export can say something else than its history does.

And its texts, each in one line: nothing in it breaks the line, moves a cursor, or turns the direction of reading. XML
cannot hold most control characters, not even escaped, and a page that shows them shows something else than was written.
So they are told by their number: `\\x1b`, `\\u202e`.
"""

import re
import shlex
from pathlib import Path

import msgspec

from loadtests.judging.judge import judge
from loadtests.judging.verdict import fired
from loadtests.model.results import Results, Threshold
from loadtests.model.run_folder import Provenance, RunFolder

_BLANK = re.compile(r"[ \t\r\n]+")
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # control characters
    "\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb"  # breaks, marks, directions
    "\ud800-\udfff\ufffe\uffff]"  # halves of characters, and what is none
)


class JudgedRun(msgspec.Struct, frozen=True):
    """A run's folder, where it comes from, and what was found in it."""

    folder: RunFolder
    provenance: Provenance
    results: Results

    @property
    def missing(self) -> tuple[str, ...]:
        """Architectures that were asked for and never begun."""
        return tuple(name for name in self.provenance.architectures if name not in self.results.architectures)

    @property
    def fired(self) -> list[tuple[str, Threshold]]:
        """The thresholds that fired, by architecture."""
        return fired(self.results)

    @property
    def command(self) -> str:
        """Runs it again."""
        return shlex.join(self.provenance.command)


def judged_run(folder: Path) -> JudgedRun:
    """The run of that folder; writes nothing.

    Raises:
        RunFolderError: a file of the run is missing or damaged.
    """
    run = RunFolder(folder)
    return JudgedRun(run, run.read_provenance(), judge(folder))


def one_line(text: str) -> str:
    """The text with single blanks, and with every character that nobody can see told by its number."""
    # Blanks first: line ends and tabs are control characters as well, and would be told by their numbers.
    return _UNSEEN.sub(_number, _BLANK.sub(" ", text).strip(" "))


def _number(unseen: re.Match[str]) -> str:
    code = ord(unseen[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
