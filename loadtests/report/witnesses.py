"""The losses as a reader meets them: by cause, over all architectures; the first of each told, more of them listed."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

import msgspec

from loadtests.checks import CAUSES, CHECKS
from loadtests.model.application import can_of
from loadtests.model.results import ArchitectureResult, Loss
from loadtests.report.summary import loss_id
from loadtests.session_model.causes import cause_in_words, meaning_of
from shared.plurals import inflected

LISTED = 25
"""Of each architecture, besides the first ones."""
OPEN = 1
"""The most frequent causes, whose first loss is told at once: with more, seven architectures make a phone scroll."""


class ToldLoss(msgspec.Struct, frozen=True):
    """One loss with its id on the page."""

    id: str
    sentence: str
    architecture: str
    loss: Loss
    traced: bool = False
    """Its trace ids are told, for whoever has a tracing of their own."""


class CauseOfLosses(msgspec.Struct, frozen=True):
    """All losses that have one cause."""

    cause: str
    """In words, short."""
    why: str
    """In a sentence."""
    total: int
    tolls: dict[str, dict[str, int]]
    """What it took from each architecture: how many, by what a number of the table is called."""
    firsts: tuple[ToldLoss, ...]
    """Of each kind in each architecture: whatever the table links to is told."""


class MoreLosses(msgspec.Struct, frozen=True):
    """Further losses of one architecture; the rest are counted."""

    architecture: str
    listed: tuple[ToldLoss, ...]
    total: int
    left_out: int
    """How many are only in results.json."""


def causes_of(architectures: Mapping[str, ArchitectureResult]) -> tuple[CauseOfLosses, ...]:
    """What was lost, by cause; the most frequent one first."""
    of: dict[str, list[ToldLoss]] = {}
    for name, result in architectures.items():
        for number, loss in enumerate(result.losses):
            of.setdefault(loss.cause, []).append(told_loss(name, number, result))
    found = [_cause(cause, losses) for cause, losses in of.items()]
    return tuple(sorted(found, key=lambda it: -it.total))  # stable: equal ones stay in the order of the run


def _cause(cause: str, losses: list[ToldLoss]) -> CauseOfLosses:
    firsts: dict[tuple[str, str], ToldLoss] = {}
    tolls: dict[str, dict[str, int]] = defaultdict(Counter)
    for it in losses:
        firsts.setdefault((it.architecture, it.loss.kind), it)
        tolls[it.architecture][it.loss.kind] += 1
    return CauseOfLosses(
        cause=cause_in_words(cause),
        why=meaning_of(cause, CAUSES),
        total=len(losses),
        tolls={name: dict(_called(toll)) for name, toll in tolls.items()},
        firsts=tuple(firsts.values()),
    )


def _called(toll: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    for kind, count in toll.items():
        check = CHECKS[kind]
        yield inflected(check.singular, count, check.plural), count


def more_losses(name: str, result: ArchitectureResult) -> MoreLosses:
    """What `causes_of` does not tell of one architecture."""
    # Chosen as `causes_of` does, so that each loss stands on the page once.
    first: dict[tuple[str, str], int] = {}
    for number, loss in enumerate(result.losses):
        first.setdefault((loss.cause, loss.kind), number)
    told_already = set(first.values())
    rest = [number for number in range(len(result.losses)) if number not in told_already]
    listed = tuple(told_loss(name, number, result) for number in rest[:LISTED])
    return MoreLosses(name, listed, len(result.losses), len(rest) - len(listed))


def told_loss(name: str, number: int, result: ArchitectureResult) -> ToldLoss:
    """That loss; `number` is its index in results.json."""
    loss = result.losses[number]
    where = f"shown by {loss.node}" if loss.node else "found in the database"
    sentence = f"Shopper {loss.shopper} {CHECKS[loss.kind].happened} at {loss.at_ms / 1000:.2f} s, {where}"
    return ToldLoss(loss_id(name, number), sentence, name, loss, traced=not can_of(result.facts).logs_requests)
