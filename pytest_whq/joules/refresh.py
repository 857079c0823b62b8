"""The refresh period and phase of a sensor, learned from when its readings change. Pure.

`RefreshPeriod` learns while readings come; `on_grid` looks back and gives the moments of the refreshes
sharper than any reading saw them, since they lie on a grid.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

_SHARP = 0.2
"""A change is a point to count phases from when its moment is known to this share of the period."""

_CERTAIN = 0.4
"""How much of a period the grid may be out before the number of periods to a change is in doubt."""

_ROUGH = 0.1
"""Uncertainty of the period, as a share of it, after a change that the grid does not explain."""

_SHARPEST_S = 0.003
"""Readings are no closer than this: no grid is known better."""

_OUT = 0.03
"""How much of a period the grid may be out for phases to be set by it."""

_ALIKE = 0.2
"""Two pauses that differ by no more than this share are of one length."""

_COMMON_S = 0.15
_IN_A_ROW = 2
"""A longer period than is common is taken for one only when so many pauses are as long as the one before."""

_SHORTER = 0.7
"""Pauses shorter than this share of the period show that it was a multiple."""

_WIDE = 0.8
"""A change seen no better than to this share of the period may have fallen on either of two points."""

_FOLLOWED = 0.1
"""A grid is followed through many such changes only from one seen as well as to this share of the period."""

_NARROWEST_S = 1e-6
"""No change is known better: clocks may show two readings the same time."""

_NEAR = 0.15
"""Such a change, read so near to a point (as a share of the period), was on it or on the one before."""

_OFF = 0.03
"""How far, as a share of the period, a change may lie outside of its bounds and still be on the grid."""

_ALMOST_ALL = 0.9
"""The share of the changes that the grid must explain."""


class RefreshPeriod:
    """Learns a grid from changes that fall on it, though not on every point of it.

    The first pause between two changes gives the period roughly; then ever longer stretches, as long
    as the number of periods in them is certain, give it sharply. A first pause above ``longest_s``
    is no period. Unless it is ``certain`` that something changes at each point of the grid, a period is taken
    for one only when two pauses in a row agree on it, and a shorter one replaces it.
    """

    def __init__(self, longest_s: float, *, certain: bool = True) -> None:
        self._longest_s = longest_s
        self._certain = certain
        self._pause_s, self._alike = 0.0, 0
        self._seen_width_s = 0.0
        self.shortest_s = math.inf
        """No two changes can have been closer than any period: the shortest pause, by its outer bounds."""
        self.most_s = math.inf
        """Nor is any period longer than so many changes took on average, from before the first one on."""
        self._changes, self._since_s = 0, 0.0
        self.seen_s: float | None = None
        """When the latest change was seen, sharply or not."""
        self._first: tuple[float, float] | None = None
        self._uncertainty_s = 0.0
        self.period_s: float | None = None
        """Seconds from refresh to refresh; None where unknown, or shorter than readings are apart."""
        self.latest_s: float | None = None
        """The latest change whose moment is known sharply, and better than by the grid so far."""
        self._latest_width_s = 0.0

    def add(self, moment_s: float, width_s: float) -> None:
        """A change was seen, in the stretch of ``width_s`` around ``moment_s``."""
        pause_s, self.seen_s = moment_s - (moment_s if self.seen_s is None else self.seen_s), moment_s
        before_s, self._seen_width_s = self._seen_width_s, width_s
        if pause_s > 0:
            self.shortest_s = min(self.shortest_s, pause_s + (before_s + width_s) / 2)
        self._bound(moment_s - width_s / 2, moment_s + width_s / 2)
        if not self._certain and not self._agrees(pause_s, width_s):
            return
        if self._first is None:
            self._first = (moment_s, width_s)
        elif self.period_s is None:
            self._begin(moment_s, width_s, *self._first)
        else:
            self._refine(moment_s, width_s, self.period_s, *self._first)
        is_sharp = self.period_s is not None and width_s <= _SHARP * self.period_s
        if is_sharp and width_s / 2 <= self._out_s(moment_s):
            self.latest_s, self._latest_width_s = moment_s, width_s

    def _bound(self, earliest_s: float, latest_s: float) -> None:
        if self._changes:
            self.most_s = min(self.most_s, (latest_s - self._since_s) / self._changes)
        else:
            self._since_s = earliest_s
        self._changes += 1

    def _agrees(self, pause_s: float, width_s: float) -> bool:
        """Whether there is a period already, or enough pauses in a row are of one length."""
        before_s, self._pause_s = self._pause_s, pause_s
        alike = before_s > 0 and abs(pause_s - before_s) <= max(width_s, _ALIKE * pause_s)
        self._alike = self._alike + 1 if alike else 0
        enough = self._alike >= (_IN_A_ROW if pause_s > _COMMON_S else 1)
        if self.period_s is not None and enough and pause_s < _SHORTER * self.period_s:
            self.period_s, self._first, self.latest_s = None, None, None
        if self.period_s is None and enough and self._first is None and self.seen_s is not None:
            self._first = (self.seen_s - pause_s, width_s)
        return self.period_s is not None or enough

    def is_out_at(self, time_s: float) -> bool:
        """Whether the grid, counted on from the latest sharp change, may be off at ``time_s``."""
        if self.period_s is None or self.latest_s is None:
            return False
        return self._out_s(time_s) > max(_OUT * self.period_s, _SHARPEST_S)

    def _out_s(self, time_s: float) -> float:
        """How far the grid, counted on from the latest sharp change, may be off at ``time_s``."""
        if self.period_s is None or self.latest_s is None:
            return math.inf
        return self._latest_width_s / 2 + (time_s - self.latest_s) / self.period_s * self._uncertainty_s

    def _begin(self, moment_s: float, width_s: float, first_s: float, first_width_s: float) -> None:
        pause_s = moment_s - first_s
        self._uncertainty_s = (first_width_s + width_s) / 2
        longest_s = min(self._longest_s, self.shortest_s / _SHORTER)
        if pause_s <= longest_s and self._uncertainty_s < _SHARP * pause_s:
            self.period_s = pause_s
        else:
            self._first = (moment_s, width_s)

    def _refine(
        self, moment_s: float, width_s: float, period_s: float, first_s: float, first_width_s: float
    ) -> None:
        count = round((moment_s - first_s) / period_s)
        if count * self._uncertainty_s > _CERTAIN * period_s:
            self._first = (moment_s, width_s)
        elif count:
            found_s = (moment_s - first_s) / count
            uncertainty_s = (first_width_s + width_s) / 2 / count
            if abs(found_s - period_s) > self._uncertainty_s + uncertainty_s:
                self._first, self._uncertainty_s = (moment_s, width_s), _ROUGH * period_s
            elif uncertainty_s < self._uncertainty_s:
                self.period_s, self._uncertainty_s = found_s, uncertainty_s


class OnGrid(NamedTuple):
    """When a change was, and whether it may as well have been one point of the grid earlier or later."""

    time_s: float
    unsure: bool


def on_grid(
    moments_s: Sequence[float], widths_s: Sequence[float], period_s: float | None
) -> Sequence[OnGrid] | None:
    """The points of the grid on which changes fell, which were each seen in a stretch of some width around.

    ``period_s`` is roughly that of the grid. Point and period are fitted as the changes go by, in the order
    of their times, sharp ones weighing most. None where no grid explains almost all of them, and where
    most were read more seldom than the sensor refreshes, and none sharply: then their points are not known.
    """
    if period_s is None or not moments_s:
        return None
    wide = [width_s > _WIDE * period_s for width_s in widths_s]
    if sum(wide) > len(wide) / 2 and min(widths_s) > _FOLLOWED * period_s:
        return None
    line = _Line(moments_s[0], period_s)
    numbers = []
    for moment_s, width_s, is_wide in zip(moments_s, widths_s, wide, strict=True):
        # Between readings further apart than a period it is the last point before the later one.
        at = math.floor(line.at(moment_s + width_s / 2)) if is_wide else round(line.at(moment_s))
        numbers.append(at)
        if not is_wide:
            line.add(at, moment_s, width_s)
    found, explained = [], 0
    for number, moment_s, width_s, is_wide in zip(numbers, moments_s, widths_s, wide, strict=True):
        point_s = line.point_s(number)
        explained += abs(point_s - moment_s) <= width_s / 2 + _OFF * period_s
        read_at = line.at(moment_s + width_s / 2)
        unsure = is_wide and abs(read_at - round(read_at)) < _NEAR
        found.append(OnGrid(point_s, unsure))
    return found if explained >= _ALMOST_ALL * len(found) else None


class _Line:
    """A grid that is fitted to its points by weighted least squares, one by one."""

    _FEW = 3

    def __init__(self, origin_s: float, period_s: float) -> None:
        self._start_s = self._origin_s = origin_s
        self._period_s = period_s
        self._first: int | None = None
        self._weight = self._n = self._s = self._nn = self._ns = 0.0

    def at(self, time_s: float) -> float:
        """Which point of the grid ``time_s`` is, or between which it lies."""
        return (time_s - self._origin_s) / self._period_s

    def point_s(self, number: int) -> float:
        """The time of a point."""
        return self._origin_s + number * self._period_s

    def add(self, number: int, moment_s: float, width_s: float) -> None:
        """A change at the point ``number`` was seen, to its width."""
        weight, seconds = 1 / max(width_s, _NARROWEST_S) ** 2, moment_s - self._start_s
        self._weight += weight
        self._n += weight * number
        self._s += weight * seconds
        self._nn += weight * number * number
        self._ns += weight * number * seconds
        if self._first is None:
            self._first = number
        # From points close together, as where the first ones were not seen sharply, no period can be told.
        if number - self._first >= self._FEW:
            self._period_s = (self._weight * self._ns - self._n * self._s) / (
                self._weight * self._nn - self._n**2
            )
        self._origin_s = self._start_s + (self._s - self._period_s * self._n) / self._weight
