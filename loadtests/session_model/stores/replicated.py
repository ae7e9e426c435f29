"""A session of which every node has a copy: whoever answers knows it, unless all copies went, or its own is behind."""

from loadtests.faults.effects import CopyBehind, MemoryGone
from loadtests.model.history import Exchange
from loadtests.session_model.circumstances import Circumstances, Factor, Harm, setting
from loadtests.session_model.life import SessionLife, over_by_age
from loadtests.session_model.stores.contract import (
    Outlived,
    StoreRules,
    cart_not_understood,
    not_understood,
    written_back,
)
from loadtests.session_model.stores.memory import thrown_out


class ReplicatedRules(StoreRules):
    """Every node holds it."""

    held = "in the memory of every node"

    def harms(self, life: SessionLife, answer: Exchange, around: Circumstances) -> list[Harm]:
        """Whether anybody had it, whether this node had heard of it, and whether its time was over."""
        opened, known, written = life.opened, life.known, life.written
        if opened is None or known is None or written is None:
            return []
        found = copies_lost(opened, known, answer, around) + behind(opened, answer, around)
        found += over_by_age(life, answer, around, written.node, answer.node)
        found += thrown_out(answer.node, known, answer, around)
        found += not_understood(opened, answer, around)
        return found + _another(written, answer, around)

    def outlived(self, used: Outlived, around: Circumstances) -> list[Harm]:
        """The node that answers may not have heard of the end."""
        late = [harm._replace(sure=False) for harm in behind(used.end, used.answer, around)]
        return [*late, *_another(used.end, used.answer, around), *written_back(used, around)]

    def cart_harms(self, last: Exchange, answer: Exchange, life: SessionLife, around: Circumstances) -> list[Harm]:
        """The copy that was shown may be an older one."""
        unread = cart_not_understood(last, answer, around)
        return [*behind(last, answer, around), *unread, *_another(last, answer, around)]


def copies_lost(opened: Exchange, known: Exchange, answer: Exchange, around: Circumstances) -> list[Harm]:
    """The copies that went, if at some moment nobody had one any more: all that took one, until nobody had."""
    has = set(around.run.all_nodes)
    took: list[Harm] = []
    for at_us, back, node, factor, sure in _copies(opened, known, answer, around):
        if back:
            # Who comes back is given what somebody still has; of nothing there is no copy.
            has |= {node} if has else set()
        else:
            has.discard(node)
            took.append(Harm(factor, "copies_lost", at_us, sure))
            if not has and at_us < known.sent_us:  # somebody had one still: it was known after that
                has = {known.node}
            elif not has:
                return [harm._replace(sure=all(one.sure for one in took)) for harm in took]
    return []


def _copies(
    opened: Exchange, known: Exchange, answer: Exchange, around: Circumstances
) -> list[tuple[int, bool, str, Factor, bool]]:
    """What became of the copies, in order of time: when, whether one came back (or went), at which node, by what, and
    whether that surely was before the answer."""
    changes = []
    for factor, gone in around.of(MemoryGone):
        if gone.node in around.run.all_nodes and opened.done_us <= gone.back_us and gone.from_us <= answer.done_us:
            # A node that knew it before it was seen to be gone had its memory still.
            had_us = known.done_us if known.node == gone.node and known.sent_us <= gone.until_us else 0
            at_us = max(gone.from_us, opened.done_us, had_us)
            changes.append((at_us, False, gone.node, factor, gone.until_us <= answer.sent_us))
            if gone.back_us <= answer.done_us:
                changes.append((gone.back_us, True, gone.node, factor, True))
    for factor, copy in around.of(CopyBehind):  # who was deaf then never had one, and has it once it hears
        if copy.from_us <= opened.sent_us <= copy.deaf_until_us:
            changes.append((opened.done_us, False, copy.node, factor, True))
            if not around.ended(copy.node, copy.from_us, copy.deaf_until_us):
                changes.append((copy.deaf_until_us, True, copy.node, factor, True))
    return sorted(changes)


def behind(written: Exchange, answer: Exchange, around: Circumstances) -> list[Harm]:
    """The node that answers was deaf when this was written elsewhere, and has not caught up."""
    return [
        Harm(factor, copy.word, copy.from_us)
        for factor, copy in around.at(CopyBehind, answer.node)
        if copy.from_us <= written.sent_us <= copy.deaf_until_us
        and answer.sent_us <= copy.until_us
        and not around.ended(answer.node, copy.from_us, answer.sent_us)
    ]


def _another(written: Exchange, answer: Exchange, around: Circumstances) -> list[Harm]:
    """Another node wrote it: this one's copy may be behind for reasons that nobody saw."""
    # Always possible, a heartbeat long, and so never sure: it is named only where nothing else explains the loss.
    return around.left(setting("other_node", sure=False)) if answer.node not in ("", written.node) else []
