"""What each engine needs of the machine, and whether it is there. Every look is bounded; nothing is changed."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import docker
import msgspec
import psutil

from compose.balancers import BALANCERS, choose_balancer
from compose.balancers.contract import Balancer
from compose.containers import asking, connect
from compose.engines.images import NODE, OFFICIAL, PYTHON, missing, node_image
from compose.engines.store import server_program
from compose.supervision.ledger import state_folder
from compose.supervision.ports import free_ports
from shared.errors import EnvironmentNotReady, TwinshopError

WITHIN_S = 4.0  # all looks together; they are made side by side
Engine = Literal["machine", "processes", "docker"]
LOWEST_DISK_MB, LOWEST_MEMORY_MB, LOWEST_FILES = 500, 700, 1024
_PORTS = 20
_PROGRAM_S = 3.0
_VERSION = re.compile(r"\b\d+\.\d+\.\d+\b")
LOWEST_VERSION = (20, 10)
LOWEST_DOCKER_DISK_MB = 2_000
CLOCKS_APART_S = 2.0
_ASK_S = 1.5
_PULL = "twinshop images build   (without a network: twinshop images load FILE)"
_BUILT_AFTER = 1_735_689_600  # 2025-01-01: a clock before that was never set


class DoctorCheck(msgspec.Struct, frozen=True):
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


class LookResult(NamedTuple):
    """What a look comes to: the last fields of a `DoctorCheck`."""

    ok: bool
    says: str
    mend: str = ""
    needed: bool = True


Looks = dict[tuple[Engine, str], Callable[[], LookResult]]


def examine(looks: Looks) -> tuple[DoctorCheck, ...]:
    """Look at everything, side by side; what is not done in time has failed."""
    pool = ThreadPoolExecutor(len(looks), thread_name_prefix="doctor")
    futures = {key: pool.submit(look) for key, look in looks.items()}
    wait(futures.values(), timeout=WITHIN_S)
    pool.shutdown(wait=False, cancel_futures=True)  # a look that hangs must not hold the answer about the others
    return tuple(DoctorCheck(engine, name, *_found(future)) for (engine, name), future in futures.items())


def ready(checks: tuple[DoctorCheck, ...], engine: str) -> bool:
    """Whether that engine has what it needs."""
    return all(check.ok or not check.needed for check in checks if check.engine in ("machine", engine))


def _found(future: Future[LookResult]) -> LookResult:
    if not future.done():
        return LookResult(False, f"no answer within {WITHIN_S:.0f} s", "twinshop doctor")
    error = future.exception()
    if isinstance(error, TwinshopError):
        why = f": {error.why}" if error.why else ""
        return LookResult(False, " ".join(f"{error.what}{why}".split()), error.next_step)
    if error is not None:
        return LookResult(False, f"{type(error).__name__}: {error}", "twinshop doctor")
    return future.result()


def _python() -> LookResult:
    version = ".".join(map(str, sys.version_info[:3]))
    return LookResult(sys.version_info >= (3, 11), version, "make PYTHON=python3.12 install")


def _ports() -> LookResult:
    return LookResult(True, f"{len(free_ports(_PORTS))} free ones on 127.0.0.1 found at once")


def _state() -> LookResult:
    folder = state_folder()
    # Nothing is changed, so it is not made here: whether it could be, its nearest parent tells.
    there = next(path for path in (folder, *folder.parents) if path.exists())
    return LookResult(os.access(there, os.W_OK | os.X_OK), f"{folder}", "export TWINSHOP_STATE=$HOME/.twinshop")


def _disk() -> LookResult:
    free_mb = shutil.disk_usage(Path.cwd()).free // 10**6
    says = f"{free_mb} MB free here, {LOWEST_DISK_MB} wanted"
    return LookResult(free_mb >= LOWEST_DISK_MB, says, "rm -r runs/*   (or free some space elsewhere)")


def _memory() -> LookResult:
    free_mb = psutil.virtual_memory().available // 10**6
    says = f"{free_mb} MB free, {LOWEST_MEMORY_MB} wanted"
    return LookResult(free_mb >= LOWEST_MEMORY_MB, says, "twinshop down --all   (or close other programs)")


def _clock() -> LookResult:
    now = time.strftime("%Y-%m-%d %H:%M:%S %Z")
    return LookResult(time.time() > _BUILT_AFTER, now, "sudo timedatectl set-ntp true")


def _files() -> LookResult:
    import resource  # late: only Unix has it

    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    fine = soft == resource.RLIM_INFINITY or soft >= LOWEST_FILES
    return LookResult(fine, f"at most {soft}, {LOWEST_FILES} wanted", "ulimit -n 4096")


def _balancer(balancer: Balancer) -> LookResult:
    """One of several: each is as good as another, and may be missing."""
    try:
        version = balancer.version_of(balancer.program().path)
    except EnvironmentNotReady as error:
        return LookResult(False, f"{error.what}: {error.why}", error.next_step, needed=False)
    return LookResult(True, version, needed=False)


def _any_balancer() -> LookResult:
    choice = choose_balancer()
    says = f"{BALANCERS[choice.name].title} is in front of the nodes"
    return LookResult(True, f"{says}: {choice.remark}" if choice.remark else says)


def _store() -> LookResult:
    program = server_program()
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=_PROGRAM_S, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise TwinshopError(f"{program} does not run", why=str(error), next_step="make install") from error
    version = _VERSION.search(done.stdout)
    return LookResult(True, version[0] if version else "it runs")


def _engine() -> LookResult:
    with connect(within_s=_ASK_S) as engine, asking("say its version"):
        version = str(engine.version()["Version"])
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    mend = "sudo apt-get install --only-upgrade docker-ce   (or docker.io)"
    return LookResult(numbers >= LOWEST_VERSION, f"version {version}, 20.10 or newer wanted", mend)


def _compose() -> LookResult:
    says = "no `docker compose`: only the compose files by hand need it"
    try:
        command = ["docker", "compose", "version"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PROGRAM_S, check=False)
        fine = done.returncode == 0
    except (OSError, subprocess.SubprocessError):
        fine = False
    mend = "sudo apt-get install docker-compose-plugin"
    return LookResult(fine, done.stdout.strip() if fine else says, mend, needed=False)


def _images() -> LookResult:
    with connect(within_s=_ASK_S) as engine:
        built = not missing(engine, [node_image()])
        to_pull = missing(engine, OFFICIAL if built else (PYTHON, *OFFICIAL))
        unreachable = _not_pullable(engine, to_pull)
    if unreachable:
        return LookResult(False, f"missing, and not to be pulled: {', '.join(unreachable)}", _PULL)
    later = ([] if built else [f"{NODE} is built"]) + [f"{name} is pulled" for name in to_pull]
    return LookResult(True, f"at the first run, {', '.join(later)}" if later else f"all {1 + len(OFFICIAL)} are there")


def _not_pullable(engine: docker.APIClient, names: list[str]) -> list[str]:
    def unreachable(name: str) -> bool:
        try:
            with asking(f"look {name} up"):
                engine.inspect_distribution(name)
        except EnvironmentNotReady:
            return True
        return False

    if not names:
        return []
    with ThreadPoolExecutor(len(names)) as pool:
        return [name for name, missing in zip(names, pool.map(unreachable, names), strict=True) if missing]


def _docker_clock() -> LookResult:
    with connect(within_s=_ASK_S) as engine, asking("tell the time"):
        theirs = datetime.fromisoformat(str(engine.info()["SystemTime"])).timestamp()
    apart_s = abs(theirs - time.time())
    return LookResult(apart_s <= CLOCKS_APART_S, f"{apart_s:.1f} s from ours", "restart Docker: its clock has drifted")


def _docker_disk() -> LookResult:
    with connect(within_s=_ASK_S) as engine, asking("describe itself"):
        folder = str(engine.info()["DockerRootDir"])
    try:
        free_mb = shutil.disk_usage(folder).free // 10**6
    except OSError:  # in a virtual machine of its own, as on macOS
        return LookResult(True, f"{folder} cannot be seen from here")
    says = f"{free_mb} MB free, {LOWEST_DOCKER_DISK_MB} wanted"
    return LookResult(free_mb >= LOWEST_DOCKER_DISK_MB, says, "docker system prune")


MACHINE_LOOKS: Looks = {
    ("machine", "python"): _python,
    ("machine", "ports"): _ports,
    ("machine", "ledger"): _state,
    ("machine", "disk"): _disk,
    ("machine", "memory"): _memory,
    ("machine", "clock"): _clock,
    ("machine", "open files"): _files,
    ("processes", "balancer"): _any_balancer,
    **{
        ("processes", name): partial(_balancer, balancer)
        for name, balancer in BALANCERS.items()
        if not balancer.variant.name
    },
    ("processes", "valkey"): _store,
}
DOCKER_LOOKS: Looks = {
    ("docker", "docker engine"): _engine,
    ("docker", "compose"): _compose,
    ("docker", "images"): _images,
    ("docker", "docker clock"): _docker_clock,
    ("docker", "docker disk"): _docker_disk,
}
