"""The ledger: what was started and what was broken, written and synced to the disk *before* it is done.

Whatever happens to the process that opened it, the next one can undo what it left: see `compose.supervision.recovery`.

    ledger = Ledger.open(state_folder(), run)
    try:
        child = spawn(ledger, "n1", [...], env={}, log=log)     # compose.supervision.child
        ...
    finally:
        ledger.close()
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from compose.supervision.ledger_file import SUFFIX, Entry, Folder, Owner, read_page
from compose.supervision.process_table import birth_of
from compose.supervision.recovery import Recovered, clear, make_own_folder, recover
from shared.errors import Busy, EnvironmentNotReady, Interrupted, TwinshopError, UsageError

__all__ = ["Ledger", "Recovered", "hold_machine", "recover", "state_folder"]

STATE_VARIABLE = "TWINSHOP_STATE"
_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")  # no dot and no slash: it names a file, and no hidden one
_encoder = msgspec.json.Encoder()


def state_folder() -> Path:
    """Where ledgers, locks and kept clusters live: `TWINSHOP_STATE`, or the user's own state folder."""
    named = os.environ.get(STATE_VARIABLE)
    if named:
        return Path(named).absolute()
    import platformdirs  # here, for who is told needs none of it

    return Path(platformdirs.user_state_dir("twinshop", appauthor=False))


@contextmanager
def hold_machine(state: Path) -> Iterator[None]:
    """Hold the machine for one run at a time; the system lets go of it when the holder dies, however it dies.

    Raises:
        Busy: another run holds it.
        EnvironmentNotReady: the state folder cannot be written.
    """
    from filelock import FileLock, Timeout  # here: it imports asyncio and SQLite, and most commands hold nothing

    path = state / "machine.lock"
    lock = FileLock(path)
    try:
        state.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        raise Busy(
            "another run is going on",
            why="two runs at once would measure each other",
            next_step="wait for it to end, or stop it with Ctrl-C in its window",
        ) from None
    except OSError as error:
        raise EnvironmentNotReady(
            f"cannot lock {path}",
            why=error.strerror or str(error),
            next_step="make its folder writable, or set TWINSHOP_STATE to another one",
        ) from error
    try:
        yield
    finally:
        lock.release()


class Ledger:
    """One run's ledger, open for writing."""

    def __init__(self, path: Path, run: str) -> None:
        self.path = path
        self.run = run

    @classmethod
    def open(cls, state: Path, run: str, *, kept: bool = False) -> Ledger:
        """Begin the ledger of a run, owned by this process; with `kept`, go on with that of a cluster that was kept.

        Raises:
            UsageError: the run's id cannot name a file, is in use, or (kept) has no ledger.
            EnvironmentNotReady: the state folder cannot be written.
        """
        if not _RUN.fullmatch(run):
            raise UsageError(f"{run!r} is no run id", why="it may hold letters, digits, - and _, at most 64")
        path = state / "ledger" / f"{run}{SUFFIX}"
        ledger = cls(path, run)
        if kept:
            if not read_page(path).kept:
                raise UsageError(f"there is no kept cluster {run}", next_step="twinshop status")
        else:
            ledger._begin()
        return ledger

    def _begin(self) -> None:
        pid = os.getpid()
        owner = _encoder.encode(Owner(pid, birth_of(pid) or ""))
        draft = self.path.with_name(f".{self.run}.{pid}")
        mine: int | None = None
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            _write(draft, owner, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            mine = draft.stat().st_ino
            try:
                # A ledger that can be seen has its owner: without one, another process would clear it away.
                # A link and no renaming, which would silently replace the ledger of a run with the same id.
                os.link(draft, self.path)
            finally:
                draft.unlink()
            # The file's own fsync does not bring its name to the disk: after a power cut the ledger could be nowhere.
            _sync_folder(self.path.parent)
        except Interrupted:
            if mine is not None and self.path.exists() and self.path.stat().st_ino == mine:
                self.path.unlink()  # nobody will close it, and nothing was started that it could tell of
            raise
        except FileExistsError:
            raise UsageError(f"the run {self.run} exists already", next_step="twinshop recover") from None
        except OSError as error:
            raise _cannot_write(self.path, error) from error

    def add(self, entry: Entry) -> None:
        """Write it down, on the disk when this returns: what is about to be done *before* it is done.

        Raises:
            EnvironmentNotReady: it cannot be written.
        """
        try:
            # Without O_CREAT: a ledger that was closed must not come back as one without an owner.
            _write(self.path, _encoder.encode(entry), os.O_WRONLY | os.O_APPEND)
        except OSError as error:
            raise _cannot_write(self.path, error) from error

    def make_folder(self, folder: Path) -> None:
        """Make a folder (mode 0700) that must not outlive the run."""
        # Absolute: whoever recovers may be started in another folder.
        self.add(Folder(str(folder.absolute())))
        make_own_folder(folder, self.run)

    def close(self) -> None:
        """The run is over: end whatever of it is still there, and remove the ledger. Safe to repeat.

        Raises:
            Interrupted: in the middle of it; it was done to the end all the same.
            TwinshopError: something would not go in time.
            EnvironmentNotReady: the Docker engine does not answer, so that nobody knows what of it is left there.
        """
        try:
            done = clear(self.path)
        except Interrupted:
            clear(self.path)  # an interruption is heard once: this time to the end
            raise
        if done.unanswered:
            raise EnvironmentNotReady(
                f"the run {self.run} was ended without its containers: the Docker engine does not answer any more",
                why="; ".join(done.unanswered),
                next_step="start the engine again, then `twinshop recover`",
            )
        if done.left:
            raise TwinshopError(
                f"the run {self.run} is over, but not gone: {', '.join(done.left)}",
                why="killed, and still there after some seconds",
                next_step="twinshop recover",
            )

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _write(path: Path, line: bytes, flags: int) -> None:
    handle = os.open(path, flags, 0o600)
    try:
        os.write(handle, line + b"\n")  # in one write: entries of several threads and processes do not mix
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _cannot_write(path: Path, error: OSError) -> EnvironmentNotReady:
    return EnvironmentNotReady(
        f"cannot write the ledger {path}",
        why=f"{error.strerror or error}; nothing is started that could not be undone",
        next_step=f"make its folder writable, or set {STATE_VARIABLE} to another one",
    )
