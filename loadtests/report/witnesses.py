"""The losses of one architecture as a reader meets them: up to three told, more listed, the rest counted."""

from __future__ import annotations

import msgspec

from loadtests.judging.causes import CAUSES
from loadtests.report.summary import COLUMNS, loss_id
from loadtests.results import ArchitectureResult, Loss

TOLD = 3
LISTED = 25

KINDS = {
    "logged_out": "was logged out",
    "cart_lost": "lost the whole cart",
    "items_lost": "lost items from the cart",
    "cart_rolled_back": "was shown an older cart",
    "wrong_user": "was shown somebody else's name or cart",
    "order_duplicated": "got two orders from one checkout",
    "order_lost": "lost an order",
    "still_logged_in": "could still be impersonated after logging out",
    "session_shared": "shared the login with whoever had planted the session",
}


class Told(msgspec.Struct, frozen=True):
    """One loss with its id on the page."""

    id: str
    sentence: str
    loss: Loss

    @property
    def cause(self) -> str:
        """The cause in words, short."""
        return self.loss.cause.replace("_", " ")

    @property
    def why(self) -> str:
        """The cause in a sentence."""
        return CAUSES.get(self.loss.cause, "")


class Witnesses(msgspec.Struct, frozen=True):
    """The losses of one architecture."""

    told: tuple[Told, ...]
    listed: tuple[Told, ...]
    total: int

    @property
    def left_out(self) -> int:
        """How many are only in results.json."""
        return self.total - len(self.told) - len(self.listed)


def witnesses(name: str, result: ArchitectureResult) -> Witnesses:
    """The first loss that each number of the table points to comes first; then the first of each kind and cause."""
    told = _chosen(result)
    rest = [number for number in range(len(result.losses)) if number not in told][:LISTED]
    return Witnesses(
        tuple(_told(name, number, result.losses[number]) for number in told),
        tuple(_told(name, number, result.losses[number]) for number in rest),
        len(result.losses),
    )


def _chosen(result: ArchitectureResult) -> list[int]:
    """What the table links to must be on the page; beyond that, different kinds and causes, up to TOLD."""
    first_of: dict[tuple[str, ...], int] = {}
    for number, loss in enumerate(result.losses):
        for column in COLUMNS:
            if loss.kind in column.losses:
                first_of.setdefault(("column", column.key), number)
        first_of.setdefault(("kind", loss.kind, loss.cause), number)
    linked = {number for key, number in first_of.items() if key[0] == "column"}
    others = [number for number in [*first_of.values(), *range(min(len(result.losses), TOLD))] if number not in linked]
    return sorted(linked | set(dict.fromkeys(others[: max(0, TOLD - len(linked))])))


def _told(name: str, number: int, loss: Loss) -> Told:
    where = f"shown by {loss.node}" if loss.node else "found in the database"
    sentence = f"Shopper {loss.shopper} {KINDS[loss.kind]} at {loss.at_ms / 1000:.2f} s, {where}"
    return Told(loss_id(name, number), sentence, loss)
