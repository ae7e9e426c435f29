"""Why something was lost: a closed table of causes, and for each loss the counterfactual that names some of them.

A cause is named only if the same answer would have known the shopper, or shown the cart, without it. What nothing
explains is `unexplained`, with what was considered. docs/explanation/causes.md defines all of it. Where it is decided:

    circumstances.py   which factors there were: effects of faults, time, settings; and what would be without some
    stores/            what each store makes of them: why that answer does not know the shopper (its harms)
    counterfactual.py  the smallest set of factors without which it would have
    here               the words for it, and in which order explanations are asked for
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

import msgspec

from loadtests.faults import FAULTS
from loadtests.faults.effects import Effect, NodeEnds, OnNode, PagesKept, RepeatsRequests
from loadtests.model.fault_timeline import FaultTimeline
from loadtests.model.history import ENDS_SESSION, Exchange
from loadtests.model.results import Because, Cause
from loadtests.session_model.circumstances import Circumstances, Factor, Harm, Without, seen, setting
from loadtests.session_model.counterfactual import (
    UNEXPLAINED,
    Explanation,
    counterfactual_in_words,
    explain_by,
    seconds,
)
from loadtests.session_model.life import SessionLife, good_until
from loadtests.session_model.shopper_trace import AcknowledgedOrder, ShopperTrace
from loadtests.session_model.stores import Outlived, rules_of
from loadtests.session_model.stores.contract import cart_not_understood
from loadtests.session_model.timeline import RunTimeline

OF_RULES = (
    Cause("expired", "The session's lifetime was over."),
    Cause(
        "other_node",
        "Another node answered than the one that holds the session in its memory, and it does not know it.",
    ),
    Cause("held_for_dead", "The balancer took the node that holds the session for dead, although it lived."),
    Cause("copies_lost", "Every node that had a copy of the session was gone before another one had got it."),
    Cause("session_gone_with_login", "The cart was part of the session that was lost with the login before."),
    Cause(
        "cookie_too_large",
        "The cookie that carries the cart had grown beyond 4,096 bytes; browsers ignore such a one.",
    ),
    Cause("refreshed_by_slow_page", "A slow page, begun before the write, saved the session as it was then."),
    Cause("overlapping_write", "Two writes of the shopper overlapped, and the one saved over the other."),
    Cause("fixation", "The session was opened by somebody else, and the login kept its id."),
    Cause("not_revoked", "The session travels with the shopper, and no node asks whether it was ended."),
    Cause("denylist_lost", "The session travels with the shopper, and the list that said that it was ended was lost."),
    Cause(
        "answer_remembered", "The store was away, and the node went by its last answer: the session had not ended then."
    ),
    Cause("node_not_told", "The session is in the memory of a node that nobody told of its end."),
    Cause("access_token_good", "The access token was not over yet, and nobody asks whether its session was ended."),
    Cause("error_taken_for_logout", "The shopper's client took an error for a logout, and threw its cookies away."),
    Cause(
        "refresh_race", "Two requests of one browser showed the same refresh token; its second use ends the session."
    ),
    Cause("refresh_stolen", "Somebody else showed the shopper's refresh token; its second use ends the session."),
    Cause(
        "refresh_answer_lost",
        "The answer with the new refresh token did not arrive; the second use of the old one ends the session.",
    ),
    Cause("written_back", "A request of the session was under way while it was ended, and wrote it again."),
    Cause("unexplained", "Nothing that the events or the answers show explains it."),
)
"""The words that no fault declares."""
CAUSES: dict[str, str] = {
    cause.name: cause.meaning for cause in (*(cause for fault in FAULTS.values() for cause in fault.causes), *OF_RULES)
}
"""Every word of a cause, and what it means. A cause may be several: see `words_of`."""


def words_of(cause: str) -> tuple[str, ...]:
    """The words of a cause: "node_killed+expired" has two, needed together; "|" stands between alternatives."""
    return tuple(dict.fromkeys(re.split(r"[+|]", cause)))


def cause_in_words(cause: str) -> str:
    """A cause for reading: "node killed, together with expired"; "store lost, or not replicated"."""
    return cause.replace("_", " ").replace("+", ", together with ").replace("|", ", or ")


def meaning_of(cause: str, meanings: Mapping[str, str]) -> str:
    """What a cause means, in a sentence for each of its words; "" for one that this version does not know."""
    return " ".join(meanings[word] for word in words_of(cause) if word in meanings)


Turn = Callable[[Circumstances], list[Harm]]
"""Harms of one kind, under circumstances of which some factors are thought away."""


class Reason(msgspec.Struct, frozen=True):
    """Why something was lost."""

    cause: str = "unexplained"
    because: tuple[Because, ...] = ()
    counterfactual: str = ""
    considered: tuple[str, ...] = ()
    faults: tuple[FaultTimeline, ...] = ()
    """The faults in it, in order of time."""


def reason_of_logout(around: Circumstances, life: SessionLife, answer: Exchange) -> Reason:
    """Why this answer did not know a shopper whose login was acknowledged."""
    # Its cluster was never ready: nothing says by which rules a session would have been kept.
    if around.run.store is None:
        return Reason()
    explanation = _explained(around, [partial(harms_of_end, life, answer)])
    if not explanation.alternatives:
        return Reason(considered=considered(around, life, answer))
    return _reason(around, explanation, _until(around, life, explanation), _lifetime(life))


def harms_of_end(life: SessionLife, answer: Exchange, around: Circumstances) -> list[Harm]:
    """Why that answer does not know the shopper; a logout may have met its own end, if it was asked for twice."""
    found = [*rules_of(around.run).harms(life, answer, around), *kept_pages(life, answer, around)]
    # The client's doing and no store's, so it stands beside the rules of all of them.
    if life.gave_up is not None:
        found += around.left(seen("error_taken_for_logout", life.gave_up.done_us))
    return found + repeated(answer, answer, around) if answer.do in ENDS_SESSION else found


def reason_of_cart_loss(around: Circumstances, person: ShopperTrace, answer: Exchange) -> Reason:
    """Why this answer showed another cart than the acknowledged one: the first that applies."""
    if person.out is not None:
        # By the session as it was then: the present one began with a login after the loss.
        gone = reason_of_logout(around, person.out_life or person.life, person.out)
        return msgspec.structs.replace(gone, cause="session_gone_with_login", considered=())
    last = person.cart or person.login
    explanation = _explained(around, _about_cart(around.run, person, last, answer) if last else ())
    if not explanation.alternatives:
        return Reason(considered=considered(around, person.life, answer))
    return _reason(around, explanation, "the cart shown was the acknowledged one")


def reason_of_short_order(around: Circumstances, promise: AcknowledgedOrder) -> Reason:
    """Why an order lacks what was acknowledged, as far as the very write shows it, or the version of the node that
    read it: the cart was lost before."""
    shown = promise.shown
    turns: list[Turn] = [partial(_ordered_another, promise.exchange)]
    if shown is not None and shown.overlapped:
        # Alone: of two writes that overlapped, the order may hold either cart, whatever else was going on.
        turns = [_by(seen("overlapping_write", shown.sent_us))]
    elif shown is not None:
        # First, as it is seen: what may have happened at the node comes after it.
        turns.insert(0, partial(cart_not_understood, shown, promise.exchange))
    return _reason(around, _explained(around, turns), "the order held the acknowledged cart")


def _ordered_another(checkout: Exchange, around: Circumstances) -> list[Harm]:
    """The cart that was ordered may have been another one than was shown last: by nothing that was seen."""
    # The checkout is both the last sight of the cart and the answer: only what happened during it can count.
    of_store = rules_of(around.run).cart_harms(checkout, checkout, SessionLife(around.run), around)
    return [*kept_pages(None, checkout, around), *(harm._replace(sure=False) for harm in of_store)]


def reason_of_another_name(around: Circumstances, life: SessionLife | None, answer: Exchange) -> Reason:
    """Why this answer, or what the database holds of it, is in somebody else's name."""
    explanation = _explained(around, [partial(kept_pages, life, answer)])
    return _reason(around, explanation, "this answer was for the shopper who asked")


def reason_of_use_after_end(around: Circumstances, used: Outlived) -> Reason:
    """Why a session was good after its end."""
    explanation = _explained(around, [partial(rules_of(around.run).outlived, used)])
    return _reason(around, explanation, f"this session was over from {seconds(used.end.done_us)} on")


def refused_for_its_end(around: Circumstances, life: SessionLife, answer: Exchange) -> bool:
    """Whether only the end of a session explains that this answer, sent after it, did not know the session.

    Args:
        around: what else could explain it.
        life: the session, as it was when it ended.
        answer: was as to a stranger.
    """
    if life.opened is None or harms_of_end(life, answer, around):
        return False
    # A node that never knew it may refuse it for a reason of its own, and so may a process that came afterwards.
    knew = [it for it in (life.known, life.opened) if it is not None and it.node == answer.node]
    if not knew:
        return False
    since_us = knew[0].done_us
    return not any(end.overlaps(since_us, answer.done_us) for _, end in around.at(NodeEnds, answer.node))


def reason_refuted(refused: Exchange) -> Reason:
    """Why a session was good after its end, where another one was refused for it: somebody is asked, then."""
    who = refused.node or "a node"
    at = seconds(refused.done_us)
    return Reason(considered=(f"that no node asks: {who} refused shopper {refused.shopper}'s ended session at {at}",))


def reason_of_shared_session(around: Circumstances) -> Reason:
    """Why a session that a stranger had opened became a shopper's: where sessions have ids, the id was kept."""
    # Tokens have no id that could be kept.
    keeps_ids = rules_of(around.run).ids_can_be_planted and not around.run.limits.regenerate_at_login
    explanation = _explained(around, [_by(setting("fixation"))] if keeps_ids else ())
    return _reason(around, explanation, "whoever had planted the session was a stranger after the login")


def reason_of_second_order(around: Circumstances, word: str, asked: Sequence[Exchange]) -> Reason:
    """Why one checkout made two orders; `word` tells what the orders themselves show, and so holds whatever else did.

    Args:
        around: tells which faults have requests repeated.
        word: request_repeated or key_ignored.
        asked: the checkouts behind the two orders, in the order of their answers; those that the history knows.
    """
    # Neither order is of a request in the history: there is no time at which a fault could be asked for.
    if not asked:
        return Reason(word, (Because(word),))
    turns: list[Turn] = [_by(setting(word))]
    if word == "request_repeated":
        turns = [partial(repeated, asked[0], asked[-1]), _by(seen(word, asked[-1].sent_us))]
    return _reason(around, _explained(around, turns), "this checkout would have made one order")


def _about_cart(run: RunTimeline, person: ShopperTrace, last: Exchange, answer: Exchange) -> Iterator[Turn]:
    """What may be behind it, in turn: what is seen on the very write outranks what may have happened elsewhere."""
    # The browser kept the cookie before: it is that one's cart that is shown from then on.
    if person.refused is not None and person.refused.done_us >= last.done_us:
        yield _by(setting("cookie_too_large"))
    lingered = person.lingered
    if lingered is not None and person.life.refreshes and _overlap(lingered, last):
        yield _by(seen("refreshed_by_slow_page", lingered.sent_us))
    if last.overlapped:
        yield _by(seen("overlapping_write", last.sent_us))
    rules, left = rules_of(run), person.left
    # After a logout a cart is shown that had gone with it: of the session that it ended.
    if (
        left is not None
        and last.done_us <= left.done_us
        and (person.login is None or person.login.done_us <= left.sent_us)
    ):
        yield partial(rules.outlived, Outlived(person.login, left, answer))
    yield partial(repeated, last, answer)
    yield partial(rules.cart_harms, last, answer, person.life)
    yield partial(kept_pages, person.life, answer)


def repeated(last: Exchange, answer: Exchange, around: Circumstances) -> list[Harm]:
    """A node did what it was asked and answered that it failed, and the balancer asked another one."""
    return around.during(RepeatsRequests, last.sent_us, answer.done_us, sure=False)


def kept_pages(life: SessionLife | None, answer: Exchange, around: Circumstances) -> list[Harm]:
    """A page that was kept is another one's, and so is the session that it brings; who was given one's own, nobody saw.

    `life`: of whoever was answered, as far as it is known.
    """
    since = answer if answer.kept_from else life.kept if life is not None else None
    if since is None and not around.run.limits.session_refresh_each_request:
        return []  # then pages bring no session with them
    return around.during(PagesKept, answer.sent_us, answer.done_us, sure=since is not None)


def _by(harm: Harm) -> Turn:
    """That harm alone."""
    return lambda around: around.left(harm)


def _explained(around: Circumstances, turns: Iterable[Turn]) -> Explanation:
    """By the first of these turns that explains it; those after it are not asked."""
    explanations = (explain_by(partial(_but_for, around, turn)) for turn in turns)
    return next((found for found in explanations if found.alternatives), UNEXPLAINED)


def _but_for(around: Circumstances, turn: Turn, without: Without) -> list[Harm]:
    return turn(around.but_for(without))


def _overlap(one: Exchange, other: Exchange) -> bool:
    return one.sent_us < other.done_us and other.sent_us < one.done_us


def _until(around: Circumstances, life: SessionLife, explanation: Explanation) -> str:
    """Until when the session was good if the factors are thought away."""
    good = good_until(life, around)
    endless = any(harm.factor.kind == "time" for _, harm in explanation.members)
    if good is None or endless:
        return "this session was still good"
    return f"this session was good until {seconds(good[1])}"


def _lifetime(life: SessionLife) -> str:
    """When it began, for a sentence that says when it ended."""
    opened, written = life.opened, life.written
    if opened is None or written is None:
        return ""
    since = "and was not written since" if written is opened else f"and was last written at {seconds(written.done_us)}"
    return f" (it began at {seconds(opened.done_us)} {since})"


def _reason(around: Circumstances, explanation: Explanation, what: str, lifetime: str = "") -> Reason:
    because = tuple(
        Because(harm.word, harm.factor.fault, max(harm.at_us, 0) / 1000, number) for number, harm in explanation.members
    )
    # With the whole timeline of each, so that a report need not know where to look for it.
    named = {harm.factor for _, harm in explanation.members}
    faults = [fault for factor, fault in around.faults.items() if factor in named]
    in_time = sorted(faults, key=lambda fault: (fault.injected_us or 0, fault.fault))
    return Reason(
        explanation.cause, because, counterfactual_in_words(explanation, around, what, lifetime), faults=tuple(in_time)
    )


def considered(around: Circumstances, life: SessionLife, answer: Exchange) -> tuple[str, ...]:
    """A sentence for the lifetime, and one for each fault that was observed."""
    good = good_until(life, around)
    lifetime = [] if good is None else [f"its lifetime: it was good until {seconds(good[1])}"]
    faults = [f"{around.done_to(factor)}: {_why_not(around, factor, life, answer)}" for factor in around.faults]
    return (*lifetime, *faults)


def _why_not(around: Circumstances, factor: Factor, life: SessionLife, answer: Exchange) -> str:
    effects = [effect for its, effect in around.of(Effect) if its == factor and not isinstance(effect, NodeEnds)]
    if not effects:
        return "it does nothing to sessions here"
    since_us = life.known.sent_us if life.known is not None else answer.sent_us
    in_time = [effect for effect in effects if effect.overlaps(since_us, answer.done_us)]
    if not in_time:
        if all(effect.from_us > answer.done_us for effect in effects):
            return f"it began at {seconds(min(effect.from_us for effect in effects))}, after the answer"
        last_us = max(effect.until_us for effect in effects)
        return f"it was over at {seconds(last_us)}, and the session was known at {seconds(since_us)}"
    nodes = {life.home, answer.node}
    elsewhere = [effect for effect in in_time if isinstance(effect, OnNode) and effect.node not in {"", *nodes}]
    if elsewhere and not answer.node:
        unseen = "which node answered" if life.home else "which node held the session, and which one answered"
        return f"{unseen}, nobody could see"
    if len(elsewhere) == sum(isinstance(effect, OnNode) for effect in in_time) and elsewhere:
        return f"it was at {elsewhere[0].node}, the session at {life.home or 'no node'}, and {answer.node} answered"
    return "sessions that are kept as these are do not depend on it"
