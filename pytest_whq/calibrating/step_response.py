"""What a sensor's answers to steps of the load tell of it: its refresh period and what it averages. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

_SHORTEST_S, _LONGEST_S, _FINENESS = 0.002, 4.0, 1.02
"""The averaging windows that are tried: from one to the other, each so many times the one before."""

_SETTLED = 0.4
"""The last part of a step by which its level is told: what the sensor averages must fit in what is before."""

_CLEAR = 0.1
"""A step that is smaller than this share of the higher level is none to learn from."""

BLURRED = 2.0
"""A refresh seen so many times less sharply than most: the reader was held up."""


@dataclass(frozen=True, slots=True)
class Step:
    """The load changed at ``time_s``, to on or off, and stayed so until ``end_s``."""

    time_s: float
    end_s: float
    on: bool


@dataclass(frozen=True, slots=True)
class Refresh:
    """A sensor came to show something else at ``time_s``, which is known to ``width_s``."""

    time_s: float
    shown: float
    width_s: float


def period_of(changes_s: Sequence[float]) -> float | None:
    """Seconds of the grid on which changes fall, though not on every point of it; None for too few."""
    if len(changes_s) < 3:
        return None
    pauses_s = [later - earlier for earlier, later in pairwise(changes_s)]
    typical_s = median(pauses_s)
    return (changes_s[-1] - changes_s[0]) / sum(max(1, round(pause_s / typical_s)) for pause_s in pauses_s)


def level_w(refreshes: Sequence[Refresh], steps: Sequence[Step], *, on: bool) -> float | None:
    """Watts while the load is ``on`` or off, None where no such step was seen."""
    levels_w = [_settled_w(refreshes, step.time_s, step.end_s) for step in steps if step.on == on]
    known_w = [level for level in levels_w if level is not None]
    return median(known_w) if known_w else None


def averaging_of(refreshes: Sequence[Refresh], steps: Sequence[Step]) -> float | None:
    """Over how many seconds before a refresh the sensor averages; None where the steps do not tell.

    A mean over a window shows at a refresh, by how much of its window the step is past, so much of the
    step, and from then on all of it. The window taken is the one whose shares come nearest to those
    shown, by least squares.
    """
    points = [point for before, step in pairwise(steps) for point in _shares(refreshes, before, step)]
    if not points:
        return None
    count = math.ceil(math.log(_LONGEST_S / _SHORTEST_S, _FINENESS))
    windows_s = [_SHORTEST_S * _FINENESS**number for number in range(count + 1)]
    return min(windows_s, key=lambda window_s: _misfit(points, window_s))


def _misfit(points: Sequence[tuple[float, float]], window_s: float) -> float:
    return sum((min(1.0, delay_s / window_s) - share) ** 2 for delay_s, share in points)


def _shares(refreshes: Sequence[Refresh], before: Step, step: Step) -> list[tuple[float, float]]:
    """Of each refresh in ``step``, how long after its beginning it was, and how much of it was shown."""
    from_w = _settled_w(refreshes, before.time_s, before.end_s)
    to_w = _settled_w(refreshes, step.time_s, step.end_s)
    if from_w is None or to_w is None or abs(to_w - from_w) < _CLEAR * max(from_w, to_w):
        return []
    limit_s = BLURRED * median(refresh.width_s for refresh in refreshes)
    return [
        (refresh.time_s - step.time_s, (refresh.shown - from_w) / (to_w - from_w))
        for refresh in refreshes
        if step.time_s < refresh.time_s <= step.end_s and refresh.width_s <= limit_s
    ]


def _settled_w(refreshes: Sequence[Refresh], start_s: float, end_s: float) -> float | None:
    inside = [refresh for refresh in refreshes if start_s < refresh.time_s <= end_s]
    settled = [r.shown for r in inside if r.time_s > end_s - _SETTLED * (end_s - start_s)]
    if settled:
        return median(settled)
    # It has not changed since.
    return inside[-1].shown if inside else None
