"""Every error that Twinshop raises on purpose, and the exit code each one ends with.

    TwinshopError                5   something inside went wrong
    ├── UsageError               2   what was asked for cannot be done as it was asked
    │   ├── ScenarioError        2   a scenario file that cannot be read or makes no sense
    │   ├── DescriptionError     2   the description of an application, likewise
    │   ├── RunFolderError       2   a folder that is not a whole, readable run
    │   │   └── LossesLeftOut    1   its results.json lacks losses that its evidence proves
    │   └── BundleError          2   a file that is not a whole, readable bundle of a run
    ├── EnvironmentNotReady      4   the machine, not the question, is in the way
    │   ├── PortTaken            4
    │   ├── NotReadyInTime       4   a part did not become ready within its bound
    │   ├── ForeignAnswer        4   somebody else's server answered on our address
    │   └── Busy                 4   another run has the machine
    └── Interrupted            130   Ctrl-C or SIGTERM

Verdicts are not errors: `not as predicted` (1) and `inconclusive` (3) are results, see `loadtests.judging.verdict`.
A message says what happened, why, and the next command; `tests/shared/test_errors.py` proves the tree complete.
"""

from pathlib import Path


class TwinshopError(Exception):
    """The root: `what` happened, `why`, and the `next_step` (a command, or what to change)."""

    exit_code = 5

    def __init__(self, what: str, *, why: str = "", next_step: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.next_step = next_step

    def __reduce__(self) -> tuple[object, ...]:
        """So that another process can tell of it."""
        # Exception's own way would call the class with `what` alone, and lose the rest.
        return _told_again, (type(self), self.what, self.__dict__)

    def __str__(self) -> str:
        lines = [self.what]
        if self.why:
            lines.append(f"  why:  {self.why}")
        if self.next_step:
            lines.append(f"  next: {self.next_step}")
        return "\n".join(lines)


def _told_again(kind: type[TwinshopError], what: str, rest: dict[str, str]) -> TwinshopError:
    error = kind.__new__(kind, what)  # without __init__, which kinds may have with other arguments
    error.__dict__ |= rest
    return error


class UsageError(TwinshopError):
    """What was asked for cannot be done as it was asked."""

    exit_code = 2


class ScenarioError(UsageError):
    """A scenario file cannot be read or makes no sense."""


class DescriptionError(UsageError):
    """The description of an application cannot be read or makes no sense."""


class RunFolderError(UsageError):
    """A folder is not a whole, readable run."""


class LossesLeftOut(RunFolderError):
    """A `results.json` lacks losses that its evidence proves: nobody may take it for an agreement, nor for a slip."""

    exit_code = 1


class BundleError(UsageError):
    """A file is not a whole, readable bundle of a run."""


class EnvironmentNotReady(TwinshopError):
    """The machine, not the question, is in the way."""

    exit_code = 4


class PortTaken(EnvironmentNotReady):
    """Something already answers where a part of the cluster was to listen."""


class NotReadyInTime(EnvironmentNotReady):
    """A part did not become ready within its bound; carries the end of its log and the log's path."""

    def __init__(
        self, what: str, *, why: str = "", next_step: str = "", log: Path | None = None, tail: str = ""
    ) -> None:
        super().__init__(what, why=why, next_step=next_step)
        self.log = log
        self.tail = tail

    def __str__(self) -> str:
        text = super().__str__()
        if self.log is not None:
            text += f"\n  log:  {self.log}"
        if self.tail:
            text += "\n" + "\n".join(f"  | {line}" for line in self.tail.splitlines())
        return text


class ForeignAnswer(EnvironmentNotReady):
    """An answer did not carry this run's id: somebody else's server is listening on our address."""


class Busy(EnvironmentNotReady):
    """Another run has the machine; two at once would measure each other."""


class Interrupted(TwinshopError):
    """Ctrl-C or SIGTERM: everything was healed and stopped. `by`: the signal's number, 0 if it was none."""

    exit_code = 130

    def __init__(self, what: str, *, why: str = "", next_step: str = "", by: int = 0) -> None:
        super().__init__(what, why=why, next_step=next_step)
        self.by = by
