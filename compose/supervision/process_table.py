"""Which process is which: a pid alone proves nothing, because the system uses pids again.

A process is *ours* if it was born when we wrote down that it was (`birth_of`), or if it carries our run's id in the
environment it was started with (`carries`). Nothing else is ever signalled.
"""

import os
import signal
from contextlib import suppress
from functools import cache
from pathlib import Path

import psutil

RUN_VARIABLE = "TWINSHOP_RUN"  # every process that Twinshop starts has it in its environment

# Fields 3, 9, 20 and 22 of /proc/<pid>/stat, counted from behind the command's closing bracket.
_STATE, _FLAGS, _THREADS, _STARTTIME = 0, 6, 17, 19
_EXITING = 0x4  # PF_EXITING


@cache
def _boot() -> str:
    """This start of the machine; "" where there is no /proc to ask."""
    try:
        # Part of every birth: pids and ticks begin anew with each start, and ledgers outlive it.
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8]
    except OSError:
        return ""


def _stat(pid: int) -> list[str] | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # From the last bracket: the name before it is the program's own choice, brackets and blanks included.
    return text.rpartition(")")[2].split()


def birth_of(pid: int) -> str | None:
    """When that process was born, as text to compare (it never changes); None if there is no such process."""
    if _boot():
        # In the kernel's ticks: the wall clock's idea of it moves when the clock is set.
        fields = _stat(pid)
        return None if fields is None else f"{_boot()}:{fields[_STARTTIME]}"
    try:
        return repr(psutil.Process(pid).create_time())
    except psutil.Error:
        return None


def is_alive(pid: int, born: str) -> bool:
    """Whether the process that was born then still runs. One that only waits to be buried (a zombie) does not."""
    return birth_of(pid) == born and not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    if _boot():
        fields = _stat(pid)
        # While it has more threads than one, a zombie's first thread is dead but its sockets are still open.
        return fields is None or (fields[_STATE] in "ZX" and int(fields[_THREADS]) <= 1)
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return True


def _is_exiting(pid: int) -> bool:
    """Whether it is on its way out. Its memory, and so its environment, goes before its sockets do."""
    fields = _stat(pid) if _boot() else None
    return fields is not None and bool(int(fields[_FLAGS]) & _EXITING)


def carries(pid: int, run: str) -> bool:
    """Whether the process was started with that run's id in its environment."""
    try:
        return psutil.Process(pid).environ().get(RUN_VARIABLE) == run
    except (psutil.Error, OSError):
        return False


def living_of_run(run: str) -> set[int]:
    """Every living process, other than this one, that was started with that run's id in its environment."""
    return {pid for pid in psutil.pids() if pid != os.getpid() and carries(pid, run) and not _is_zombie(pid)}


def living_in_group(group: int) -> set[int]:
    """The living processes of a process group."""
    members = set()
    for pid in psutil.pids():
        try:
            if os.getpgid(pid) == group and not _is_zombie(pid):
                members.add(pid)
        except OSError:
            continue
    return members


def group_lives(leader: int, born: str, run: str) -> bool:
    """Whether any process lives of the group that we started with that leader."""
    birth = birth_of(leader)
    if birth == born and not _is_zombie(leader):
        return True
    # One that is exiting can prove nothing any more, and still holds its port: the next start would find that taken.
    return any(birth == born or carries(pid, run) or _is_exiting(pid) for pid in living_in_group(leader))


def signal_group(leader: int, born: str, run: str, number: signal.Signals) -> None:
    """Send a signal to the process group that we started with that leader, and to nobody else."""
    # While the leader exists (even as a zombie) the group of its number is ours as a whole: the system does not give
    # the number away. Without the leader, each member has to prove itself.
    if birth_of(leader) == born:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, number)
        return
    for pid in living_in_group(leader):
        if carries(pid, run):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)


def kill_process(pid: int) -> None:
    """SIGKILL one process; no error if it is gone."""
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)  # a stopped process dies of it too, without SIGCONT


def used_by_processes(leader: int) -> tuple[float, int] | None:
    """Processor seconds and bytes of memory that this process and all that it started use; None if it is gone."""
    try:
        first = psutil.Process(leader)
        cpu_s, memory = 0.0, 0
        for process in (first, *first.children(recursive=True)):
            with process.oneshot():
                times = process.cpu_times()
                cpu_s += times.user + times.system
                memory += process.memory_info().rss
    except psutil.Error:
        return None
    return round(cpu_s, 3), memory
