"""The ticks of an energy counter: when it moved, as far as readings tell, and what it showed then. Pure."""

import math
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import pairwise

from pytest_whq.joules.refresh import RefreshPeriod, on_grid
from pytest_whq.joules.spans import Observed

LEVEL_SPAN_S = 0.08
"""A level is taken over at least this long: over shorter stretches the blur of its ticks shows."""

_UNSURE = 0.05
"""A tick whose bounds lie beyond a moment by more than this share may have been on either side of it."""


class CounterTicks:
    """Where a counter moved: the bounds of each tick's time, and the joules that it showed then."""

    def __init__(self) -> None:
        self.times_s = array("d")
        self.energies_j = array("d")
        self._widths_s = array("d")
        self.refresh = RefreshPeriod(longest_s=math.inf)
        self._last: tuple[float, float] | None = None
        self._longest_period_s = math.inf
        self._breaks: list[tuple[float, str]] = []

    def __len__(self) -> int:
        return len(self.times_s)

    def add(self, time_s: float, energy_j: float, *, broke: bool = False) -> None:
        """Take in a reading; readings come in the order of their times.

        ``broke``: it does not go on from the last.
        """
        last, self._last = self._last, (time_s, energy_j)
        if last is None or energy_j == last[1]:
            return
        unseen_s = time_s - last[0]
        self.refresh.add(time_s - unseen_s / 2, unseen_s)
        if self.times_s:
            # From one tick seen to the next at least one period has passed.
            since_s = time_s - self.times_s[-1] + self._widths_s[-1] / 2
            self._longest_period_s = min(self._longest_period_s, since_s)
        # Of several ticks since the last reading only the latest shows, at most a period ago.
        width_s = min(unseen_s, self._longest_period_s)
        tick_s = time_s - width_s / 2
        if energy_j < last[1]:
            self._breaks.append((tick_s, "fell"))
        elif broke:
            self._breaks.append((tick_s, "jumped"))
        self.times_s.append(tick_s)
        self.energies_j.append(energy_j)
        self._widths_s.append(width_s)

    @property
    def period_s(self) -> float | None:
        """Seconds from tick to tick; None where unknown, or where every reading found a tick."""
        return self.refresh.period_s

    @property
    def last_energy_j(self) -> float | None:
        """The counter as last read."""
        return None if self._last is None else self._last[1]

    def blur_s(self, index: int) -> float:
        """One standard uncertainty of a tick's time, which lies anywhere between its bounds."""
        # If evenly, a share of 1 / sqrt(12) would do; but windows open when a tick was just seen.
        return self._widths_s[index] / 3

    def power_w(self, first: int, last: int) -> float:
        """Mean watts from one tick to another."""
        return (self.energies_j[last] - self.energies_j[first]) / (self.times_s[last] - self.times_s[first])

    def observed(self, start_s: float, end_s: float) -> Iterator[Observed]:
        """The energy from tick to tick, of those that overlap the stretch from ``start_s`` to ``end_s``.

        A stretch in which the counter fell is left out.
        """
        ticks = on_grid(self.times_s, self._widths_s, self.period_s)
        if ticks is None:
            known = [(index, time_s, self.blur_s(index)) for index, time_s in enumerate(self.times_s)]
        else:
            known = [(index, tick.time_s, 0.0) for index, tick in enumerate(ticks) if not tick.unsure]
        for (before, before_s, before_blur_s), (after, after_s, after_blur_s) in pairwise(known):
            energy_j = self.energies_j[after] - self.energies_j[before]
            if before_s < min(end_s, after_s) and after_s > start_s and energy_j >= 0:
                blur_s = math.hypot(before_blur_s, after_blur_s)
                yield Observed(before_s, after_s, energy_j, energy_j / (after_s - before_s) * blur_s)

    def break_between(self, start_s: float, end_s: float) -> str | None:
        """What the counter did in that stretch, where it ``fell`` or ``jumped``."""
        return next((what for time_s, what in self._breaks if start_s <= time_s <= end_s), None)

    def settled_after(self, time_s: float) -> bool:
        """Whether the ticks after ``time_s`` tell the level there."""
        first = bisect_left(self.times_s, time_s)
        if first < len(self) and self._may_straddle(first, time_s):
            first += 1
        return len(self) - first >= 2 and self.times_s[-1] - self.times_s[first] >= LEVEL_SPAN_S

    def clear_of(self, moments_s: Iterable[float]) -> "CounterTicks":
        """The ticks less those that may lie on either side of one of ``moments_s``."""
        unsure: set[int] = set()
        for moment_s in moments_s:
            after = bisect_left(self.times_s, moment_s)
            near = range(max(0, after - 1), min(after + 1, len(self)))
            unsure.update(index for index in near if self._may_straddle(index, moment_s))
        if not unsure:
            return self
        clear = CounterTicks()
        clear._breaks = self._breaks
        for index in range(len(self)):
            if index not in unsure:
                clear.times_s.append(self.times_s[index])
                clear.energies_j.append(self.energies_j[index])
                clear._widths_s.append(self._widths_s[index])
        return clear

    def _may_straddle(self, index: int, moment_s: float) -> bool:
        beyond_s = self._widths_s[index] / 2 - abs(self.times_s[index] - moment_s)
        return beyond_s > _UNSURE * self._widths_s[index]
