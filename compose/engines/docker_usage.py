"""What a container uses of the machine: by its processes, where they are processes of this machine, else by the engine.

The engine takes its figures once a second, and whoever asks waits for the next ones; the system answers at once.
"""

from __future__ import annotations

from pathlib import Path

import docker
import requests
from docker.errors import DockerException

from compose.probes.usage import Used, used_by_processes


def used(engine: docker.APIClient, name: str) -> Used | None:
    """Processor seconds and bytes of memory of all the container's processes; None if nobody says."""
    try:
        found = engine.inspect_container(name)
        pid, identity = int(found["State"]["Pid"]), str(found["Id"])
        if not pid:
            return None
        return used_by_processes(pid) if _is_process_of(identity, pid) else _by_engine(engine, name)
    except (DockerException, requests.RequestException, OSError, KeyError):
        return None


def _is_process_of(container: str, pid: int) -> bool:
    """Whether that pid is the container's here too: an engine in a virtual machine has other processes than we."""
    try:
        return container in Path(f"/proc/{pid}/cgroup").read_text()
    except OSError:
        return False


def _by_engine(engine: docker.APIClient, name: str) -> Used:
    found = engine.stats(name, stream=False, one_shot=True)
    memory = found["memory_stats"]["stats"]
    anonymous = memory["anon"] if "anon" in memory else memory["total_rss"]  # cgroups, version 2 and 1
    return found["cpu_stats"]["cpu_usage"]["total_usage"] / 1e9, int(anonymous)
