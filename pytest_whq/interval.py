"""How sure a mean or a ratio of means is, and whether values drift. Statistics that know no energy."""

import math
from collections.abc import Sequence
from itertools import pairwise

_T95 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
    2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
    2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


def student_t95(degrees: int) -> float:
    """Two-sided 95 % quantile of Student's t: the table to 30 degrees of freedom, then its expansion."""
    if degrees <= len(_T95):
        return _T95[degrees - 1]
    z = 1.959964
    return z + (z**3 + z) / (4 * degrees) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * degrees**2)


def relative_half_width95(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Half the 95 % interval of sum(numerators) / sum(denominators) over rounds, as a share of it.

    The ratio estimator of Cochran, Sampling Techniques (1977), chapter 6, with Student's t, for rounds of
    which each may be like the one before: they tell as much as `effective_count` of others. None with fewer
    than three rounds, or where the ratio is not positive.
    """
    count = len(pairs)
    total = sum(denominator for _, denominator in pairs)
    if count < 3 or total <= 0 or sum(numerator for numerator, _ in pairs) <= 0:
        return None
    ratio = sum(numerator for numerator, _ in pairs) / total
    residuals = [numerator - ratio * denominator for numerator, denominator in pairs]
    effective = effective_count(residuals)
    # Rounds that are alike differ less from their mean than it does from the truth.
    variance = sum(residual**2 for residual in residuals) / (count - count / effective)
    half = student_t95(max(1, round(effective - 1))) * math.sqrt(variance / effective) / (total / count)
    return half / ratio


EVIDENT = 0.4
_EVIDENT_ROUNDS = 6
"""In fewer rounds a correlation cannot be told from chance; below it, rounds count as independent."""

_MOST_ALIKE = 0.95


def effective_count(residuals: Sequence[float]) -> float:
    """How many independent values tell as much of a mean as these: all of them unless they hang together.

    A steady rise or fall is left out, of which `relative_drift` tells. The formula is that of an
    autoregressive process of order 1 (Bayley and Hammersley, J. R. Statist. Soc. Suppl. 8, 1946).
    """
    count = len(residuals)
    if count < _EVIDENT_ROUNDS:
        return count
    alike = min(serial_correlation(_levelled(residuals)), _MOST_ALIKE)
    if alike <= EVIDENT:
        return count
    factor = (1 + alike) / (1 - alike) - 2 * alike * (1 - alike**count) / (count * (1 - alike) ** 2)
    return max(2.0, count / factor)


def _levelled(values: Sequence[float]) -> list[float]:
    """``values`` less their least-squares line."""
    steps, squares = _steps(len(values))
    mean = sum(values) / len(values)
    slope = sum(step * value for step, value in zip(steps, values, strict=True)) / squares if squares else 0.0
    return [value - mean - slope * step for step, value in zip(steps, values, strict=True)]


def _steps(count: int) -> tuple[list[float], float]:
    """The numbers of ``count`` values about their middle, and the sum of their squares."""
    steps = [number - (count - 1) / 2 for number in range(count)]
    return steps, sum(step * step for step in steps)


def serial_correlation(residuals: Sequence[float]) -> float:
    """How much of each residual is in the next, from -1 to 1; 0 where there are none.

    Corrected for its bias in few values (Marriott and Pope, Biometrika 41, 1954).
    """
    squares = sum(residual * residual for residual in residuals)
    if squares <= 0:
        return 0.0
    found = sum(one * other for one, other in pairwise(residuals)) / squares
    return max(-1.0, min(1.0, found + (1 + 4 * found) / len(residuals)))


def relative_drift(values: Sequence[float]) -> float | None:
    """How far ``values`` move from first to last along their least-squares line, as a share of their mean.

    None with fewer than four, or where the slope cannot be told from noise (95 %, Student's t).
    """
    count = len(values)
    mean = sum(values) / count if count else 0.0
    if count < 4 or mean <= 0:
        return None
    steps, squares = _steps(count)
    slope = sum(step * value for step, value in zip(steps, values, strict=True)) / squares
    noise = math.sqrt(sum(value * value for value in _levelled(values)) / (count - 2) / squares)
    return slope * (count - 1) / mean if abs(slope) > student_t95(count - 2) * noise else None


def student_tail(t: float, degrees: int) -> float:
    """The probability that Student's t is ``t`` or more: D. L. Wallace's normal approximation.

    Annals of Mathematical Statistics 30(4), 1959. From 4 degrees of freedom on it is good to 1 % where the
    tail is 0.025, and at most 16 % too large where it is 0.0005.
    """
    z = (8 * degrees + 1) / (8 * degrees + 3) * math.sqrt(degrees * math.log1p(t * t / degrees))
    return 0.5 * math.erfc(math.copysign(z, t) / math.sqrt(2))


def student_point(tail: float, degrees: int) -> float:
    """What Student's t reaches or exceeds with the probability ``tail``, of at most a half; see above."""
    low, high = 0.0, 1.0
    while student_tail(high, degrees) > tail:
        high *= 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if student_tail(middle, degrees) > tail else (low, middle)
    return high


_HALVINGS = 30
