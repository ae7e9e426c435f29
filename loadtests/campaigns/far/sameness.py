"""What must be the same on all machines of a campaign, because it can decide an outcome."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache

from compose.balancers import BALANCERS
from compose.cluster import DEFAULT_BALANCER
from loadtests.running.provenance import (
    PAGE_CACHE,
    SHOWN,
    bearing,
    machine,
    package_versions,
    program_files,
    twinshop_version,
)
from shared.errors import TwinshopError


@cache
def sameness(balancers: tuple[str, ...] = (DEFAULT_BALANCER,)) -> dict[str, str]:
    """What this machine would run with: versions, and the first digits of SHA-256 of what has no version of its own.

    Of the balancers, only those that will run count.
    """
    programs = sorted({*balancers, PAGE_CACHE})
    packages = bearing(package_versions(), balancers)
    named = {"Twinshop": twinshop_version(), "Python": str(machine()["python"]), "Twinshop's files": program_files()}
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
