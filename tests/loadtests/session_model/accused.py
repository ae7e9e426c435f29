"""Small runs in which a fault is there or is not, and what is named as the cause of the loss in them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from compose.cluster import Limits
from loadtests.faults import FAULTS
from loadtests.model.fault_timeline import FaultTimeline
from loadtests.model.history import Exchange, Record
from loadtests.model.results import Loss
from loadtests.session_model.timeline import RunTimeline
from tests.loadtests.stories import Story, losses, scene

HOUR = Limits()
SHORT = Limits(session_lifetime_s=3)


def strike(
    kind: str, victim: str = "n2", at: float = 5.0, heal: float | None = None, *, number: int = 0, seen: bool = True
) -> FaultTimeline:
    """A fault that began then (seen 20 ms later) and was healed then (the same); never, if not said."""
    us = round(at * 1e6)
    healed = None if heal is None else round(heal * 1e6)
    about = FAULTS.get(kind)
    return FaultTimeline(
        number, kind, victim,
        strikes=about.strikes if about else "node", takes_memory=about.takes_memory if about else False,
        stays=about.stays if about else False,
        injected_us=us, observed_us=us + 20_000 if seen else None,
        healed_us=healed, observed_healed_us=None if healed is None else healed + 20_000, evidence=("seen",),
    )  # fmt: skip


def where(
    architecture: str,
    *strikes: FaultTimeline,
    limits: Limits = HOUR,
    fullest: dict[str, int] | None = None,
    **settings: Any,
) -> RunTimeline:
    """A scene with these faults, numbered in this order, and these limits."""
    numbered = tuple(msgspec.structs.replace(one, fault=number) for number, one in enumerate(strikes))
    limits = msgspec.structs.replace(limits, **settings)
    return msgspec.structs.replace(
        scene(architecture=architecture), faults=numbered, limits=limits, fullest=fullest or {}
    )


def out(
    home: str = "n2", now: str = "n2", at: float = 6.0, *, login: float = 0.0, known: Iterable[tuple[float, str]] = ()
) -> list[Exchange]:
    """Logged in at one node, known at others at those seconds, and answered as a stranger by a node later."""
    told = Story().at(login).login(home)
    for second, node in known:
        told.at(second).me({}, node=node)
    return told.at(at).stranger(node=now).exchanges


def only(records: Iterable[Record], at: RunTimeline) -> Loss:
    """The only loss."""
    (loss,) = losses(records, at)
    return loss


def cause(records: Iterable[Record], at: RunTimeline) -> str:
    """Its cause."""
    return only(records, at).cause


def faults(records: Iterable[Record], at: RunTimeline) -> set[int]:
    """The numbers of the faults that are named."""
    return {because.fault for because in only(records, at).because if because.fault is not None}
