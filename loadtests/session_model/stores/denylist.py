"""A session that travels in a signed cookie, and a list in the store of those that were ended before their time."""

from itertools import chain

from loadtests.faults.effects import StoreEvicts, StoreGone, StoreRolledBack, WritesHang
from loadtests.model.history import Exchange
from loadtests.session_model.circumstances import Circumstances, Harm
from loadtests.session_model.life import US, SessionLife, clocks_off
from loadtests.session_model.stores.contract import Outlived
from loadtests.session_model.stores.token import TokenRules

LOST = "denylist_lost"


class DenylistRules(TokenRules):
    """The shopper holds it; the store holds its end."""

    held = "in the shopper's cookie, signed, unless the list in the store says that it was ended"

    def harms(self, life: SessionLife, answer: Exchange, around: Circumstances) -> list[Harm]:
        """As a token; and a logout everywhere, by a clock that is off, ends a login that came after it."""
        return [*super().harms(life, answer, around), *_ended_too_late(life, answer, around)]

    def outlived(self, used: Outlived, around: Circumstances) -> list[Harm]:
        """The list was lost or is away, or the login stands after the logout everywhere by somebody's clock."""
        lost = _list_lost(used.end, used.answer, around)
        return [*lost, *_remembered(used, around), *_issued_later(used, around)]


def _list_lost(end: Exchange, answer: Exchange, around: Circumstances) -> list[Harm]:
    """The store surely lost what it knew then; it may have thrown it out, or have become an older one."""
    since_us, until_us = end.sent_us, answer.done_us
    gone = around.during(StoreGone, since_us, until_us, word=LOST)
    for kind in (StoreEvicts, StoreRolledBack):
        gone += around.during(kind, since_us, until_us, word=LOST, sure=False)
    return gone


def _remembered(used: Outlived, around: Circumstances) -> list[Harm]:
    """The store was away, and the node still went by what that had said before the end."""
    answer, word = used.answer, "answer_remembered"
    # No answer is remembered for longer.
    if answer.sent_us - used.end.done_us >= around.run.limits.store_cache_s * US:
        return []
    away = (around.during(kind, answer.sent_us, answer.done_us, word=word) for kind in (WritesHang, StoreGone))
    return [*chain.from_iterable(away)]


def _ended_too_late(life: SessionLife, answer: Exchange, around: Circumstances) -> list[Harm]:
    """By the list, everything that was issued until the mark is ended: the login is, by the clocks of both nodes."""
    mark, opened = life.everywhere, life.opened
    # If the list itself is lost, the mark is, and ends nobody's login.
    if mark is None or opened is None or any(harm.sure for harm in _list_lost(mark, answer, around)):
        return []
    ended, issued = around.clock(mark.node, mark), around.clock(opened.node, opened)
    # Each side at its worst: the login as early and the mark as late as clocks and exchanges allow.
    perhaps = issued.earliest_us <= ended.latest_us
    return clocks_off((ended, issued), sure=issued.latest_us <= ended.earliest_us) if perhaps else []


def _issued_later(used: Outlived, around: Circumstances) -> list[Harm]:
    """By the clocks of both nodes, the login came after the logout everywhere, and so is not ended by it."""
    login, end = used.login, used.end
    if login is None or end.do != "logout_everywhere":
        return []
    issued, ended = around.clock(login.node, login), around.clock(end.node, end)
    perhaps = issued.latest_us > ended.earliest_us
    return clocks_off((issued, ended), sure=issued.earliest_us > ended.latest_us) if perhaps else []
