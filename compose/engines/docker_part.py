"""A container to be made, as data: its image, command, mounts, limits and what it publishes."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import msgspec

from compose.supervision.ports import HOST

MEGABYTE = 2**20
PROCESSES = 256
"""Threads count as processes do."""


class Part(msgspec.Struct, frozen=True):
    """A container to be made."""

    name: str
    role: str
    image: str
    command: tuple[str, ...]
    address: str
    """Its own, fixed for the life of the cluster: a node that comes back is where it was."""
    publish: dict[int, int]
    """Its port: the port of 127.0.0.1 that leads there."""
    memory_mb: int
    processes: int = PROCESSES
    """The most it may have."""
    environment: dict[str, str] = {}
    entrypoint: tuple[str, ...] = ()
    """Empty: the image's own."""
    mounts: dict[Path, tuple[Path, bool]] = {}
    """Ours: theirs, and whether they may write there."""
    in_memory: tuple[str, ...] = ()
    """Folders that are lost with the container; without, the image would make a volume."""
    user: str = ""
    """uid:gid; empty: the image's own, which sheds root by itself."""
    init: bool = False
    """A first process that passes signals on: for programs that, as the first one themselves, would not hear them."""

    @property
    def settings(self) -> str:
        """Another one as soon as it would be started with another command or environment."""
        return hashlib.sha256(repr((self.command, self.environment)).encode()).hexdigest()[:12]

    def host_settings(self) -> dict[str, Any]:
        """Docker's HostConfig."""
        return {
            "port_bindings": {f"{inside}/tcp": (HOST, outside) for inside, outside in self.publish.items()},
            "binds": [f"{ours}:{theirs}:{'rw' if write else 'ro'}" for ours, (theirs, write) in self.mounts.items()],
            "tmpfs": dict.fromkeys(self.in_memory, ""),
            "mem_limit": self.memory_mb * MEGABYTE,
            "pids_limit": self.processes,
            "init": self.init,
            "security_opt": ["no-new-privileges"],
            "cap_drop": ["ALL"] if self.user else None,
            # A part that dies stays dead: who starts it again is for the scenario to say.
            "restart_policy": {"Name": "no"},
        }
