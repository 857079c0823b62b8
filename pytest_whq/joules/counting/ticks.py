"""The ticks of an energy counter: when it moved, as far as readings tell, and what it showed then. Pure."""

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from itertools import pairwise

from pytest_whq.joules.refresh import RefreshPeriod, on_grid
from pytest_whq.joules.spans import Observed

LEVEL_SPAN_S = 0.08
"""A level is taken over at least this long: over shorter stretches the blur of its ticks shows."""

SLOW_COUNTER_S = 0.25
"""A counter that ticks more seldom tells of times too far from the spans: there power tells the levels."""

FALL_S = 0.45
"""Ticks so long after a load tell how power fell."""

_FALLING = 0.05
"""Power that falls by no more than this share of it is level."""

FALL_TICKS = 3
"""The level after a load and how power came down to it are two unknowns: two steps between ticks."""

_UNSURE = 0.05
"""A tick whose bounds lie beyond a moment by more than this share may have been on either side of it."""

_SHARP = 0.1
"""Between two ticks whose times are known to this share of the period, how many there were is known, too."""

_ON_GRID_S = 0.004
"""So wide are the bounds of a tick on a grid: readings are about as close, and no grid is known better."""

_QUANTA_J = (1.0, 0.1, 0.01)
"""The smallest steps of counters that show no thousandths."""

_WHOLE = 1e-4
"""A number of steps that differs from a whole number by no more is one."""


def quantum_of(energy_j: float, longest_j: float = _QUANTA_J[0]) -> float:
    """The largest step, no larger than ``longest_j``, in which a counter that shows ``energy_j`` may move."""
    fitting = (q for q in _QUANTA_J if q <= longest_j and abs(energy_j / q - round(energy_j / q)) <= _WHOLE)
    return next(fitting, 0.0)


class CounterTicks:
    """Where a counter moved: the bounds of each tick's time, and the joules that it showed then."""

    def __init__(self) -> None:
        self.times_s = array("d")
        self.energies_j = array("d")
        self._widths_s = array("d")
        self.refresh = RefreshPeriod(longest_s=math.inf)
        self._quantum_j = _QUANTA_J[0]
        self._last: tuple[float, float] | None = None
        self._longest_period_s = math.inf
        self._breaks: list[tuple[float, str]] = []
        self._blur_s = 0.0

    def __len__(self) -> int:
        return len(self.times_s)

    def add(self, time_s: float, energy_j: float, blur_s: float = 0.0, *, broke: bool = False) -> None:
        """Take in a reading; readings come in the order of their times.

        It may be of any moment in the ``blur_s`` around its time. ``broke``: it does not go on from the last.
        """
        before_s, self._blur_s = self._blur_s, blur_s
        last, self._last = self._last, (time_s, energy_j)
        if last is None or energy_j == last[1]:
            return
        unseen_s = time_s - last[0] + (before_s + blur_s) / 2
        latest_s = time_s + blur_s / 2
        self.refresh.add(latest_s - unseen_s / 2, unseen_s)
        if self.times_s:
            # From one tick seen to the next at least one period has passed.
            since_s = latest_s - self.times_s[-1] + self._widths_s[-1] / 2
            self._longest_period_s = min(self._longest_period_s, since_s)
        # Of several ticks since the last reading only the latest shows, at most a period ago.
        width_s = min(unseen_s, self._longest_period_s + blur_s)
        tick_s = latest_s - width_s / 2
        if energy_j < last[1]:
            self._breaks.append((tick_s, "fell"))
        elif broke:
            self._breaks.append((tick_s, "jumped"))
        self.times_s.append(tick_s)
        self.energies_j.append(energy_j)
        self._widths_s.append(width_s)
        self._quantum_j = quantum_of(energy_j, self._quantum_j)

    @property
    def period_s(self) -> float | None:
        """Seconds from tick to tick; None where unknown, or where every reading found a tick."""
        return self.refresh.period_s

    @property
    def last_energy_j(self) -> float | None:
        """The counter as last read."""
        return None if self._last is None else self._last[1]

    @property
    def latest_between_ticks_s(self) -> float | None:
        """The middle between the two latest ticks; None with fewer."""
        return (self.times_s[-2] + self.times_s[-1]) / 2 if len(self) >= 2 else None

    def blur_s(self, index: int) -> float:
        """One standard uncertainty of a tick's time, which lies anywhere between its bounds."""
        # If evenly, a share of 1 / sqrt(12) would do; but windows open when a tick was just seen.
        return self._widths_s[index] / 3

    def error_j(self, index: int, power_w: float) -> float:
        """One standard uncertainty of what was drawn until a tick, where ``power_w`` is drawn around it."""
        return math.hypot(power_w * self.blur_s(index), self._quantum_j / math.sqrt(12))

    def power_w(self, first: int, last: int) -> float:
        """Mean watts from one tick to another."""
        return (self.energies_j[last] - self.energies_j[first]) / (self.times_s[last] - self.times_s[first])

    def observed(self, start_s: float, end_s: float) -> Iterator[Observed]:
        """The energy from tick to tick, of those that overlap the stretch from ``start_s`` to ``end_s``.

        A stretch in which the counter fell is left out.
        """
        for (before_s, before_j, before_blur_s), (after_s, after_j, after_blur_s) in pairwise(self._known()):
            energy_j = after_j - before_j
            if before_s < min(end_s, after_s) and after_s > start_s and energy_j >= 0:
                blur_s = math.hypot(before_blur_s, after_blur_s)
                yield Observed(before_s, after_s, energy_j, energy_j / (after_s - before_s) * blur_s)

    def sharp(self) -> Iterator[tuple[float, float]]:
        """Time and joules of each tick whose place on the counter's grid is known, or whose own time is."""
        blur_s = _SHARP * (self.period_s or math.inf)
        return ((time_s, energy_j) for time_s, energy_j, error_s in self._known() if error_s <= blur_s)

    def _known(self) -> list[tuple[float, float, float]]:
        """Time, joules and the time's standard uncertainty of each tick that is not in doubt."""
        ticks = on_grid(self.times_s, self._widths_s, self.period_s)
        if ticks is None:
            return [
                (time_s, energy_j, self.blur_s(index))
                for index, (time_s, energy_j) in enumerate(zip(self.times_s, self.energies_j, strict=True))
            ]
        return [
            (tick.time_s, energy_j, 0.0)
            for tick, energy_j in zip(ticks, self.energies_j, strict=True)
            if not tick.unsure
        ]

    def sharpened(self) -> "CounterTicks":
        """The ticks where the counter's grid has them; as they were seen where no grid explains them."""
        grid = on_grid(self.times_s, self._widths_s, self.period_s)
        if grid is None or any(after.time_s <= before.time_s for before, after in pairwise(grid)):
            return self
        sharp = CounterTicks()
        sharp._quantum_j = self._quantum_j
        sharp._breaks = self._breaks
        seen = zip(self.times_s, self.energies_j, self._widths_s, strict=True)
        for tick, (time_s, energy_j, width_s) in zip(grid, seen, strict=True):
            # A tick that its point does not explain was on another one.
            if not tick.unsure and abs(tick.time_s - time_s) <= width_s / 2 + _ON_GRID_S:
                sharp.times_s.append(tick.time_s)
                sharp.energies_j.append(energy_j)
                sharp._widths_s.append(min(width_s, _ON_GRID_S))
        return sharp

    def between(self, start_s: float, end_s: float) -> range:
        """The ticks in that stretch, by their places."""
        return range(bisect_left(self.times_s, start_s), bisect_right(self.times_s, end_s))

    def break_between(self, start_s: float, end_s: float) -> str | None:
        """What the counter did in that stretch, where it ``fell`` or ``jumped``."""
        return next((what for time_s, what in self._breaks if start_s <= time_s <= end_s), None)

    def settled_after(self, time_s: float, *, fallen: bool = False) -> bool:
        """Whether the ticks after ``time_s`` tell the level there, and if ``fallen`` how power got there."""
        first = bisect_left(self.times_s, time_s)
        if first < len(self) and self._may_straddle(first, time_s):
            first += 1
        if len(self) - first < 2:
            return False
        seen_s = self.times_s[-1] - self.times_s[first]
        if fallen and self.times_s[first + 1] - self.times_s[first] < SLOW_COUNTER_S:
            return len(self) - first >= FALL_TICKS and (seen_s >= FALL_S or self._is_level(first))
        return seen_s >= LEVEL_SPAN_S

    def _is_level(self, first: int) -> bool:
        """Whether power does not fall any more in the two latest stretches since the tick ``first``."""
        last = len(self) - 1
        middle = self.before(last)
        earliest = None if middle is None else self.before(middle)
        if middle is None or earliest is None or earliest < first:
            return False
        power_w = self.power_w(middle, last)
        blur_j = math.hypot(self.error_j(earliest, power_w), 2 * self.error_j(middle, power_w))
        seconds = self.times_s[last] - self.times_s[middle]
        return self.power_w(earliest, middle) - power_w <= _FALLING * power_w + blur_j / seconds

    def before(self, index: int) -> int | None:
        """The latest tick before that of ``index`` that is far enough from it for a level; None without."""
        return next(
            (n for n in range(index - 1, -1, -1) if self.times_s[index] - self.times_s[n] >= LEVEL_SPAN_S),
            None,
        )

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
        clear._quantum_j = self._quantum_j
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
