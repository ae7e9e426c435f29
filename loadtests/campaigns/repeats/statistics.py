"""The statistics of repeats, by SciPy: intervals, chance, the correction for many comparisons. The unit is the fault.

Counts of a few faults are whole numbers, skewed, and often the same every time. So the interval is the wider of two,
end by end: Student's t is right for symmetric differences and too narrow for skewed ones, the bootstrapped t the other
way round. `tests/loadtests/campaigns/repeats/test_coverage.py` measures what both together come to. Where fewer than
five faults differ from the commonest value, neither is right, and there is none: what can be said then is how often the
value is another one. Chance is judged by exchanging the architectures within blocks, which asks nothing of the data.

SciPy takes a second to import: it is imported where it is used.
"""

from __future__ import annotations

import math
import shlex
import sys
import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from statistics import multimode
from typing import TYPE_CHECKING, Any

from loadtests.campaigns.repeats.repeats import Interval, Method
from shared.errors import EnvironmentNotReady

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CONFIDENCE = 0.95
ALPHA = 1 - CONFIDENCE
LEAST_OTHERS = 5  # so many faults must differ from the commonest value before an interval of the mean is given
RESAMPLES = 9_999
# Ways to exchange the architectures that are tried, at random; all of them if there are no more. Together with the one
# that was measured they are 100,000, of which a p-value is a share.
EXCHANGES = 99_999
SEED = 20_061  # of what is drawn at random here: the same numbers give the same results
SCIPY = "'scipy>=1.15,<2'"  # the extra `statistics`, as one types it
LEAST_SPREAD = 0.1  # a resample that hardly varies would have a t without bound: this share of the sample's counts

METHODS = (
    Method(
        "95 % interval of a mean of faults, and of a mean difference paired by block",
        "the wider, end by end, of Student's t interval and the bootstrapped t interval (9,999 resamples of blocks); "
        "none where fewer than five faults differ from the commonest value",
        "scipy.stats.ttest_1samp, scipy.stats.bootstrap",
        "Student, Biometrika 6 (1908) 1; P. Hall, Annals of Statistics 16 (1988) 927; "
        "B. Efron, R. Tibshirani, An Introduction to the Bootstrap (1993), chapter 12",
    ),
    Method(
        "in how many faults at most the value is another than the commonest",
        "upper end of the exact one-sided 95 % interval of a share",
        "scipy.stats.binomtest(…).proportion_ci(method='exact')",
        "C. Clopper, E. Pearson, Biometrika 26 (1934) 404",
    ),
    Method(
        "whether chance alone does that much",
        "permutation test: the two architectures are exchanged within blocks in every way, or in 99,999 random ways "
        "if there are more; two-sided, statistic: the mean difference",
        "scipy.stats.permutation_test(permutation_type='samples')",
        "R. Fisher, The Design of Experiments (1935), chapter 3; B. Phipson, G. Smyth, "
        "Statistical Applications in Genetics and Molecular Biology 9 (2010) 39",
    ),
    Method(
        "correction for the number of comparisons",
        "Holm's: the chance of even one false difference among all comparisons is at most 5 %",
        "numpy.maximum.accumulate",
        "S. Holm, Scandinavian Journal of Statistics 6 (1979) 65",
    ),
    Method(
        "the library",
        "SciPy, on NumPy",
        "scipy.stats",
        "P. Virtanen et al., Nature Methods 17 (2020) 261",
    ),
)


def check_statistics() -> None:
    """Nothing, if repeats can be compared here.

    Raises:
        EnvironmentNotReady: SciPy is not installed; names the command that installs it.
    """
    if find_spec("scipy") is None:
        raise EnvironmentNotReady(
            "cannot compare repeats: SciPy is not installed",
            why="it is large and only repeats need it, so it comes only when asked for",
            next_step=f"{shlex.quote(sys.executable)} -m pip install {SCIPY}   (in a checkout: make install)",
        )


def interval_of(values: Sequence[float]) -> Interval:
    """The mean of these faults with its 95 % interval; of one fault at least."""
    values = [float(value) for value in values]
    commonest = min(multimode(values))  # the smallest of several
    times = values.count(commonest)
    mean = math.fsum(values) / len(values)
    low = high = None
    if len(values) - times >= LEAST_OTHERS:
        ends = (_student(values), _bootstrapped(values, mean))
        low, high = min(low for low, _ in ends), max(high for _, high in ends)
    return Interval(mean, low, high, commonest, times, share_at_most(len(values) - times, len(values)))


def share_at_most(hits: int, faults: int) -> float:
    """The share that so many hits among so many faults allow at most (95 %, one-sided)."""
    from scipy.stats import binomtest

    told = binomtest(hits, faults, alternative="less").proportion_ci(CONFIDENCE, method="exact")
    return float(told.high)


def chance_of(differences: Sequence[float]) -> float:
    """The two-sided p-value of paired differences, by exchanging the two of each pair; 1 if all are 0."""
    import numpy as np
    from scipy.stats import permutation_test

    if not any(differences):  # whichever way they are exchanged, it stays what it is
        return 1.0
    if len(set(differences)) == 1:
        return smallest_chance(len(differences))  # what the exact test gives, however many there are
    paired = (np.asarray(differences, dtype=float), np.zeros(len(differences)))
    told = permutation_test(
        paired,
        lambda first, second, axis: np.mean(first - second, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=EXCHANGES,
        batch=10_000,
        rng=np.random.default_rng(SEED),  # anew each time: what one comparison comes to does not hang on those before
    )
    return min(1.0, float(told.pvalue))


def smallest_chance(faults: int) -> float:
    """The smallest p-value that so many pairs can have: all differ in one direction, one of 2^n ways and its mirror."""
    return float(min(1.0, 2.0 ** (1 - faults)))


def least_faults(comparisons: int) -> int:
    """So many faults it takes for any of so many comparisons to show a difference after Holm's correction."""
    return next(faults for faults in range(1, 1000) if comparisons * smallest_chance(faults) <= ALPHA)


def holm(chances: Sequence[float], comparisons: int) -> tuple[float, ...]:
    """Holm's correction of these p-values, which are some of so many comparisons; in their order."""
    import numpy as np

    if not chances:
        return ()
    given = np.asarray(chances, dtype=float)
    order = np.argsort(given, kind="stable")
    factors = comparisons - np.arange(len(given))  # those without a p-value count as if they had the largest
    corrected = np.empty_like(given)
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(given[order] * factors))
    return tuple(float(each) for each in corrected)


def _student(values: Sequence[float]) -> tuple[float, float]:
    from scipy.stats import ttest_1samp

    told = ttest_1samp(values, 0.0).confidence_interval(CONFIDENCE)
    return float(told.low), float(told.high)


def _bootstrapped(values: Sequence[float], mean: float) -> tuple[float, float]:
    """The t interval with the quantiles of t as they are in resamples, instead of Student's."""
    import numpy as np
    from scipy.stats import bootstrap

    sample = np.asarray(values, dtype=float)
    error = float(np.std(sample, ddof=1)) / math.sqrt(len(sample))

    def t_of(resampled: NDArray[np.float64], axis: int = -1) -> Any:
        spread = np.std(resampled, ddof=1, axis=axis) / math.sqrt(len(sample))
        return (np.mean(resampled, axis=axis) - mean) / np.maximum(spread, LEAST_SPREAD * error)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SciPy warns of degenerate samples, which LEAST_OTHERS keeps away
        told = bootstrap(
            # Percentiles of t, not of the mean: those would make it an interval that is too narrow for few faults.
            (sample,), t_of, confidence_level=CONFIDENCE, method="percentile", n_resamples=RESAMPLES,
            batch=1_000, vectorized=True, rng=np.random.default_rng(SEED),
        ).confidence_interval  # fmt: skip
    # The ends change places: resamples far above the sample's mean say that the truth may lie far below it.
    return mean - error * float(told.high), mean - error * float(told.low)
