"""The runs of one test on two sides, and how probable their difference is by chance alone. Pure."""

import math
from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from pytest_whq.interval import student_t95, student_tail
from pytest_whq.judging.run_noise import RunNoise, RunValue

_PRIOR_DEGREES = 4
"""The assumed noise counts as much as five runs (a moderated variance: Smyth, Statistical Applications in
Genetics and Molecular Biology 3(1), 2004)."""

_POOLED_DEGREES = 60
"""That of many tests counts as much as the runs of some, since tests differ in their noise."""

_OWN = 2.0
"""A side whose runs differ so many times the variance of the suite is judged by its own spread."""

_MEDIAN = math.pi / 2
"""The variance of a median over that of a mean."""

HUBER = 1.5
"""Values further from the mean than so many standard deviations count less (Huber, 1964)."""

_STEPS = 8
_WIDEST = 20.0


class Contrast(NamedTuple):
    """The logarithm of head over base, less the shifts of their runs, and how probable it is by chance alone.

    ``error`` is its standard error, of so many ``degrees`` of freedom. ``odd`` where only the runs that are
    far off by themselves make it probable.
    """

    log: float
    error: float
    degrees: int
    chance_up: float
    chance_down: float
    odd: bool

    @property
    def half(self) -> float:
        """Half of its 95 % interval."""
        return min(student_t95(self.degrees) * self.error, _WIDEST)


def contrast(
    head: Sequence[RunValue], base: Sequence[RunValue], noise: RunNoise, run_noise: float, tests: int
) -> Contrast:
    of_head, of_base = (_side(values, noise) for values in (head, base))
    variance, degrees = _variance(of_head, of_base, noise, run_noise)
    if noise.shifts:
        # The shift of the head's runs is itself known no better than so many tests tell it.
        variance += _MEDIAN * noise.sigma**2 / tests
    log, error = of_head.centre - of_base.centre, math.sqrt(variance)
    chances = [student_tail(sign * log / error, degrees) for sign in (1, -1)]
    scale = noise.sigma * math.sqrt(1 + 1 / len(base))
    guards = [
        math.prod(
            noise.tail(sign * (value.log - noise.shift(value.run) - of_base.centre) / scale) for value in head
        )
        for sign in (1, -1)
    ]
    up, down = (max(chance, guard) for chance, guard in zip(chances, guards, strict=True))
    return Contrast(log, error, degrees, up, down, odd=min(guards) > min(chances))


def runs_like(base: Sequence[RunValue], noise: RunNoise, count: int, change: float) -> list[RunValue]:
    """So many runs as those of ``base``, as far apart as expected, higher by ``change`` in the logarithm."""
    side = _side(base, noise)
    error = median(value.error for value in base)
    between = noise.sigma**2 if noise.pooled else _moderated([side], noise)
    # Two by two around their mean, so that they spread by what runs do.
    away = math.sqrt((between + error**2) * ((count - 1) / (count - count % 2) if count > 1 else 0.0))
    steps = [-away, away] * (count // 2) + [0.0] * (count % 2)
    return [
        RunValue(("planned", number), side.centre + change + step, error) for number, step in enumerate(steps)
    ]


class _Side(NamedTuple):
    """The centre of one side's runs, how many they are, and the squares about it less what rounds explain."""

    centre: float
    runs: int
    excess: float
    within: float


def _side(values: Sequence[RunValue], noise: RunNoise) -> _Side:
    logs = [value.log - noise.shift(value.run) for value in values]
    centre = robust_mean(logs, HUBER * noise.sigma)
    within = sum(value.error**2 for value in values) / len(values)
    squares = sum((log - centre) ** 2 for log in logs)
    return _Side(centre, len(logs), squares - (len(logs) - 1) * within, within)


def _variance(head: _Side, base: _Side, noise: RunNoise, run_noise: float) -> tuple[float, int]:
    """The variance of head less base, and its degrees of freedom.

    Where many tests tell the noise, it is theirs, except for a side whose own runs contradict it. Else it is
    that of both sides together, averaged by degrees of freedom with the noise that is assumed.
    """
    sides, prior = (head, base), _PRIOR_DEGREES + (_POOLED_DEGREES if noise.pooled else 0)
    own = [side for side in sides if noise.pooled and _moderated([side], noise) > _OWN * noise.sigma**2]
    alike = [side for side in sides if side not in own]
    parts: list[tuple[float, int]] = []
    for group, degrees in [*(([side], _PRIOR_DEGREES) for side in own), (alike, prior)]:
        between = noise.sigma**2 if noise.pooled and group is alike else _moderated(group, noise)
        between = max(between, run_noise**2)
        variance = sum(
            (max(between, run_noise**2 + side.within) if noise.pooled else between + side.within) / side.runs
            for side in group
        )
        if group:
            parts.append((variance, degrees + sum(side.runs - 1 for side in group)))
    total = sum(variance for variance, _ in parts)
    # Welch and Satterthwaite's degrees of freedom of a sum of variances.
    return total, max(1, int(total**2 / sum(variance**2 / degrees for variance, degrees in parts)))


def _moderated(sides: Sequence[_Side], noise: RunNoise) -> float:
    """The variance between runs of ``sides``, averaged with that of the suite, or with what is assumed."""
    degrees = sum(side.runs - 1 for side in sides)
    excess = sum(side.excess for side in sides)
    return (_PRIOR_DEGREES * noise.sigma**2 + excess) / (_PRIOR_DEGREES + degrees)


def robust_mean(values: Sequence[float], width: float) -> float:
    """The mean, in which what lies further than ``width`` from it counts less (Huber's, 1964)."""
    if len(values) < 3:
        return sum(values) / len(values)
    centre = median(values)
    for _ in range(_STEPS):
        weights = [width / max(abs(value - centre), width) for value in values]
        centre = sum(w * value for w, value in zip(weights, values, strict=True)) / sum(weights)
    return centre
