"""Where a series of figures comes to another level, by the package ruptures.

The levels are the least squares of the logarithms for a penalty (PELT: Killick, Fearnhead and Eckley, JASA
107, 2012), in C. Then those that Student's t cannot tell from their neighbour are joined again, as in Hunter
(Fleming et al., ICPE 2023).
"""

import importlib
import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from statistics import fmean
from typing import Any, NamedTuple

from pytest_whq.errors import WhqError
from pytest_whq.interval import student_tail

LEAST_RUNS = 3
"""So many runs make a level: a single one that is far off is no change."""

_CHANCE = 0.05
"""How probable it may be, about, that a series which keeps its level seems to change at first sight."""

_CHANCE_OF_LEVELS = 0.005
"""The same of two neighbouring levels at the second one."""

_SPREAD_OF_DIFFERENCES = 0.9539
"""The median size of the difference of two standard normal deviates: 0.6745 times the root of 2."""

_EFFICIENCY = 0.37
"""So much of a variance's degrees of freedom its median tells."""

_PRIOR = 4
_OUTLIER = 4.0
_NEIGHBOURS = 2

MISSING = (
    "Change points are not looked for: the package ruptures is missing. Install it: "
    'pip install "pytest-whq[history]"'
)


class Split(NamedTuple):
    """From ``number`` on values are about ``after``, before it about ``before``: geometric means."""

    number: int
    before: float
    after: float


Detector = Callable[[Sequence[float]], list[Split]]


def change_points(run_noise: float) -> Detector:
    """What finds the changes of a series; ``run_noise`` is how much runs differ at least, a share.

    WhqError, with what to install, where ruptures is missing.
    """
    try:
        # Imported here: with scipy, which it needs, it takes a second.
        ruptures = importlib.import_module("ruptures")
    except ImportError as error:
        raise WhqError(f"{MISSING}.") from error
    return lambda values: _splits(values, run_noise, ruptures)


def _splits(values: Sequence[float], run_noise: float, ruptures: Any) -> list[Split]:
    if len(values) < 2 * LEAST_RUNS:
        return []
    logs = _without_outliers([math.log(value) for value in values], run_noise)
    sigma = _noise_of(logs, run_noise)
    numpy = importlib.import_module("numpy")
    scaled = (numpy.array(logs) - fmean(logs)).reshape(-1, 1) / sigma
    search = ruptures.KernelCPD(kernel="linear", min_size=LEAST_RUNS).fit(scaled)
    penalty = 2 * math.log(len(values) / _CHANCE)
    ends = [int(end) for end in search.predict(pen=penalty)]
    bounds = _told_apart(logs, [0, *ends], run_noise)
    levels = [math.exp(fmean(logs[start:end])) for start, end in pairwise(bounds)]
    return [
        Split(number, before, after)
        for number, before, after in zip(bounds[1:-1], levels, levels[1:], strict=False)
    ]


def _noise_of(logs: Sequence[float], run_noise: float) -> float:
    """The standard deviation between runs, at least what is assumed of it.

    It is told by the median step from one run to the next, which few changes move. A few runs tell little:
    what is assumed counts as much as some.
    """
    steps = sorted(abs(after - before) for before, after in pairwise(logs))
    found = steps[len(steps) // 2] / _SPREAD_OF_DIFFERENCES
    told = _EFFICIENCY * len(steps)
    variance = (_PRIOR * run_noise**2 + told * found**2) / (_PRIOR + told)
    return max(run_noise, math.sqrt(variance))


def _without_outliers(logs: Sequence[float], run_noise: float) -> list[float]:
    """``logs`` in which a single run that is far off is as its neighbours (Hampel's filter).

    A new level that lasts for `LEAST_RUNS` is the median of its own neighbours, and stays.
    """
    far = _OUTLIER * _noise_of(logs, run_noise)
    found = list(logs)
    for number in range(len(logs)):
        # At the ends the window moves inwards, or two runs there would be the neighbours of one.
        start = max(0, min(number - _NEIGHBOURS, len(logs) - 2 * _NEIGHBOURS - 1))
        middle = sorted(logs[start : start + 2 * _NEIGHBOURS + 1])[_NEIGHBOURS]
        if abs(logs[number] - middle) > far:
            found[number] = middle
    return found


def _told_apart(logs: Sequence[float], bounds: list[int], run_noise: float) -> list[int]:
    """``bounds`` of levels less those between two that chance alone makes differ so much."""
    while len(bounds) > 2:
        chances = [
            _chance(logs[start:middle], logs[middle:end], run_noise)
            for start, middle, end in zip(bounds, bounds[1:], bounds[2:], strict=False)
        ]
        weakest = max(range(len(chances)), key=chances.__getitem__)
        if chances[weakest] * len(logs) <= _CHANCE_OF_LEVELS:
            break
        bounds = [*bounds[: weakest + 1], *bounds[weakest + 2 :]]
    return bounds


def _chance(one: Sequence[float], other: Sequence[float], run_noise: float) -> float:
    """How probable it is that two means of the same level are so far apart, by Student's t."""
    means = fmean(one), fmean(other)
    squares = sum((log - mean) ** 2 for logs, mean in zip((one, other), means, strict=True) for log in logs)
    # A moderated variance, as where runs are compared: what is assumed counts as much as some runs.
    degrees = _PRIOR + len(one) + len(other) - 2
    between = max((_PRIOR * run_noise**2 + squares) / degrees, run_noise**2)
    variance = between * (1 / len(one) + 1 / len(other))
    return 2 * student_tail(abs(means[1] - means[0]) / math.sqrt(variance), degrees)
