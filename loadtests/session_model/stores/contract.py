"""The contract of a store's rules: whether an answer knows a shopper, and why a session outlives its end.

One file for each store, one class each. A rule says nothing about causes: it lists the harms that apply while some
factors are thought away (`Circumstances.without`), and `loadtests.session_model.counterfactual` finds the smallest set
of factors without which none does.
"""

from abc import ABC, abstractmethod
from typing import NamedTuple

from loadtests.faults.effects import FIRST, NodeFormat, OnNode
from loadtests.model.history import Exchange
from loadtests.session_model.circumstances import Circumstances, Factor, Harm, seen
from loadtests.session_model.life import SessionLife


class Outlived(NamedTuple):
    """A session that was used after its end: its login, the acknowledged end, and the answer that still knew it."""

    login: Exchange | None
    end: Exchange
    answer: Exchange


class StoreRules(ABC):
    """What a store knows."""

    held: str
    """Where a session is, in words; `{node}` stands for the node that opened it."""
    ids_can_be_planted = True
    """It keeps the id that a browser came with, if nobody gives it another one at login."""

    @abstractmethod
    def harms(self, life: SessionLife, answer: Exchange, around: Circumstances) -> list[Harm]:
        """Why that answer does not know the shopper; none: it does."""

    @abstractmethod
    def outlived(self, used: Outlived, around: Circumstances) -> list[Harm]:
        """Why a session is good after its end; none: it is not."""

    def cart_harms(self, last: Exchange, answer: Exchange, life: SessionLife, around: Circumstances) -> list[Harm]:
        """Why that answer, which knows the shopper, does not show the cart as `last` showed it; none: it does."""
        return []


class UnknownRules(StoreRules):
    """Nobody said where sessions live, so nothing can be said of why one is not known."""

    held = "nobody knows where"
    ids_can_be_planted = False

    def harms(self, life: SessionLife, answer: Exchange, around: Circumstances) -> list[Harm]:
        """None that anybody could prove."""
        return []

    def outlived(self, used: Outlived, around: Circumstances) -> list[Harm]:
        """The same."""
        return []


def written_back(used: Outlived, around: Circumstances) -> list[Harm]:
    """A request of that session was under way while it was ended, and may have written it again."""
    return around.left(seen("written_back", used.end.sent_us, sure=False)) if used.end.overlapped else []


def not_understood(written: Exchange, answer: Exchange, around: Circumstances) -> list[Harm]:
    """The node that answers does not know the name that the one which wrote the session gave to its user."""
    writer, reader = around.latest(NodeFormat, written), around.latest(NodeFormat, answer)
    # No change: the first version, as all nodes start with.
    fields = FIRST if reader is None else reader[1].reads
    field = FIRST[0] if writer is None else writer[1].writes
    return [] if field in fields else changed_by(writer, reader)


def cart_not_understood(written: Exchange, answer: Exchange, around: Circumstances) -> list[Harm]:
    """It takes the cart for what it is not."""
    writer, reader = around.latest(NodeFormat, written), around.latest(NodeFormat, answer)
    kept = "" if writer is None else writer[1].cart
    taken = "" if reader is None else reader[1].cart
    return [] if kept == taken else changed_by(writer, reader)


def changed_by(*changes: tuple[Factor, OnNode] | None) -> list[Harm]:
    """The harms of those changes; None: there was none."""
    # A set: whoever wrote and whoever reads may have been changed by one fault, which is one harm.
    found = {(factor, effect.from_us, effect.word) for factor, effect in filter(None, changes)}
    return [Harm(factor, word, at_us) for factor, at_us, word in sorted(found)]
