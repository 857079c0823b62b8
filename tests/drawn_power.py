"""The watts of a simulated board over time, which rise and fall as silicon does, and their exact integral."""

import math
from bisect import bisect_right
from random import Random
from typing import NamedTuple

_SLICE_S = 0.01


class _Part(NamedTuple):
    """From ``start_s`` on power goes from ``from_w`` to ``target_w``, with a time constant."""

    start_s: float
    from_w: float
    target_w: float
    settling_s: float
    energy_j: float

    def left(self, time_s: float) -> float:
        """The share of the change that is still to come."""
        return math.exp(-(time_s - self.start_s) / self.settling_s) if self.settling_s else 0.0

    def power_w(self, time_s: float) -> float:
        return self.target_w + (self.from_w - self.target_w) * self.left(time_s)

    def drawn_j(self, time_s: float) -> float:
        changed_j = (self.from_w - self.target_w) * self.settling_s * (1 - self.left(time_s))
        return self.energy_j + self.target_w * (time_s - self.start_s) + changed_j


class DrawnPower:
    """What a board draws: each new level is reached with a time constant, up or down.

    ``noise`` is the standard deviation of the watts of each 10 ms, as a share of them.
    """

    def __init__(
        self, start_s: float, watts: float, *, rise_s: float, fall_s: float, noise: float, seed: int
    ) -> None:
        self._rise_s, self._fall_s = rise_s, fall_s
        self._parts = [_Part(start_s, watts, watts, 0.0, 0.0)]
        self._starts_s = [start_s]
        self._noise, self._random = noise, Random(seed)
        self._deviations_s = [0.0]

    def change(self, time_s: float, watts: float) -> None:
        """From ``time_s`` on, later than all before, it goes to ``watts``."""
        last = self._parts[-1]
        from_w = last.power_w(time_s)
        settling_s = self._rise_s if watts > from_w else self._fall_s
        self._parts.append(_Part(time_s, from_w, watts, settling_s, self.energy_j(time_s)))
        self._starts_s.append(time_s)

    def energy_j(self, time_s: float) -> float:
        """Joules drawn from the start to ``time_s``, negative before the start."""
        part = self._parts[max(0, bisect_right(self._starts_s, time_s) - 1)]
        joules = part.drawn_j(time_s)
        if self._noise:
            deviation_s = self._deviation_s(time_s) - self._deviation_s(part.start_s)
            joules += self._noise * part.target_w * deviation_s
        return joules

    def _deviation_s(self, time_s: float) -> float:
        """The integral of noise of standard deviation 1 from the start to ``time_s``."""
        slices = max(0.0, (time_s - self._starts_s[0]) / _SLICE_S)
        whole = math.floor(slices)
        while len(self._deviations_s) < whole + 2:
            self._deviations_s.append(self._deviations_s[-1] + self._random.gauss() * _SLICE_S)
        before_s, after_s = self._deviations_s[whole : whole + 2]
        return before_s + (after_s - before_s) * (slices - whole)
