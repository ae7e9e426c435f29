"""A session that travels in a signed cookie: whoever accepts the key and finds its time right knows it."""

from compose.cluster import Key
from loadtests.faults.effects import KeyOfItsOwn, NodeSigns
from loadtests.model.history import Exchange
from loadtests.session_model.circumstances import Circumstances, Harm, setting
from loadtests.session_model.life import US, SessionLife, clocks_off, over_by_age
from loadtests.session_model.stores.contract import (
    Outlived,
    StoreRules,
    cart_not_understood,
    changed_by,
    not_understood,
)


class TokenRules(StoreRules):
    """The shopper holds it."""

    held = "in the shopper's cookie, signed"
    ids_can_be_planted = False

    def harms(self, life: SessionLife, answer: Exchange, around: Circumstances) -> list[Harm]:
        """The key, the age, and whether it comes from the future."""
        written = life.written
        if written is None:
            return []
        return [
            *refused_key(written, answer, around),
            *not_understood(life.opened or written, answer, around),
            *over_by_age(life, answer, around, written.node, answer.node),
            *from_the_future(written, answer, around),
        ]

    def cart_harms(self, last: Exchange, answer: Exchange, life: SessionLife, around: Circumstances) -> list[Harm]:
        """Another version took the cart for what it is not."""
        return cart_not_understood(last, answer, around)

    def outlived(self, used: Outlived, around: Circumstances) -> list[Harm]:
        """Nobody is asked."""
        return around.left(setting("not_revoked"))


def signing_key(written: Exchange, around: Circumstances) -> Key:
    """With which key the node that answered then signed."""
    change = around.latest(NodeSigns, written)
    return change[1].key if change else "own"


def refused_key(written: Exchange, answer: Exchange, around: Circumstances) -> list[Harm]:
    """The token was signed with a key that the node that answers does not accept."""
    reader = around.latest(NodeSigns, answer)
    # Accepted by name; but where each process has a key of its own, a name says nothing.
    if signing_key(written, around) in (reader[1].accepts if reader else ("own",)):
        return _own_keys(written, answer, around)
    # Whoever changed its keys, the node that signed, the one that reads, or both, had a hand in it.
    return changed_by(around.latest(NodeSigns, written), reader)


def _own_keys(written: Exchange, answer: Exchange, around: Circumstances) -> list[Harm]:
    """Each process has a key of its own, which no other node accepts, nor another process of the same."""
    own = [(factor, it) for factor, it in around.of(KeyOfItsOwn) if it.from_us <= answer.done_us]
    same = written.node == answer.node
    # One process, one key.
    if same and around.run.limits.node_workers == 1:
        return []
    return [Harm(factor, effect.word, effect.from_us, sure=not same) for factor, effect in own]


def from_the_future(written: Exchange, answer: Exchange, around: Circumstances) -> list[Harm]:
    """By the clock of the node that answers, the token is signed later than now, and by more than the leeway."""
    wrote, reads = around.clock(written.node, written), around.clock(answer.node, answer)
    leeway_us = around.run.limits.clock_leeway_s * US
    # Tokens note whole seconds, of both clocks.
    least_us = _whole(wrote.earliest_us, around) - _whole(reads.latest_us, around)
    most_us = _whole(wrote.latest_us, around) - _whole(reads.earliest_us, around)
    return clocks_off((wrote, reads), sure=least_us > leeway_us) if most_us > leeway_us else []


def _whole(at_us: float, around: Circumstances) -> int:
    return around.second_us(int(at_us))
