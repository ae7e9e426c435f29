"""Start a process so that nothing of it can be lost: a session of its own, a log, and two ledger entries."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from compose.supervision.ledger import Ledger
from compose.supervision.ledger_file import Intent, Spawned
from compose.supervision.process_table import RUN_VARIABLE, birth_of, group_lives, signal_group
from shared.errors import EnvironmentNotReady

_PAUSE_S = 0.005


class Child:
    """A process that leads a group of its own; started here, or by an earlier process (then `attach` to it)."""

    def __init__(self, name: str, pid: int, born: str, run: str) -> None:
        self.name = name
        self.pid = pid
        self.born = born
        self.run = run
        self._code: int | None = None

    def alive(self) -> bool:
        """Whether any process of its group lives."""
        self._bury()
        return group_lives(self.pid, self.born, self.run)

    def kill(self) -> None:
        """SIGKILL the whole group. No error if it is gone."""
        signal_group(self.pid, self.born, self.run, signal.SIGKILL)

    def terminate(self) -> None:
        """SIGTERM the whole group. No error if it is gone."""
        signal_group(self.pid, self.born, self.run, signal.SIGTERM)

    def send(self, number: signal.Signals) -> None:
        """Send the whole group that signal. No error if it is gone."""
        signal_group(self.pid, self.born, self.run, number)

    def gone(self, seconds: float) -> bool:
        """Wait at most that long for the whole group to be gone."""
        deadline = time.monotonic() + seconds
        while self.alive():
            if time.monotonic() >= deadline:
                return False
            time.sleep(_PAUSE_S)
        return True

    def wait(self, seconds: float) -> int | None:
        """Its exit code (negative: the signal that ended it) once the group is gone.

        None if it is still there after that long, or if it was not this process that started it.
        """
        return self._code if self.gone(seconds) else None

    @property
    def exit_code(self) -> int | None:
        """As for `wait`, without waiting; the group may still be there."""
        self._bury()
        return self._code

    def _bury(self) -> None:
        # By hand, because subprocess.Popen complains of children that are meant to outlive it.
        try:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
        except ChildProcessError:
            return  # an earlier process started it, or it is buried already
        if pid:
            self._code = os.waitstatus_to_exitcode(status)


def spawn(
    ledger: Ledger, name: str, args: Sequence[str], *, env: Mapping[str, str], log: Path, cwd: Path | None = None
) -> Child:
    """Start a process; `env` is added to this process's own environment, its output to `log`.

    Raises:
        EnvironmentNotReady: the program cannot be started, or the ledger or log not written.
    """
    ledger.add(Intent(name))
    try:
        with log.open("ab") as output:
            process = subprocess.Popen(
                list(args),
                # The run's id goes along: by it recovery finds a process whose pid we did not live to write down.
                env={**os.environ, **env, RUN_VARIABLE: ledger.run},
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # A group of its own, so that one signal ends a server with all its workers; and a session of its own,
                # so that Ctrl-C reaches the harness alone, which then ends the parts in their order.
                start_new_session=True,
            )
    except OSError as error:
        why = f"{error.filename or args[0]}: {error.strerror or error}"
        next_step = "look at that file and its permissions"
        # Not any file that is missing: it may be the folder to start it in.
        if isinstance(error, FileNotFoundError) and error.filename == args[0] and "/" not in args[0]:
            why = f"there is no program `{args[0]}` on the PATH"
            if script := shutil.which(args[0], path=env.get("PATH")):  # the system says the same of both
                why = f"{script} is there, and the program that its first line names is not"
            next_step = "install it; of a described application, look at `command` in [node]"
        raise EnvironmentNotReady(f"cannot start {name}", why=why, next_step=next_step) from error
    child = Child(name, process.pid, birth_of(process.pid) or "", ledger.run)
    process.returncode = 0  # from here on `Child` waits for it; without, Popen would warn of a process left running
    try:
        ledger.add(Spawned(name, child.pid, child.born))
    # An interrupt, too: a process that the ledger does not know by its pid must not outlive this line.
    except BaseException:
        child.kill()
        child.gone(1.0)
        raise
    return child
