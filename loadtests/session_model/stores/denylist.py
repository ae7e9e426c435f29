"""A session that travels in a signed cookie, and a list in the store of those that were ended before their time."""

from __future__ import annotations

from loadtests.faults.effects import StoreEvicts, StoreGone, StoreRolledBack, WritesHang
from loadtests.model.history import Exchange
from loadtests.session_model.circumstances import Circumstances, Harm, Without
from loadtests.session_model.life import US, SessionLife, clocks_off
from loadtests.session_model.stores.contract import Outlived, StoreRules
from loadtests.session_model.stores.token import TokenRules

LOST = "denylist_lost"


class DenylistRules(TokenRules, StoreRules):
    """The shopper holds it; the store holds its end."""

    def harms(self, life: SessionLife, answer: Exchange, around: Circumstances, without: Without) -> list[Harm]:
        """As a token; and a logout everywhere, by a clock that is off, ends a login that came after it."""
        return [*super().harms(life, answer, around, without), *_ended_too_late(life, answer, around, without)]

    def outlived(self, used: Outlived, around: Circumstances, without: Without) -> list[Harm]:
        """The list was lost or is away, or the login stands after the logout everywhere by somebody's clock."""
        lost = _list_lost(used.end, used.answer, around, without)
        return [*lost, *_remembered(used, around, without), *_issued_later(used, around, without)]


def _list_lost(end: Exchange, answer: Exchange, around: Circumstances, without: Without) -> list[Harm]:
    """The store surely lost what it knew then; it may have thrown it out, or have become an older one."""
    gone = [
        Harm(factor, LOST, effect.from_us)
        for factor, effect in around.of(StoreGone, without)
        if end.sent_us <= effect.until_us and effect.from_us <= answer.done_us
    ]
    for kind in (StoreEvicts, StoreRolledBack):
        gone += [
            Harm(factor, LOST, effect.from_us, sure=False)
            for factor, effect in around.of(kind, without)
            if effect.overlaps(end.sent_us, answer.done_us)
        ]
    return gone


def _remembered(used: Outlived, around: Circumstances, without: Without) -> list[Harm]:
    """The store was away, and the node still went by what that had said before the end."""
    late_us = used.answer.sent_us - used.end.done_us
    # No answer is remembered for longer.
    if late_us >= around.run.limits.store_cache_s * US:
        return []
    return [
        Harm(factor, "answer_remembered", effect.from_us)
        for kind in (WritesHang, StoreGone)
        for factor, effect in around.of(kind, without)
        if effect.overlaps(used.answer.sent_us, used.answer.done_us)
    ]


def _ended_too_late(life: SessionLife, answer: Exchange, around: Circumstances, without: Without) -> list[Harm]:
    """By the list, everything that was issued until the mark is ended: the login is, by the clocks of both nodes."""
    mark, opened = life.everywhere, life.opened
    # If the list itself is lost, the mark is, and ends nobody's login.
    if mark is None or opened is None or any(harm.sure for harm in _list_lost(mark, answer, around, without)):
        return []
    ended = around.clock(mark.node, mark, without)
    issued = around.clock(opened.node, opened, without)
    if not ended.off and not issued.off:
        return []
    surely = opened.done_us + issued.most * US <= mark.sent_us + ended.least * US
    # Each side at its worst: the login as early and the mark as late as clocks and exchanges allow.
    perhaps = opened.sent_us + issued.least * US <= mark.done_us + ended.most * US
    return clocks_off((ended, issued), sure=surely) if perhaps else []


def _issued_later(used: Outlived, around: Circumstances, without: Without) -> list[Harm]:
    """By the clocks of both nodes, the login came after the logout everywhere, and so is not ended by it."""
    login, end = used.login, used.end
    if login is None or end.do != "logout_everywhere":
        return []
    issued, ended = around.clock(login.node, login, without), around.clock(end.node, end, without)
    if not ended.off and not issued.off:
        return []
    surely = login.sent_us + issued.least * US > end.done_us + ended.most * US
    perhaps = login.done_us + issued.most * US > end.sent_us + ended.least * US
    return clocks_off((issued, ended), sure=surely) if perhaps else []
