"""A session in a store that all nodes share: whoever answers knows it, as long as the store has it."""

from loadtests.faults.effects import ReplicaBehind, StoreEvicts, StoreGone, StoreRolledBack, WritesHang
from loadtests.model.history import Exchange
from loadtests.session_model.circumstances import TIME, Circumstances, Harm
from loadtests.session_model.life import SessionLife, lifetime_over
from loadtests.session_model.stores.contract import (
    Outlived,
    StoreRules,
    cart_not_understood,
    not_understood,
    written_back,
)


class RedisRules(StoreRules):
    """The store holds it."""

    held = "in the session store"

    def harms(self, life: SessionLife, answer: Exchange, around: Circumstances) -> list[Harm]:
        """Whether the store lost it, and whether its time was over: by the store's clock, which nobody touches."""
        if life.opened is None or life.known is None:
            return []
        # A renewal matters only where the store still has the session: what is gone needs no renewing.
        gone = lost(life.opened, life.known, answer, around) or renewal_lost(life, answer, around)
        return [*gone, *lifetime_over(life, answer, around), *not_understood(life.opened, answer, around)]

    def outlived(self, used: Outlived, around: Circumstances) -> list[Harm]:
        """A store that became an older one has it again."""
        return [*rolled_back(used.end, used.end, used.answer, around), *written_back(used, around)]

    def cart_harms(self, last: Exchange, answer: Exchange, life: SessionLife, around: Circumstances) -> list[Harm]:
        """The store became an older one, or a write that had hung undid a newer one."""
        gone = lost(last, last, answer, around)
        unread = cart_not_understood(last, answer, around)
        # The first that applies: that a write comes late is seen by nobody, so it is asked for last.
        return gone or unread or came_late(last, answer, life, around)


class SharedRules(RedisRules):
    """The same of a place of the application's own."""

    held = "in a place that all nodes share"


def lost(written: Exchange, known: Exchange, answer: Exchange, around: Circumstances) -> list[Harm]:
    """What was written then, and last seen to be there, the store has no more."""
    found = [
        Harm(factor, gone.word, gone.from_us, written.done_us <= gone.from_us and gone.until_us <= answer.sent_us)
        for factor, gone in around.of(StoreGone)
        if gone.overlaps(known.sent_us, answer.done_us)
    ]
    found += rolled_back(written, known, answer, around)
    return found + around.during(StoreEvicts, known.sent_us, answer.done_us, sure=False)


def rolled_back(written: Exchange, known: Exchange, answer: Exchange, around: Circumstances) -> list[Harm]:
    """A replica took the place of the store, and had not heard of it.

    Where the replica had been cut off, either fault alone would have done no harm: both are harms.
    """
    found = []
    for factor, back in around.of(StoreRolledBack):
        if not back.overlaps(known.sent_us, answer.done_us):
            continue
        cut = [
            Harm(cutter, missed.word, missed.from_us)
            for cutter, missed in around.of(ReplicaBehind)
            if missed.from_us <= written.sent_us and missed.overlaps(back.from_us, back.from_us)
        ]
        # Both are needed: a replica that had heard everything would have taken over without a loss.
        if cut:
            found += [Harm(factor, back.word, back.from_us), *cut]
        # Without a cut it may have been behind by no more than it usually is.
        elif written.done_us >= back.from_us - back.lag_us:
            found.append(Harm(factor, back.word, back.from_us, sure=False))
    return found


def renewal_lost(life: SessionLife, answer: Exchange, around: Circumstances) -> list[Harm]:
    """A replica took the place of the store that knew the session, and had not heard that it was written again since.

    What it had may have been over: that would have been good for a lifetime from some earlier write.
    """
    opened, written = life.opened, life.written
    if (
        opened is None
        or written is None
        or answer.done_us < opened.sent_us + around.lifetime_us
        or TIME in around.without
    ):
        return []
    behind = rolled_back(written, written, answer, around)
    return [harm._replace(sure=False) for harm in behind]


def came_late(last: Exchange, answer: Exchange, life: SessionLife, around: Circumstances) -> list[Harm]:
    """What had hung on its way to the store got through in between: the way was free again."""
    hung = life.hung
    return [
        Harm(factor, hangs.word, hangs.from_us, sure=False)
        for factor, hangs in around.of(WritesHang)
        if hung is not None
        and hangs.from_us <= hung.done_us and hung.sent_us <= hangs.freed_us
        and last.sent_us <= hangs.freed_us <= answer.done_us
    ]  # fmt: skip
