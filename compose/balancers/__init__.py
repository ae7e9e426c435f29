"""Load balancers: one file each, found by itself: a module here that has a `BALANCER`, and perhaps `VARIANTS` of it."""

from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from importlib import import_module
from pkgutil import iter_modules

import msgspec

from compose.architectures import Architecture, one_of
from compose.balancers.contract import Balancer
from compose.cluster import DEFAULT_BALANCER, ClusterSpec
from compose.supervision.ports import bindable
from shared.errors import EnvironmentNotReady, UsageError


def _found() -> Iterator[Balancer]:
    modules = (import_module(f"{__name__}.{file.name}") for file in iter_modules(__path__))
    for module in modules:
        if hasattr(module, "BALANCER"):
            yield from (module.BALANCER, *getattr(module, "VARIANTS", ()))


BALANCERS: dict[str, Balancer] = {balancer.name: balancer for balancer in _found()}
"""By name."""


def balancer_named(name: str) -> Balancer:
    """The balancer of that name.

    Raises:
        UsageError: there is none; the message lists those there are.
    """
    return one_of(BALANCERS, name, "balancer", next_step="omit --balancer for the default")


FALLBACKS = ("haproxy", "nginx", "caddy", "traefik", "apache")
"""What takes the default's place where its program is not there; the first ones have every affinity."""


class BalancerChoice(msgspec.Struct, frozen=True):
    """Which balancer it is to be."""

    name: str
    remark: str = ""
    """Why it is not the one that was asked for, or the default; "": it is."""


def choose_balancer(asked: str = "", *, engine: str = "processes") -> BalancerChoice:
    """That one; if none is asked for the default, or where its program is not there, another one, which says so.

    Raises:
        UsageError: there is none of that name.
        EnvironmentNotReady: its program is not there; or, if none is asked for, no program of any.
    """
    if asked or engine != "processes":
        balancer = balancer_named(asked or DEFAULT_BALANCER)
        if engine == "processes":
            balancer.program()
        return BalancerChoice(balancer.name)
    try:
        BALANCERS[DEFAULT_BALANCER].program()
        return BalancerChoice(DEFAULT_BALANCER)
    except EnvironmentNotReady as missing:
        for name in FALLBACKS:
            with suppress(EnvironmentNotReady):
                found = BALANCERS[name].program()
                instead = f"{BALANCERS[name].title} {found.version} takes its place"
                return BalancerChoice(name, f"{missing.what} ({missing.why}): {instead}")
        raise


def check_balancer(
    architecture: Architecture, name: str, *, engine: str = "processes", wanted: Collection[str] = ()
) -> None:
    """Make sure that the balancer of that name can route as that architecture says, has what else is wanted of it
    (fields of its `can`), and that the engine can run it.

    Raises:
        UsageError: it cannot, or there is no such balancer.
    """
    balancer = balancer_named(name)
    if why := balancer.cannot_serve(architecture.affinity, wanted):
        raise UsageError(
            f"{balancer.title} cannot do what is asked of it with {architecture.name}",
            why=why,
            next_step="choose another --balancer, or another architecture or scenario",
        )
    if engine == "docker" and not balancer.image:
        raise UsageError(
            f"the engine docker has no image of {balancer.title}",
            why="there it is Envoy that runs in front of the containers",
            next_step="leave out --engine docker, or --balancer",
        )


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
