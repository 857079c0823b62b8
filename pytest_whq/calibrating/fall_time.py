"""How fast power falls after a load, by turns of it that ended shortly before a tick of the counter. Pure.

What such a tick leaves of the fall is counted after it. How much that is depends on the load's height and on
when exactly it ended as well as on the time constant, but of ticks at several distances from the end only the
constant tells by how much less the later ones leave. So height and end are as unsure for all turns together
as a load's switching is, and the constants are kept that explain the turns nearly as well as the best does.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from pytest_whq.joules.counting.falling import Tick
from pytest_whq.joules.counting.settling import CONSTANTS_S

_TRIED_S = (*(n / 2000 for n in range(30)), *(0.015 * 1.08**n for n in range(39)), CONSTANTS_S[-1])
"""These are tried: nothing tells which of two neighbours it was."""

_POSSIBLE = 3.0
"""A constant is possible while its log-likelihood is below the best by no more."""

_FEWEST = 3
"""Fewer turns tell nothing: one or two may have met another's load."""

_HEIGHT = 0.15
"""Relative uncertainty of the height of the fall: a load need not end at its mean power."""

_END_S = 0.0012
"""When a load has ended is known to this."""

_SCALES = tuple(n / 4 for n in range(-12, 13))
"""So many standard uncertainties more or less of height are tried."""

_ODD = 0.02
"""The share of turns in which something else may have run."""

_ODD_MISFIT = 12.0
"""How badly such a turn is explained, in squared standard uncertainties."""

_LEVEL = 0.003
"""Relative scatter of what is drawn at rest from tick to tick of a turn."""


class Turn(NamedTuple):
    """A load that ended ``height_w`` above the level to which power fell, and the ticks since its end."""

    height_w: float
    level_w: float
    ticks: Sequence[Tick]


def fall_time_s(turns: Sequence[Turn]) -> tuple[float, float] | None:
    """Between which of the time constants that are weighed power falls; None where ``turns`` do not tell."""
    told = [turn for turn in turns if len(turn.ticks) > 2 and turn.height_w > 0]
    if len(told) < _FEWEST:
        return None
    likelihoods = [_likelihood(told, constant_s) for constant_s in _TRIED_S]
    best = max(likelihoods)
    possible = [number for number, value in enumerate(likelihoods) if value >= best - _POSSIBLE]
    # The truth may lie between two that were tried.
    low_s = _TRIED_S[max(0, possible[0] - 1)]
    high_s = _TRIED_S[min(len(_TRIED_S) - 1, possible[-1] + 1)]
    return max(s for s in CONSTANTS_S if s <= low_s), min(s for s in CONSTANTS_S if s >= high_s)


def _likelihood(turns: Sequence[Turn], constant_s: float) -> float:
    """Log-likelihood of the constant, whatever the scale of all heights is."""
    fits = [_fit(turn, constant_s) for turn in turns]
    # A load that ends later leaves as much more of its fall as one that is higher.
    doubt = math.hypot(_HEIGHT, _END_S / constant_s) if constant_s else 0.0
    values = [
        math.fsum(fit.log_likelihood(math.exp(scale * doubt)) for fit in fits) - scale * scale / 2
        for scale in _SCALES
    ]
    best = max(values)
    return best + math.log(math.fsum(math.exp(value - best) for value in values))


class _Fit(NamedTuple):
    """How well a constant explains a turn: by a parabola of the scale of its height."""

    none: float
    linear: float
    square: float
    spread: float

    def log_likelihood(self, scale: float) -> float:
        misfit = max(0.0, self.none - 2 * scale * self.linear + scale * scale * self.square)
        explained = math.exp(-misfit / 2) + _ODD * math.exp(-_ODD_MISFIT / 2)
        return math.log(explained) - self.spread


def _fit(turn: Turn, constant_s: float) -> _Fit:
    """The joules at ticks less a straight line, which the level and the counter's beginning are."""
    weights, times_s, seen_j, tails_j = [], [], [], []
    for tick in turn.ticks:
        left = _left(constant_s, tick.time_s)
        power_w = turn.level_w + turn.height_w * left
        rest_j = _LEVEL * turn.level_w * turn.ticks[-1].time_s
        weights.append(1 / ((power_w * tick.error_s) ** 2 + rest_j**2 + tick.rounded_j**2))
        times_s.append(tick.time_s)
        seen_j.append(tick.energy_j - turn.ticks[0].energy_j)
        tails_j.append(-turn.height_w * constant_s * left)
    line = _Line(weights, times_s)
    seen, tails = line.beside(seen_j), line.beside(tails_j)
    spread = (line.log_determinant - math.fsum(map(math.log, weights))) / 2
    return _Fit(line.product(seen, seen), line.product(seen, tails), line.product(tails, tails), spread)


def _left(constant_s: float, seconds: float) -> float:
    return math.exp(-seconds / constant_s) if constant_s else 0.0


class _Line:
    """What weighted points leave beside a straight line through them."""

    def __init__(self, weights: Sequence[float], times_s: Sequence[float]) -> None:
        self._weights = weights
        self._weight = math.fsum(weights)
        mean_s = math.fsum(w * t for w, t in zip(weights, times_s, strict=True)) / self._weight
        self._offsets_s = [t - mean_s for t in times_s]
        self._lever = self.product(self._offsets_s, self._offsets_s)
        self.log_determinant = math.log(self._weight) + math.log(self._lever)

    def product(self, left: Sequence[float], right: Sequence[float]) -> float:
        """The weighted sum of products."""
        return math.fsum(w * a * b for w, a, b in zip(self._weights, left, right, strict=True))

    def beside(self, values: Sequence[float]) -> list[float]:
        """The values less the line that fits them best."""
        mean = math.fsum(w * v for w, v in zip(self._weights, values, strict=True)) / self._weight
        slope = self.product(values, self._offsets_s) / self._lever
        return [v - mean - slope * t for v, t in zip(values, self._offsets_s, strict=True)]
