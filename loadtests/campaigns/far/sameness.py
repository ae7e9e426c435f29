"""What must be the same on all machines of a campaign, because it can decide an outcome."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import loadtests
from compose.balancers import BALANCERS
from compose.cluster import DEFAULT_BALANCER
from loadtests.running.provenance import machine, package_versions, twinshop_version
from shared.errors import TwinshopError

ROOT = Path(loadtests.__file__).parent.parent
ROOMS = ("shared", "stateful_app", "stateless_app", "compose", "loadtests")
KINDS = frozenset({".py", ".toml", ".j2", ".html"})
"""Of files that bear on a run: the program, the scenarios, the shop's pages."""
SHOWN = 12
PAGE_CACHE = "nginx"
"""Whose program keeps pages in the scenarios of page caches, whatever the balancer is."""


@cache
def sameness(balancers: tuple[str, ...] = (DEFAULT_BALANCER,)) -> dict[str, str]:
    """What this machine would run with: versions, and the first digits of SHA-256 of what has no version of its own.

    Of the balancers, only those that will run count, and whatever else their programs do in a cluster.
    """
    programs = sorted({*balancers, PAGE_CACHE})
    others = {each.package for each in BALANCERS.values()} - {BALANCERS[name].package for name in programs}
    packages = {name: version for name, version in package_versions().items() if name not in others}
    named = {"Twinshop": twinshop_version(), "Python": str(machine()["python"]), "Twinshop's files": _files()}
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


def _files() -> str:
    whole = hashlib.sha256()
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*")):
            if path.suffix in KINDS and path.is_file():
                whole.update(f"{path.relative_to(ROOT).as_posix()}\0".encode())
                whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()[:SHOWN]


def _program(balancer: str) -> str:
    """Packages say a version; what they start may still have been replaced."""
    try:
        path = BALANCERS[balancer].program().path
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:SHOWN]
    except (TwinshopError, OSError):
        return "not to be had"
