"""Load balancers: one file each, found by itself: a module here that has a `BALANCER`."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules

from compose.architectures import one_of
from compose.balancers.contract import Balancer


def _found() -> dict[str, Balancer]:
    modules = (import_module(f"{__name__}.{file.name}") for file in iter_modules(__path__))
    balancers = (module.BALANCER for module in modules if hasattr(module, "BALANCER"))
    return {balancer.name: balancer for balancer in balancers}


BALANCERS: dict[str, Balancer] = _found()
"""By name."""


def balancer_named(name: str) -> Balancer:
    """The balancer of that name.

    Raises:
        UsageError: there is none; the message lists those there are.
    """
    return one_of(BALANCERS, name, "balancer", next_step="omit --balancer for the default")


def made_by_a_balancer(header: Callable[[str], str]) -> bool:
    """Whether an answer that lacks the run's id was made by a balancer itself, by its headers (of no value: "")."""
    return any(balancer.made(header) for balancer in BALANCERS.values())
