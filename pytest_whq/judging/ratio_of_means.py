"""How much one set of runs needs more than another: the ratio of their means, with its interval. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_whq.interval import student_t95
from pytest_whq.model.verdicts import ComparisonOutcome

RUN_NOISE = 0.01
"""How much runs of the same code differ at least, one standard deviation as a share."""

_RUN_NOISE_DEGREES = 4
_WIDEST = 20.0
_LARGEST = 1e9


@dataclass(frozen=True, slots=True)
class RunMean:
    """The mean of a metric in one run, above 0; ``error`` is its standard error, as a share of it."""

    value: float
    error: float


@dataclass(frozen=True, slots=True)
class Ratio:
    """One mean over another, and the ends of its 95 % interval."""

    value: float
    low: float
    high: float


def ratio_of_means(head: Sequence[RunMean], base: Sequence[RunMean], run_noise: float = RUN_NOISE) -> Ratio:
    """The mean of ``head`` over the mean of ``base``, each with at least one run.

    The model is one of random effects: a run's mean differs from the truth by what makes runs differ,
    of variance T, and by what makes its rounds differ, of variance ``error``². All are shares, which
    are additive in the logarithm. Each run of n on a side adds (T + error²) / n² to the variance.

    T is the spread of the runs about the mean of their side less what their rounds explain (the
    method of moments, Hedges and Olkin, Statistical Methods for Meta-Analysis, 1985, chapter 9). A
    few runs tell it badly and one tells nothing, so it is averaged by degrees of freedom with
    ``run_noise``², which counts as much as five runs (a moderated variance: Smyth, Statistical
    Applications in Genetics and Molecular Biology 3(1), 2004), and is never below ``run_noise``². The
    interval is Student's with both degrees of freedom together.

    A single wild round raises ``error`` as much as the mean, so it makes a verdict unsure, not wrong.
    """
    degrees = len(head) + len(base) - 2
    within = sum(run.error**2 for run in (*head, *base)) / (degrees + 2)
    excess = _squares(head) + _squares(base) - degrees * within
    moderated = (_RUN_NOISE_DEGREES * run_noise**2 + excess) / (_RUN_NOISE_DEGREES + degrees)
    between = max(run_noise**2, moderated)
    variance = sum(sum(between + run.error**2 for run in side) / len(side) ** 2 for side in (head, base))
    # Beyond these bounds nobody looks, and files could not hold the figures.
    half = min(student_t95(_RUN_NOISE_DEGREES + degrees) * math.sqrt(variance), _WIDEST)
    value = min(mean_of(head) / mean_of(base), _LARGEST)
    return Ratio(value, value * math.exp(-half), value * math.exp(half))


def mean_of(runs: Sequence[RunMean]) -> float:
    """The mean of the runs' means, each run alike."""
    return sum(run.value for run in runs) / len(runs)


def outcome_of(ratio: Ratio, limit: float) -> ComparisonOutcome:
    """What ``ratio`` says where a change up to ``limit``, a share, is allowed.

    ``regressed`` above the limit with the interval above 1, and ``improved`` as far below. It is
    ``inconclusive`` where noise hides which it is: beyond the limit with 1 in the interval, or within
    it while twice the limit cannot be excluded. All else is ``unchanged``.
    """
    if ratio.value > 1 + limit:
        return "regressed" if ratio.low > 1 else "inconclusive"
    if ratio.value < 1 - limit:
        return "improved" if ratio.high < 1 else "inconclusive"
    return "unchanged" if ratio.low >= 1 - 2 * limit and ratio.high <= 1 + 2 * limit else "inconclusive"


def _squares(runs: Sequence[RunMean]) -> float:
    """The squared deviations of the runs' logarithms from their mean."""
    if len(runs) == 1:
        return 0.0
    logarithms = [math.log(run.value) for run in runs]
    mean = sum(logarithms) / len(logarithms)
    return sum((value - mean) ** 2 for value in logarithms)
