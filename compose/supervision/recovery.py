"""Undo what a run left behind: end its processes, remove its folders, close its ledger.

It is safe to repeat and safe to run twice at once, and it needs proof: a process is ended only if it was born when the
ledger says it was, or if it carries the run's id in its environment (which also finds one that was started in the
instant before its owner died, too late to be written down).
"""

import shutil
import signal
import time
from pathlib import Path

import msgspec

from compose.supervision.ledger_file import Page, drafts, ledgers, read_page
from compose.supervision.process_table import (
    birth_of,
    group_lives,
    is_alive,
    kill_process,
    living_in_group,
    living_of_run,
    signal_group,
)
from shared.errors import EnvironmentNotReady
from shared.plurals import counted

GONE_WITHIN_S = 5.0
SETTLE_S = 0.5  # how long to look for a process whose start was written down as intended, but not as done
_PAUSE_S = 0.01
_MARK = ".twinshop"


class Recovered(msgspec.Struct, frozen=True):
    """What recovery did, for a person."""

    runs: tuple[str, ...] = ()
    """Runs that were cleared away."""
    processes: tuple[str, ...] = ()
    """Processes that were still there and were ended: "n1 (pid 4711)"."""
    folders: tuple[str, ...] = ()
    """Folders that were removed."""
    damaged_lines: int = 0
    """Ledger lines that could not be read and were skipped."""
    left: tuple[str, ...] = ()
    """What would not go in time; its ledger stays for the next attempt."""
    containers: tuple[str, ...] = ()
    """Containers and networks that were removed."""
    unanswered: tuple[str, ...] = ()
    """Why Docker engines that hold containers of a run could not be asked; none if all could."""

    def lines(self) -> list[str]:
        """The same in sentences; none if there was nothing to do."""
        lines = counted(self.damaged_lines, "ledger line")
        skipped = (f"{lines} that could not be read",) if self.damaged_lines else ()
        said = (
            ("cleared away what was left of", self.runs),
            ("ended", self.processes),
            ("removed", self.containers),
            ("removed", self.folders),
            ("skipped", skipped),
            ("still there:", self.left),
        )
        return [f"{what} {', '.join(names)}" for what, names in said if names]


def recover(state: Path, *, everything: bool = False) -> Recovered:
    """End all that dead owners left behind; with `everything`, clusters that were kept on purpose too.

    A run whose owner lives is never touched. A kept cluster of which no process lives (after a restart of the machine,
    say) is only litter, and is cleared away in any case.
    """
    done = Recovered()
    for path in ledgers(state):
        page = read_page(path)
        if page.kept:
            if not everything and (living(page) or containers_live(page)):
                continue
        elif page.owner_lives:
            continue
        done = _both(done, clear(path))
    for draft in drafts(state):
        if not read_page(draft).owner_lives:  # it died before its ledger had a name: nothing was started yet
            draft.unlink(missing_ok=True)
    return done


def _both(one: Recovered, other: Recovered) -> Recovered:
    fields = zip(msgspec.structs.astuple(one), msgspec.structs.astuple(other), strict=True)
    return Recovered(*(mine + theirs for mine, theirs in fields))  # tuples and numbers: all can be added up


def clear(path: Path) -> Recovered:
    """End everything of one ledger, whoever owns it, and remove it. What would not go in time is in `left`."""
    page = read_page(path)
    # Before the processes: root sees those in containers too, and would end them one by one.
    containers, unanswered = _remove_containers(page)
    ended, left = _end_processes(page)
    folders = tuple(str(folder) for folder in page.folders if remove_own_folder(folder, page.run))
    left += tuple(str(folder) for folder in page.folders if is_own_folder(folder, page.run))
    if unanswered:
        left += (f"containers of {page.run} (the Docker engine does not answer)",)
    if not left:  # last: whoever dies before this line leaves a ledger that says all that is still to be done
        path.unlink(missing_ok=True)
    return Recovered((page.run,), ended, folders, page.damaged, left, containers, unanswered)


def containers_live(page: Page) -> bool:
    """Whether a container of that run runs. If the engine does not answer, nobody can say that none does."""
    if not page.container_engines:
        return False
    from compose.containers import running_at  # costs 0.15 s to import, and most runs have no containers

    try:
        return any(running_at(engine, page.run) for engine in page.container_engines)
    except EnvironmentNotReady:
        return True


def _remove_containers(page: Page) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Remove what carries the run's label; and why an engine could not be asked, if one could not."""
    if not page.container_engines:
        return (), ()
    from compose.containers import sweep_at  # late, as above

    removed: list[str] = []
    try:
        for engine in page.container_engines:
            removed += sweep_at(engine, page.run, unaccounted=page.still_making)
    except EnvironmentNotReady as error:
        return tuple(removed), (f"{error.what}: {error.why}",)
    return tuple(removed), ()


def living(page: Page) -> dict[int, str]:
    """Every living process that is proved to be of that ledger: pid and name."""
    found = dict.fromkeys(living_of_run(page.run), "")
    for entry in page.started:
        if is_alive(entry.pid, entry.born):
            found[entry.pid] = entry.name
        if group_lives(entry.pid, entry.born, page.run):
            found |= dict.fromkeys(living_in_group(entry.pid), entry.name)
    return found


def _end_processes(page: Page) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Kill until there is nobody left to kill: those that ended, and those that would not."""
    now = time.monotonic()
    deadline, settled = now + GONE_WITHIN_S, now + (SETTLE_S if page.unaccounted else 0.0)
    seen: dict[int, str] = {}
    births: dict[int, str] = {}
    while True:
        # One that is on its way out has no environment any more, but still its ports: those seen once are waited for.
        there = living(page) | {pid: seen[pid] for pid, born in births.items() if is_alive(pid, born)}
        seen |= there
        births |= {pid: birth_of(pid) or "" for pid in there if pid not in births}
        for entry in page.started:
            # The group at once, so that nothing it forks meanwhile escapes; then, one by one, what has left its group.
            signal_group(entry.pid, entry.born, page.run, signal.SIGKILL)
        for pid in there:
            kill_process(pid)
        now = time.monotonic()
        if (not there and now >= settled) or now >= deadline:
            break
        # And again: killed is not gone, and what is killed may have started something in its last moment.
        time.sleep(_PAUSE_S)
    words = {pid: f"{name or 'a process of the run'} (pid {pid})" for pid, name in seen.items()}
    return tuple(words[pid] for pid in seen if pid not in there), tuple(words[pid] for pid in there)


def make_own_folder(folder: Path, run: str) -> None:
    """Make a folder that recovery may remove: only we can read it, and it carries the run's mark.

    Write it into the ledger first.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / _MARK).write_text(run)


def own_since_ns(folder: Path) -> int:
    """When `make_own_folder` made it, in ns since 1970."""
    return (folder / _MARK).stat().st_mtime_ns


def is_own_folder(folder: Path, run: str) -> bool:
    """Whether that folder exists and carries the run's mark: no path in a ledger may cost anybody else's files."""
    try:
        return not folder.is_symlink() and (folder / _MARK).read_text() == run
    except (OSError, UnicodeDecodeError):
        return False


def remove_own_folder(folder: Path, run: str) -> bool:
    """Remove a folder made by `make_own_folder`; True if there was one. An unmarked one goes only if it is empty."""
    if not is_own_folder(folder, run):
        try:
            folder.rmdir()
        except OSError:
            return False
        return True
    # Entry by entry, because rmtree takes the mark in any order.
    mark = folder / _MARK
    for entry in folder.iterdir():
        if entry == mark:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)
    # The mark goes last: if we die here, the next recovery still knows the folder for ours.
    shutil.rmtree(folder, ignore_errors=True)
    return True
