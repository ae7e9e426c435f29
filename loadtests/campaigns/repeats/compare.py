"""Everything that repeats come to: comparisons of every pair, the controls, and one sentence. Pure; names no winner."""

import math
from collections.abc import Sequence
from itertools import combinations

import msgspec

from loadtests.campaigns.jobs import TIMES
from loadtests.campaigns.repeats.refusals import TOO_FEW, Basis, noise_of, pairs_of, why_not_comparable
from loadtests.campaigns.repeats.repeats import (
    REPEATS_SCHEMA,
    Asked,
    Block,
    Comparison,
    Interval,
    Noise,
    Repeats,
    Word,
    controlled_blocks,
    phrase_of,
)
from loadtests.campaigns.repeats.statistics import ALPHA, METHODS, chance_of, holm, interval_of, least_faults
from loadtests.judging.verdict import overall

MOST_TOLD = 4  # faults that the answer tells one by one
MOST_WORDS = 30  # of the answer
AGAIN = "again"  # behind the name of an architecture that is compared with itself


def repeats_of(asked: Asked, blocks: Sequence[Block], interrupted: str = "") -> Repeats:
    """What these blocks show."""
    blocks = tuple(blocks)
    noise = tuple(
        noise_of(blocks, name, measure, asked.shoppers) for measure in asked.measures for name in asked.architectures
    )
    least = least_for(asked)
    again = _against_itself(asked, blocks, noise)
    # First of all: where an architecture differs from itself, a difference from another one shows nothing.
    differs = {each.measure: asked.architectures[0] for each in again if each.word in ("larger", "smaller")}
    comparisons = compare_family([
        Basis(
            measure, first, second, pairs_of(blocks, ("fault", first), ("fault", second)), asked.repeats, least,
            tuple(it for it in noise if it.measure == measure and it.architecture in (first, second)),
            differs.get(measure, ""),
        )
        for measure in asked.measures
        for first, second in combinations(asked.architectures, 2)
    ])  # fmt: skip
    return Repeats(
        schema=REPEATS_SCHEMA,
        asked=asked,
        verdict=overall(block.verdict for block in blocks if block.kind == "fault"),
        answer=answer(asked, comparisons, blocks),
        blocks=blocks,
        comparisons=comparisons,
        again=again,
        noise=noise,
        means={measure: _means(asked, blocks, measure) for measure in asked.measures},
        least_faults=least,
        methods=METHODS,
        interrupted=interrupted,
    )


def least_for(asked: Asked) -> int:
    """So many faults it takes before any difference can be shown between two of these architectures."""
    return least_faults(max(1, math.comb(len(asked.architectures), 2) * len(asked.measures)))


def compare_family(bases: Sequence[Basis]) -> tuple[Comparison, ...]:
    """One family of comparisons: what is comparable is corrected for the number of all of them."""
    found = [_compared(basis) for basis in bases]
    tested = [number for number, each in enumerate(found) if each.p is not None]
    # By the number of all: if only what is left after the refusals counted, each refusal would make the rest easier.
    corrected = holm([found[number].p or 0.0 for number in tested], len(found))
    for number, p_holm in zip(tested, corrected, strict=True):
        each = found[number]
        found[number] = msgspec.structs.replace(each, p_holm=p_holm, word=_word(each.difference, p_holm))
    return tuple(found)


def _compared(basis: Basis) -> Comparison:
    counting, reason = basis.counting(), why_not_comparable(basis)
    ones, others = [one for one, _ in counting], [other for _, other in counting]
    differences = [one - other for one, other in counting]
    return Comparison(
        measure=basis.measure,
        first=basis.first,
        second=basis.second,
        word="not comparable" if reason else "no difference shown",
        reason=reason,
        faults=len(counting),
        first_mean=sum(ones) / len(ones) if ones else None,
        second_mean=sum(others) / len(others) if others else None,
        difference=None if reason else interval_of(differences),
        p=None if reason else chance_of(differences),
        p_holm=None,
    )


def _word(difference: Interval | None, p_holm: float) -> Word:
    """Both must say so: chance after the correction, and the interval, where there is one."""
    if difference is None or p_holm > ALPHA:
        return "no difference shown"
    if difference.low is not None and difference.high is not None and difference.low <= 0 <= difference.high:
        return "no difference shown"
    return "larger" if difference.mean > 0 else "smaller"


def _against_itself(asked: Asked, blocks: tuple[Block, ...], noise: Sequence[Noise]) -> tuple[Comparison, ...]:
    """The first architecture's second time and its first: a family of its own, in which nothing should differ."""
    name = asked.architectures[0]
    pairs, least = pairs_of(blocks, ("again", name), ("fault", name)), least_faults(len(asked.measures))
    planned = len(controlled_blocks(asked.repeats))
    return compare_family([
        Basis(
            measure, f"{name} ({AGAIN})", name, pairs, planned, least,
            tuple(it for it in noise if it.measure == measure and it.architecture == name),
        )
        for measure in asked.measures
    ])  # fmt: skip


def _means(asked: Asked, blocks: Sequence[Block], measure: str) -> dict[str, Interval]:
    """Of each architecture, over its faults that count; of times none, where several machines measured them."""
    if measure in TIMES and len({block.machine for block in blocks if block.run}) > 1:
        return {}  # a mean over fast and slow machines is nobody's time
    counts = counts_of(asked, blocks, measure)
    return {name: interval_of(values) for name, values in counts.items() if values}


def counts_of(asked: Asked, blocks: Sequence[Block], measure: str) -> dict[str, list[float]]:
    """By architecture: what each fault that counts came to, in the order of the blocks."""
    shots = [shot for block in blocks if block.kind == "fault" for shot in block.shots if not shot.doubt]
    return {
        name: [value for shot in shots if shot.architecture == name and (value := shot.values.get(measure)) is not None]
        for name in asked.architectures
    }


def answer(asked: Asked, comparisons: Sequence[Comparison], blocks: Sequence[Block]) -> str:
    """One sentence about the headline measure, of at most 30 words."""
    told = [each for each in comparisons if each.measure == asked.headline]
    phrase = phrase_of(asked.headline)
    too_few = bool(told) and all(each.reason.startswith(TOO_FEW) for each in told)
    if len(told) == 1 and not too_few:
        return _of_one_pair(told[0], phrase)
    shown = sum(each.word in ("larger", "smaller") for each in told)
    refused = sum(each.word == "not comparable" for each in told)
    rest = f"; {refused} not comparable" if refused else ""
    counts = counts_of(asked, blocks, asked.headline)
    said = ", ".join(f"{_plainly(values, len(counts))} in {name}" for name, values in counts.items())
    end = "too few faults to compare" if too_few else f"{shown} of {len(told)} pairs differ{rest}"
    counted = f"Per fault, {phrase}: {said}; {end}."
    if len(counted.split()) <= MOST_WORDS:  # seven architectures with their counts are more than a sentence
        return counted
    return f"In {phrase} per fault, {shown} of {len(told)} pairs of architectures differ{rest}."


def _plainly(values: Sequence[float], architectures: int) -> str:
    """Each, if they and the architectures are few; otherwise from where to where."""
    if not values:
        return "none"
    low, high = min(values), max(values)
    if low == high:
        return f"{low:.4g}"
    if len(values) <= MOST_TOLD and architectures == 2:
        return ", ".join(f"{value:.4g}" for value in values)
    return f"{low:.4g} to {high:.4g}"


def _of_one_pair(told: Comparison, phrase: str) -> str:
    """Larger first, so that the numbers need no sign."""
    if told.difference is None:  # the reason's beginning alone: the whole of it stands in the table below
        return f"Not comparable in {phrase}: {told.first} and {told.second} ({told.reason.split(':')[0]})."
    if told.word == "no difference shown":
        return f"No difference shown in {phrase} per fault: {told.first} and {told.second}, {told.faults} faults."
    more, less, apart = told.first, told.second, told.difference
    if told.word == "smaller":
        more, less, apart = less, more, mirrored(apart)
    return f"Per fault, {phrase}: {apart.mean:.4g} more in {more} than in {less} ({extent(apart, told.faults)})."


def mirrored(apart: Interval) -> Interval:
    """The difference the other way round."""
    low = None if apart.high is None else -apart.high
    high = None if apart.low is None else -apart.low
    return msgspec.structs.replace(apart, mean=-apart.mean, low=low, high=high, commonest=-apart.commonest)


def extent(interval: Interval, faults: int) -> str:
    """How sure the mean is: its interval, or how often it came to the same."""
    if interval.low is not None and interval.high is not None:
        return f"95 %: {interval.low:.4g} to {interval.high:.4g}"
    if interval.commonest_faults == faults:
        return f"the same in all {faults} faults"
    return f"{interval.commonest:.4g} in {interval.commonest_faults} of {faults} faults"
