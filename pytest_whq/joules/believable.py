"""Readings that cannot be: not a number, negative, or more than the device can draw. Pure.

Such a reading is a missed one. A counter that goes on from the impossible value has fallen or jumped in
truth, which the next reading tells.
"""

import math

MOST_W = 20_000.0
"""More than any board or node draws."""

_OVER_LIMIT = 3.0
"""Power limits are of a GPU, and a module draws more than it; for an instant a GPU does, too."""

_LATE_S = 2.5
"""A counter may show at once what was drawn in so long: it ticks seldom, or lags."""


class Believable:
    """Tells readings of a device that can be from those that cannot; ``limit_w`` is its power limit."""

    def __init__(self, limit_w: float | None = None) -> None:
        self._most_w = MOST_W if not limit_w else _OVER_LIMIT * limit_w
        self._last: tuple[float, float] | None = None
        self._odd: tuple[float, float] | None = None

    def power_w(self, power_w: float | None) -> float | None:
        """The power, None where it cannot be; no device draws nothing, as drivers say when asked too fast."""
        if power_w is None or not math.isfinite(power_w):
            return None
        return power_w if 0 < power_w <= self._most_w else None

    def energies(self, time_s: float, energy_j: float) -> list[tuple[float, float]]:
        """What may be taken in of the counter after this reading: times and joules.

        Mostly it is just this one. Nothing while it may be a single odd one, and both where it goes on from
        an odd one: then the counter has fallen or jumped with the first of them.
        """
        if not math.isfinite(energy_j) or energy_j < 0:
            return []
        seen = time_s, energy_j
        if self._last is None or self._follows(self._last, seen):
            self._last, self._odd = seen, None
            return [seen]
        if self._odd is not None and self._follows(self._odd, seen):
            odd, self._last, self._odd = self._odd, seen, None
            return [odd, seen]
        self._odd = seen
        return []

    def _follows(self, before: tuple[float, float], now: tuple[float, float]) -> bool:
        return 0 <= now[1] - before[1] <= self._most_w * (now[0] - before[0] + _LATE_S)
