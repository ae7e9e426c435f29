"""A session in an access token that is soon over, renewed by a refresh token that is good for one use."""

from loadtests.faults.effects import ClockOff, KeyOfItsOwn, NodeSigns
from loadtests.model.history import Exchange
from loadtests.session_model.circumstances import Circumstances, Harm, seen, setting
from loadtests.session_model.life import US, SessionLife, lifetime_over
from loadtests.session_model.stores.contract import Outlived, StoreRules, cart_not_understood, not_understood
from loadtests.session_model.stores.redis import lost, rolled_back
from loadtests.session_model.stores.token import refused_key
from loadtests.session_model.token_trail import TokenTrail, TokenUse


class RefreshRules(StoreRules):
    """The shopper holds it for a short time; then its family must still be there, and its token unused.

    A node that does not accept the access token (its key, its clock) asks for the refresh token, and knows the shopper.
    """

    held = "in the shopper's cookie, signed, for a short time; what renews it is in the store"
    ids_can_be_planted = False

    def harms(self, life: SessionLife, answer: Exchange, around: Circumstances) -> list[Harm]:
        """Whether the family is still there, whether its time is over, and who used its token before."""
        opened, written = life.opened, life.written
        if opened is None or written is None:
            return []
        # The family is written at login and at each renewal; an older store may have the login and not the renewal.
        gone = lost(opened, opened, answer, around) or rolled_back(written, written, answer, around)
        used = [] if life.tokens is None else used_twice(life.tokens, answer, around)
        return [*gone, *lifetime_over(life, answer, around), *used, *not_understood(opened, answer, around)]

    def outlived(self, used: Outlived, around: Circumstances) -> list[Harm]:
        """Nobody is asked until the access token is over; a store that became an older one has the family again."""
        access_us = round(around.run.limits.access_lifetime_s * US)
        found = rolled_back(used.end, used.end, used.answer, around)
        # From then on the access token that was issued last before the end cannot be good any more.
        over = used.answer.sent_us >= used.end.done_us + access_us
        return found if over else found + around.left(setting("access_token_good"))

    def cart_harms(self, last: Exchange, answer: Exchange, life: SessionLife, around: Circumstances) -> list[Harm]:
        """The cart is in the access token: a node that does not accept its key has the shopper's name alone, and makes
        a new one without the cart. That may have been the answer to a request in between, which showed no cart."""
        between = [] if life.tokens is None else life.tokens.recent
        carried = [each for each in between if last.done_us <= each.sent_us and each.done_us <= answer.sent_us]
        refused = (refused_key(last, each, around) for each in (*carried, answer))
        return next((found for found in refused if found), []) or cart_not_understood(last, answer, around)


class RefreshDatabaseRules(RefreshRules):
    """The same, its family in the database."""

    held = "in the shopper's cookie, signed, for a short time; what renews it is in the database"


def used_twice(trail: TokenTrail, answer: Exchange, around: Circumstances) -> list[Harm]:
    """A refresh token was used a second time, and that ended its family."""
    last = trail.use_by(answer)
    uses = [*trail.uses, *([last] if last else [])]
    grace_us = round(around.run.limits.refresh_grace_s * US)
    found = [
        harm
        for number, later in enumerate(uses)
        for earlier in uses[:number]
        if earlier.issue == later.issue and (harm := _second_use(earlier, later, grace_us)) is not None
    ]
    alone = last is not None and not any(use.issue == last.issue for use in trail.uses)
    if last is not None and alone and answer.beside:  # the other one's answer is still to come
        found = [seen("refresh_race", answer.sent_us, sure=last.sure and not grace_us)]
    recent = [*trail.recent, answer]
    # A node that refuses good access tokens makes requests show their refresh token before its time.
    if not found and _refused_early(around):
        found = [
            seen("refresh_race", later.sent_us, sure=False)
            for number, later in enumerate(recent)
            for earlier in recent[:number]
            if later.sent_us < earlier.done_us
        ]
    # Reversed, so that the earliest of each factor is the one that stays.
    left = around.left(*reversed(found))
    surely = {harm.factor: harm for harm in left if harm.sure}
    return list((surely or {harm.factor: harm for harm in left}).values())


def _second_use(one: TokenUse, other: TokenUse, grace_us: int) -> Harm | None:
    """The harm of these two uses of one token; None: the second one surely came within the grace window."""
    earlier, later = sorted((one, other), key=lambda use: use.exchange.sent_us)
    apart_us = later.exchange.sent_us - earlier.exchange.done_us
    at_most_us = max(one.exchange.done_us, other.exchange.done_us) - earlier.exchange.sent_us
    if grace_us and at_most_us <= grace_us:
        return None
    sure = one.sure and other.sure and (not grace_us or apart_us > grace_us)
    word = "refresh_race"
    if {one.exchange.jar, other.exchange.jar} != {"main"}:
        word = "refresh_stolen"
    # The first use was answered to nobody: the browser still had the old token and had to show it again.
    elif not 0 < earlier.exchange.status < 500:
        word = "refresh_answer_lost"
    return seen(word, later.exchange.sent_us, sure=sure)


def _refused_early(around: Circumstances) -> bool:
    """Nodes may have refused access tokens that were not over: by another key, or by another clock."""
    return any(True for kind in (NodeSigns, KeyOfItsOwn, ClockOff) for _ in around.of(kind))
