"""The refresh period and phase of a sensor, learned from when its readings change. Pure."""

import math

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


class RefreshPeriod:
    """Learns a grid from changes that fall on it, though not on every point of it.

    The first pause between two changes gives the period roughly; then ever longer stretches, as long
    as the number of periods in them is certain, give it sharply. A first pause above ``longest_s``
    is no period.
    """

    def __init__(self, longest_s: float) -> None:
        self._longest_s = longest_s
        self._first: tuple[float, float] | None = None
        self._uncertainty_s = 0.0
        self.period_s: float | None = None
        """Seconds from refresh to refresh; None where unknown, or shorter than readings are apart."""
        self.latest_s: float | None = None
        """The latest change whose moment is known sharply, and better than by the grid so far."""
        self._latest_width_s = 0.0

    def add(self, moment_s: float, width_s: float) -> None:
        """A change was seen, in the stretch of ``width_s`` around ``moment_s``."""
        if self._first is None:
            self._first = (moment_s, width_s)
        elif self.period_s is None:
            self._begin(moment_s, width_s, *self._first)
        else:
            self._refine(moment_s, width_s, self.period_s, *self._first)
        is_sharp = self.period_s is not None and width_s <= _SHARP * self.period_s
        if is_sharp and width_s / 2 <= self._out_s(moment_s):
            self.latest_s, self._latest_width_s = moment_s, width_s

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
        if pause_s <= self._longest_s and self._uncertainty_s < _SHARP * pause_s:
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
