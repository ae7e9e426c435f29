"""Of a loss that nothing explains: what was there, and why the model does not take it for the cause."""

from __future__ import annotations

from loadtests.faults.effects import Effect, NodeEnds, OnNode
from loadtests.model.history import Exchange
from loadtests.session_model.circumstances import NOTHING, Circumstances, Factor
from loadtests.session_model.counterfactual import seconds
from loadtests.session_model.life import SessionLife, good_until


def considered(around: Circumstances, life: SessionLife, answer: Exchange) -> tuple[str, ...]:
    """A sentence for the lifetime, and one for each fault that was observed."""
    good = good_until(life, around)
    lifetime = [] if good is None else [f"its lifetime: it was good until {seconds(good[1])}"]
    faults = [f"{around.done_to(factor)}: {_why_not(around, factor, life, answer)}" for factor in around.faults]
    return (*lifetime, *faults)


def _why_not(around: Circumstances, factor: Factor, life: SessionLife, answer: Exchange) -> str:
    effects = [
        effect for its, effect in around.of(Effect, NOTHING) if its == factor and not isinstance(effect, NodeEnds)
    ]
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
    if len(elsewhere) == sum(isinstance(effect, OnNode) for effect in in_time) and elsewhere:
        return f"it was at {elsewhere[0].node}, the session at {life.home or 'no node'}, and {answer.node} answered"
    return "sessions that are kept as these are do not depend on it"
