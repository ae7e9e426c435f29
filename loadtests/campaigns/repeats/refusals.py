"""When a comparison is refused: *not comparable*, and the reason. A difference that could be the instrument's is none.

One reason each: plans differ within a block, the load was too much for its processor, the logs of client, balancer and
nodes disagree, the machine was too noisy, too few faults.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from statistics import fmean

import msgspec

from loadtests.campaigns.repeats.repeats import Block, Kind, Noise, Shot
from loadtests.checks import MEASURES
from loadtests.judging.experiment import LOAD_CPU_PERCENT
from loadtests.model.measures import Measure

LEAST_SHARE = 0.8  # of the blocks must count: what is left out could be what does not fit
NOISE_SHARE = 0.25  # placebo and no fault may be apart by a quarter of the larger mean …
NOISE_OF_SHOPPERS = 0.05  # … and, where little is counted, by one for every twenty shoppers (by one at least) …
NOISE_MS, NOISE_OF_A_SHARE = 25.0, 0.05  # … or by these, of what is no number of shoppers, goods, actions or seconds
NOISE_RULE = (
    "placebo and no fault, of the same seed and architecture, may be apart by a quarter of the larger mean, by one for "
    "every twenty shoppers (one at least), or by 25 ms, whichever is more"
)
TOO_FEW = "too few faults"
"""How a refusal begins that more faults would have spared."""


class Pair(msgspec.Struct, frozen=True):
    """Two architectures (or one and the same, twice) in one block, and the plans under which each was measured."""

    number: int
    first: Shot
    second: Shot
    plans: tuple[str, ...]
    """The plan that each should have had, and those that they had: all of them should be one."""

    @property
    def doubt(self) -> str:
        """Why the fault does not count for both; "" if it does."""
        return self.first.doubt or self.second.doubt

    def values(self, measure: str) -> tuple[float, float] | None:
        """Of the two; None if one was not measured."""
        first, second = self.first.values.get(measure), self.second.values.get(measure)
        return None if first is None or second is None else (first, second)


class Basis(msgspec.Struct, frozen=True):
    """What a comparison of one measure rests on."""

    measure: str
    first: str
    second: str
    pairs: tuple[Pair, ...]
    planned: int
    """So many blocks were asked for."""
    least: int
    """So many faults it takes to show anything."""
    noises: tuple[Noise, ...]
    """Of the architectures that are compared."""
    itself: str = ""
    """The architecture that differs from itself in this measure; "" if none was seen to."""

    def counting(self) -> list[tuple[float, float]]:
        """Of the pairs in which both counted and were measured."""
        certain = (pair for pair in self.pairs if not pair.doubt)
        return [values for pair in certain if (values := pair.values(self.measure)) is not None]


def why_not_comparable(basis: Basis) -> str:
    """The first reason why this is not comparable; "" if it is."""
    # What makes the numbers worthless comes before what makes them few: more faults would not help against it.
    return next(chain(_of_the_runs(basis), _noisy(basis), _too_few(basis)), "")


def _of_the_runs(basis: Basis) -> Iterator[str]:
    for pair in basis.pairs:
        differing = sorted({plan[:12] for plan in pair.plans})
        if len(differing) > 1:
            yield f"the plans differ in block {pair.number}: {' and '.join(differing)}"
    shots = [(pair.number, shot) for pair in basis.pairs for shot in (pair.first, pair.second)]
    for number, shot in shots:
        if shot.load_cpu > LOAD_CPU_PERCENT:
            yield (
                f"the load process of {shot.architecture} used {shot.load_cpu:.0f} % of a core in block {number}, "
                f"more than {LOAD_CPU_PERCENT:.0f} %: its own slowness may be what was measured"
            )
    for number, shot in shots:
        if shot.mismatches:
            yield (
                f"the logs of client, balancer and nodes disagree on {shot.mismatches} requests of "
                f"{shot.architecture} in block {number}"
            )


def _noisy(basis: Basis) -> Iterator[str]:
    for noise in basis.noises:
        if noise.apart is None:  # not seen is not quiet
            yield f"nobody knows how noisy the machine was: no placebo beside no fault for {noise.architecture}"
        elif noise.too_much:
            yield (
                f"the machine was too noisy: with nothing broken, {noise.architecture} was {noise.apart:.4g} apart "
                f"from itself (placebo and no fault), more than {noise.bound:.4g}"
            )
    if basis.itself:
        yield f"the machine was too noisy: {basis.itself} differs from itself, measured twice under the same plans"


def _too_few(basis: Basis) -> Iterator[str]:
    counting = len(basis.counting())
    if counting < basis.least:
        yield f"{TOO_FEW}: {_counted(basis, counting)}, and it takes {basis.least} to show anything"
    elif counting < LEAST_SHARE * basis.planned:
        yield f"{TOO_FEW}: {_counted(basis, counting)} of {basis.planned}, less than {100 * LEAST_SHARE:.0f} %"


def _counted(basis: Basis, counting: int) -> str:
    """How many counted, and why another did not."""
    doubts = [f"in block {pair.number} {pair.doubt}" for pair in basis.pairs if pair.doubt]
    return f"{counting} counted" + (f" ({doubts[0]})" if doubts else "")


def pairs_of(blocks: Sequence[Block], first: tuple[Kind, str], second: tuple[Kind, str]) -> tuple[Pair, ...]:
    """Two, each by its kind of block and its architecture, wherever one block of them has both."""
    # Of one machine, too: two are two speeds.
    others = {(block.number, block.machine): block for block in blocks if block.kind == second[0]}
    found = []
    for block in blocks:
        beside = others.get((block.number, block.machine)) if block.kind == first[0] else None
        if beside is not None and (one := block.shot(first[1])) and (other := beside.shot(second[1])):
            plans = (block.planned_sha256, block.plan_sha256, beside.planned_sha256, beside.plan_sha256)
            found.append(Pair(block.number, one, other, plans))
    return tuple(found)


def noise_of(blocks: Sequence[Block], architecture: str, measure: str, shoppers: int) -> Noise:
    """The mean distance of placebo and no fault, over all pairs of them."""
    # Nothing is broken in either. What separates them is the machine and the looking; where that is more than the
    # bound, a difference between architectures could be that as well.
    controls = pairs_of(blocks, ("placebo", architecture), ("no-fault", architecture))
    pairs = [values for pair in controls if (values := pair.values(measure)) is not None]
    floor = _noise_floor(MEASURES[measure], shoppers)
    if not pairs:
        return Noise(architecture, measure, 0, None, floor)
    larger = max(fmean(one for one, _ in pairs), fmean(other for _, other in pairs))
    apart = fmean(abs(one - other) for one, other in pairs)
    return Noise(architecture, measure, len(pairs), apart, max(floor, NOISE_SHARE * larger))


def _noise_floor(measure: Measure, shoppers: int) -> float:
    if measure.sort == "latency" and measure.unit == "ms":  # a quarter of a few milliseconds is less than a hiccup
        return NOISE_MS
    return NOISE_OF_A_SHARE if measure.percent else max(1.0, NOISE_OF_SHOPPERS * shoppers)
