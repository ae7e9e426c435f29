"""The contract of a store's rules: whether an answer knows a shopper, and why a session outlives its end.

One file for each store, one class each. A rule says nothing about causes: it lists the harms that apply while some
factors are thought away (`without`), and `loadtests.session_model.counterfactual` finds the smallest set of factors
without which none does.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

from loadtests.model.history import Exchange
from loadtests.session_model.circumstances import Circumstances, Factor, Harm, Without
from loadtests.session_model.life import SessionLife


class Outlived(NamedTuple):
    """A session that was used after its end: its login, the acknowledged end, and the answer that still knew it."""

    login: Exchange | None
    end: Exchange
    answer: Exchange


class StoreRules(ABC):
    """What a store knows."""

    ids_can_be_planted = True
    """It keeps the id that a browser came with, if nobody gives it another one at login."""

    @abstractmethod
    def harms(self, life: SessionLife, answer: Exchange, around: Circumstances, without: Without) -> list[Harm]:
        """Why that answer does not know the shopper; none: it does."""

    @abstractmethod
    def outlived(self, used: Outlived, around: Circumstances, without: Without) -> list[Harm]:
        """Why a session is good after its end; none: it is not."""

    def cart_harms(
        self, last: Exchange, answer: Exchange, life: SessionLife, around: Circumstances, without: Without
    ) -> list[Harm]:
        """Why that answer, which knows the shopper, does not show the cart as `last` showed it; none: it does."""
        return []


class UnknownRules(StoreRules):
    """Nobody said where sessions live, so nothing can be said of why one is not known."""

    def harms(self, life: SessionLife, answer: Exchange, around: Circumstances, without: Without) -> list[Harm]:
        """None that anybody could prove."""
        return []

    def outlived(self, used: Outlived, around: Circumstances, without: Without) -> list[Harm]:
        """The same."""
        return []


def written_back(used: Outlived, without: Without) -> list[Harm]:
    """A request of that session was under way while it was ended, and may have written it again."""
    back = Factor("seen", "written_back")
    return [Harm(back, back.name, used.end.sent_us, sure=False)] if used.end.overlapped and back not in without else []
