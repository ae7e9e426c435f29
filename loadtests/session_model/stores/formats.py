"""Nodes of different versions: what one has written, another does not understand."""

from __future__ import annotations

from loadtests.faults.effects import FIRST, NodeFormat
from loadtests.model.history import Exchange
from loadtests.session_model.circumstances import Circumstances, Factor, Harm, Without

Change = tuple[Factor, NodeFormat]


def not_understood(written: Exchange, answer: Exchange, around: Circumstances, without: Without) -> list[Harm]:
    """The node that answers does not know the name that the one which wrote the session gave to its user."""
    writer, reader = _version(written, around, without), _version(answer, around, without)
    # No change: the first version, as all nodes start with.
    fields = FIRST if reader is None else reader[1].reads
    field = FIRST[0] if writer is None else writer[1].writes
    return [] if field in fields else _of(writer, reader)


def cart_not_understood(written: Exchange, answer: Exchange, around: Circumstances, without: Without) -> list[Harm]:
    """It takes the cart for what it is not."""
    writer, reader = _version(written, around, without), _version(answer, around, without)
    kept = "" if writer is None else writer[1].cart
    taken = "" if reader is None else reader[1].cart
    return [] if kept == taken else _of(writer, reader)


def _version(exchange: Exchange, around: Circumstances, without: Without) -> Change | None:
    """The version of that node at that moment, and whose doing it is; None: the first."""
    changes = [
        change for change in around.at(NodeFormat, exchange.node, without) if change[1].from_us <= exchange.done_us
    ]
    return max(changes, key=lambda change: change[1].from_us, default=None)


def _of(*changes: Change | None) -> list[Harm]:
    # A set: writer and reader may have been changed by one fault, which is one harm.
    found = {(factor, effect.from_us, effect.word) for factor, effect in filter(None, changes)}
    return [Harm(factor, word, at_us) for factor, at_us, word in sorted(found)]
