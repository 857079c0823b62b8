"""How sure a mean or a ratio of means is, and whether values drift. Statistics that know no energy."""

import math
from collections.abc import Sequence

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

    The ratio estimator of Cochran, Sampling Techniques (1977), chapter 6, with Student's t. None with
    fewer than three rounds, or where the ratio is not positive.
    """
    count = len(pairs)
    total = sum(denominator for _, denominator in pairs)
    if count < 3 or total <= 0 or sum(numerator for numerator, _ in pairs) <= 0:
        return None
    ratio = sum(numerator for numerator, _ in pairs) / total
    squares = sum((numerator - ratio * denominator) ** 2 for numerator, denominator in pairs)
    half = student_t95(count - 1) * math.sqrt(squares / (count * (count - 1))) / (total / count)
    return half / ratio


def relative_drift(values: Sequence[float]) -> float | None:
    """How far ``values`` move from first to last along their least-squares line, as a share of their mean.

    None with fewer than four, or where the slope cannot be told from noise (95 %, Student's t).
    """
    count = len(values)
    mean = sum(values) / count if count else 0.0
    if count < 4 or mean <= 0:
        return None
    steps = [number - (count - 1) / 2 for number in range(count)]
    squares = sum(step * step for step in steps)
    slope = sum(step * value for step, value in zip(steps, values, strict=True)) / squares
    residuals = sum((v - mean - slope * s) ** 2 for s, v in zip(steps, values, strict=True))
    noise = math.sqrt(residuals / (count - 2) / squares)
    return slope * (count - 1) / mean if abs(slope) > student_t95(count - 2) * noise else None


def student_tail(t: float, degrees: int) -> float:
    """The probability that Student's t is ``t`` or more: D. L. Wallace's normal approximation.

    Annals of Mathematical Statistics 30(4), 1959. From 4 degrees of freedom on it is good to 1 % where the
    tail is 0.025, and at most 16 % too large where it is 0.0005.
    """
    z = (8 * degrees + 1) / (8 * degrees + 3) * math.sqrt(degrees * math.log1p(t * t / degrees))
    return 0.5 * math.erfc(math.copysign(z, t) / math.sqrt(2))
