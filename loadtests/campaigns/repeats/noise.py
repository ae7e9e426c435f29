"""How noisy the machine was: a placebo and a run without faults, from one seed, should come to the same.

Nothing is broken in either. What separates them is the machine and the looking; where that is more than the bound, a
difference between architectures could be that as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from loadtests.campaigns.repeats.repeats import Block, Noise

SHARE = 0.25
"""They may be apart by a quarter of the larger mean …"""
OF_SHOPPERS = 0.05
"""… and, where little is counted, by one for every twenty shoppers (by one at least) …"""
FLOORS = {"p50_ms": 25.0, "p95_ms": 25.0, "busiest_node_share": 0.05, "new_node_share": 0.05}
"""… or by this, of what is not counted in shoppers, goods, actions or seconds of shoppers."""
RULE = (
    "placebo and no fault, of the same seed and architecture, may be apart by a quarter of the larger mean, by one for "
    "every twenty shoppers (one at least), or by 25 ms, whichever is more"
)


def noise_of(blocks: Sequence[Block], architecture: str, measure: str, shoppers: int) -> Noise:
    """The mean distance of placebo and no fault, over all pairs of them."""
    placebos = _values(blocks, "placebo", architecture, measure)
    quiet = _values(blocks, "no-fault", architecture, measure)
    pairs = [(placebos[number], quiet[number]) for number in placebos if number in quiet]
    floor = FLOORS.get(measure, max(1.0, OF_SHOPPERS * shoppers))
    if not pairs:
        return Noise(architecture, measure, 0, None, floor)
    larger = max(_mean([one for one, _ in pairs]), _mean([other for _, other in pairs]))
    apart = _mean([abs(one - other) for one, other in pairs])
    return Noise(architecture, measure, len(pairs), apart, max(floor, SHARE * larger))


def _values(blocks: Sequence[Block], kind: str, architecture: str, measure: str) -> dict[int, float]:
    found = {}
    for block in blocks:
        shot = block.shot(architecture) if block.kind == kind else None
        value = shot.values.get(measure) if shot else None
        if value is not None:
            found[block.number] = value
    return found


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
