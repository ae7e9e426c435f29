"""Load balancers: one file each, found by itself: a module here that has a `BALANCER`."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules

from compose.architectures import one_of
from compose.balancers.contract import Balancer
from compose.cluster import ClusterSpec
from compose.supervision.ports import bindable
from shared.errors import UsageError


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


def check_public(spec: ClusterSpec) -> None:
    """Make sure that people with browsers can come in where the spec says, if they are to.

    Raises:
        UsageError: the balancer has no public listener.
        PortTaken, EnvironmentNotReady: one cannot listen there.
    """
    if spec.public is None:
        return
    balancer = balancer_named(spec.balancer)
    if not balancer.can.public:
        raise UsageError(
            f"{balancer.title} has no listener for people with browsers",
            why="so its file in compose/balancers says",
            next_step="choose another balancer",
        )
    bindable(spec.public.host, spec.public.port, "shop")


def made_by_a_balancer(header: Callable[[str], str]) -> bool:
    """Whether an answer that lacks the run's id was made by a balancer itself, by its headers (of no value: "")."""
    return any(balancer.made(header) for balancer in BALANCERS.values())
