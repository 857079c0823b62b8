"""What a sensor that looks only part of the time leaves open of what it did not see. Pure."""

import math
from collections.abc import Sequence

from pytest_whq.interval import student_t95

UNSEEN = 0.3
"""Relative scatter of a load from look to look, before any was seen: equal looks prove no steady load."""

_BLOCKS = (1, 2, 4, 8)
"""So many neighbours are taken together: looks at about the pace of a load see the like again and again."""

_FEWEST_BLOCKS = 4


def scatter_of(values: Sequence[float], numbers: Sequence[float], unseen: float = UNSEEN) -> float:
    """Standard deviation of single looks, from means of several: of each the ``numbers`` of looks in it.

    Stretched, so that two of it hold 95 % where only a few were seen (Student), and taken over the longest
    stretches in which looks are alike. ``unseen`` is the relative scatter that is taken before any was seen.
    """
    return max(
        _scatter(values, numbers, size, unseen)
        for size in _BLOCKS
        if size == 1 or len(values) >= _FEWEST_BLOCKS * size
    )


def _scatter(values: Sequence[float], numbers: Sequence[float], size: int, unseen: float) -> float:
    starts = range(0, len(values), size)
    counts = [math.fsum(numbers[start : start + size]) for start in starts]
    sums = [
        math.fsum(v * n for v, n in zip(values[s : s + size], numbers[s : s + size], strict=True))
        for s in starts
    ]
    mean = math.fsum(sums) / math.fsum(counts)
    squares = math.fsum(
        count * (total / count - mean) ** 2 for total, count in zip(sums, counts, strict=True)
    )
    degrees = len(counts)
    return math.sqrt(((unseen * mean) ** 2 + squares) / degrees) * student_t95(degrees) / 2


def sampled_error_j(scatter_w: float, looks: float, spans: int, refresh_s: float) -> float:
    """One standard uncertainty of the joules of spans from so many looks in them, and of their edges."""
    return scatter_w * refresh_s * math.sqrt(looks + 2 * spans)
