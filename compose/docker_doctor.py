"""What the engine `docker` needs, for `twinshop doctor`."""

from __future__ import annotations

import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import docker

from compose.containers.api import asking, connect
from compose.containers.images import NODE, OFFICIAL, PYTHON, look, node_image
from compose.doctor import Check, Looks
from shared.errors import EnvironmentNotReady

LOWEST_VERSION = (20, 10)
LOWEST_DISK_MB = 2_000
CLOCKS_APART_S = 2.0
_ASK_S = 1.5
_PULL = "twinshop images build   (without a network: twinshop images load FILE)"


def _engine() -> Check:
    with connect(within_s=_ASK_S) as engine, asking("say its version"):
        version = str(engine.version()["Version"])
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    return Check(
        "docker", "docker engine", numbers >= LOWEST_VERSION, f"version {version}, 20.10 or newer wanted",
        "sudo apt-get install --only-upgrade docker-ce   (or docker.io)",
    )  # fmt: skip


def _compose() -> Check:
    says = "no `docker compose`: only the compose files by hand need it"
    try:
        done = subprocess.run(
            ["docker", "compose", "version"], capture_output=True, text=True, timeout=3.0, check=False
        )  # fmt: skip
        fine = done.returncode == 0
    except (OSError, subprocess.SubprocessError):
        fine = False
    mend = "sudo apt-get install docker-compose-plugin"
    return Check("docker", "compose", fine, done.stdout.strip() if fine else says, mend, needed=False)


def _images() -> Check:
    with connect(within_s=_ASK_S) as engine:
        return _images_of(engine)


def _images_of(engine: docker.APIClient) -> Check:
    node = look(engine, node_image())
    wanted = OFFICIAL if node.present else (PYTHON, *OFFICIAL)
    missing = [name for name in wanted if not look(engine, name).present]
    unreachable = _not_pullable(engine, missing)
    if unreachable:
        return Check("docker", "images", False, f"missing, and not to be pulled: {', '.join(unreachable)}", _PULL)
    later = ([] if node.present else [f"{NODE} is built"]) + [f"{name} is pulled" for name in missing]
    says = f"at the first run, {', '.join(later)}" if later else f"all {1 + len(OFFICIAL)} are there"
    return Check("docker", "images", True, says)


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


def _clock() -> Check:
    with connect(within_s=_ASK_S) as engine, asking("tell the time"):
        theirs = datetime.fromisoformat(str(engine.info()["SystemTime"])).timestamp()
    apart_s = abs(theirs - time.time())
    fine = apart_s <= CLOCKS_APART_S
    return Check("docker", "docker clock", fine, f"{apart_s:.1f} s from ours", "restart Docker: its clock has drifted")


def _disk() -> Check:
    with connect(within_s=_ASK_S) as engine, asking("describe itself"):
        folder = str(engine.info()["DockerRootDir"])
    try:
        free_mb = shutil.disk_usage(folder).free // 10**6
    except OSError:  # in a virtual machine of its own, as on macOS
        return Check("docker", "docker disk", True, f"{folder} cannot be seen from here")
    fine = free_mb >= LOWEST_DISK_MB
    return Check("docker", "docker disk", fine, f"{free_mb} MB free, {LOWEST_DISK_MB} wanted", "docker system prune")


DOCKER_LOOKS: Looks = {
    ("docker", "docker engine"): _engine,
    ("docker", "compose"): _compose,
    ("docker", "images"): _images,
    ("docker", "docker clock"): _clock,
    ("docker", "docker disk"): _disk,
}
