"""What each engine needs of the machine, and whether it is there. Every look is bounded; nothing is changed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Literal

import msgspec
import psutil

from compose.engines.process_parts import balancer_program
from compose.engines.store import server_program
from compose.supervision.ledger import state_folder
from compose.supervision.ports import free_ports
from shared.errors import TwinshopError

WITHIN_S = 4.0
"""All looks together; they are made side by side."""
Engine = Literal["machine", "processes", "docker"]
LOWEST_DISK_MB, LOWEST_MEMORY_MB, LOWEST_FILES = 500, 700, 1024
_PORTS = 20
_PROGRAM_S = 3.0
_VERSION = re.compile(r"\b\d+\.\d+\.\d+\b")
_BUILT_AFTER = 1_735_689_600  # 2025-01-01: a clock before that was never set


class Check(msgspec.Struct, frozen=True):
    """One thing that was looked at."""

    engine: Engine
    """Who needs it; `machine`: every engine."""
    name: str
    ok: bool
    says: str
    """What was found."""
    mend: str = ""
    """The one command that mends it, if it is not ok."""
    needed: bool = True
    """Without it, its engine is not ready."""


Look = Callable[[], Check]
Looks = dict[tuple[Engine, str], Look]


def examine(looks: Looks) -> tuple[Check, ...]:
    """Look at everything, side by side; what is not done in time has failed."""
    pool = ThreadPoolExecutor(len(looks), thread_name_prefix="doctor")
    futures = {key: pool.submit(look) for key, look in looks.items()}
    wait(futures.values(), timeout=WITHIN_S)
    pool.shutdown(wait=False, cancel_futures=True)
    return tuple(_found(engine, name, future) for (engine, name), future in futures.items())


def ready(checks: tuple[Check, ...], engine: str) -> bool:
    """Whether that engine has what it needs."""
    return all(check.ok or not check.needed for check in checks if check.engine in ("machine", engine))


def _found(engine: Engine, name: str, future: Future[Check]) -> Check:
    if not future.done():
        return Check(engine, name, False, f"no answer within {WITHIN_S:.0f} s", "twinshop doctor")
    error = future.exception()
    if isinstance(error, TwinshopError):
        why = f": {error.why}" if error.why else ""
        return Check(engine, name, False, " ".join(f"{error.what}{why}".split()), error.next_step)
    if error is not None:
        return Check(engine, name, False, f"{type(error).__name__}: {error}", "twinshop doctor")
    return future.result()


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("machine", "python", sys.version_info >= (3, 11), version, "make PYTHON=python3.12 install")


def _ports() -> Check:
    found = free_ports(_PORTS)
    return Check("machine", "ports", True, f"{len(found)} free ones on 127.0.0.1 found at once")


def _state() -> Check:
    folder = state_folder()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    fine = os.access(there, os.W_OK | os.X_OK)
    return Check("machine", "ledger", fine, f"{folder}", "export TWINSHOP_STATE=$HOME/.twinshop")


def _disk() -> Check:
    free_mb = shutil.disk_usage(Path.cwd()).free // 10**6
    return Check(
        "machine", "disk", free_mb >= LOWEST_DISK_MB, f"{free_mb} MB free here, {LOWEST_DISK_MB} wanted",
        "rm -r runs/*   (or free some space elsewhere)",
    )  # fmt: skip


def _memory() -> Check:
    free_mb = psutil.virtual_memory().available // 10**6
    return Check(
        "machine", "memory", free_mb >= LOWEST_MEMORY_MB, f"{free_mb} MB free, {LOWEST_MEMORY_MB} wanted",
        "twinshop down --all   (or close other programs)",
    )  # fmt: skip


def _clock() -> Check:
    return Check(
        "machine", "clock", time.time() > _BUILT_AFTER, time.strftime("%Y-%m-%d %H:%M:%S %Z"),
        "sudo timedatectl set-ntp true",
    )  # fmt: skip


def _files() -> Check:
    import resource

    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    fine = soft == resource.RLIM_INFINITY or soft >= LOWEST_FILES
    return Check("machine", "open files", fine, f"at most {soft}, {LOWEST_FILES} wanted", "ulimit -n 4096")


def _balancer() -> Check:
    return Check("processes", "envoy", True, _version_of([str(balancer_program()), "--version"]))


def _store() -> Check:
    return Check("processes", "valkey", True, _version_of([str(server_program()), "--version"]))


def _version_of(command: list[str]) -> str:
    """The version that a program says it is.

    Raises:
        TwinshopError: it cannot be run.
    """
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PROGRAM_S, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise TwinshopError(f"{command[0]} does not run", why=str(error), next_step="make install") from error
    version = _VERSION.search(done.stdout)
    return version[0] if version else "it runs"


MACHINE_LOOKS: Looks = {
    ("machine", "python"): _python,
    ("machine", "ports"): _ports,
    ("machine", "ledger"): _state,
    ("machine", "disk"): _disk,
    ("machine", "memory"): _memory,
    ("machine", "clock"): _clock,
    ("machine", "open files"): _files,
    ("processes", "envoy"): _balancer,
    ("processes", "valkey"): _store,
}
