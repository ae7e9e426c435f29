"""The contract of a check: it reads the history and names losses of one kind, each with a witness and a cause.

A check never decides alone what a shopper may expect: `loadtests.judging.memory` does, for live shoppers and checks
alike. What a check adds is the proof. The smallest one is `wrong_user.py`. A check that raises is *unknown*,
never a pass: `loadtests.judging.replay` catches it and the verdict says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from loadtests.history import Exchange, StoredOrder
from loadtests.judging.memory import Finding
from loadtests.judging.person import Person, Promise
from loadtests.judging.scene import Scene
from loadtests.results import Loss, LossKind, WitnessEvent


class Check:
    """One kind of loss. A check overrides what it needs to hear of; it is told everything in the history's order."""

    kind: ClassVar[LossKind]
    rule: ClassVar[str]
    """When it accuses, in one sentence for the reference."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.losses: list[Loss] = []

    def contradicted(self, person: Person, exchange: Exchange, finding: Finding) -> None:
        """An answer contradicts what had been acknowledged, with a finding of this check's kind.

        The exchanges that `person` keeps are still those from before this one.
        """

    def stored(self, order: StoredOrder, checkout: Exchange | None) -> None:
        """The database holds this order; `checkout` is the request that it says it was made by (None: nobody's)."""

    def promised(self, promise: Promise, order: StoredOrder | None) -> None:
        """An order was acknowledged, and this is what the database holds under its number (None: nothing)."""

    def close(self) -> None:
        """The history has ended."""

    def lose(self, exchange: Exchange, cause: str, witness: Iterable[WitnessEvent | None], *, items: int = 0) -> None:
        """Name a loss that this exchange showed; witnesses that do not exist are left out."""
        proof = tuple(event for event in witness if event is not None)
        at_ms = exchange.done_us / 1000
        self.losses.append(Loss(self.kind, exchange.shopper, at_ms, exchange.node, cause, proof, items))
