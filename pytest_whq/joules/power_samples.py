"""What a power sensor showed, and how much of the time that tells of. Pure."""

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from pytest_whq.joules.refresh import OnGrid, RefreshPeriod, on_grid
from pytest_whq.joules.spans import Observed, Span

_REFRESH_S = 0.1
"""What GPUs of today have."""

_LONGEST_REFRESH_S = 2.0
"""No sensor refreshes more seldom."""

_STEADY_S = 1.05
"""Power that stays the same for so long is steady: a sensor that refreshes more seldom is not known."""

_LONGER = 1.1
"""A pause so many times as long as a span held none of its refreshes, whatever readings blur."""

_KEPT_APART_S = 0.05
"""Readings of the same value may be this far apart: a day of them fits in some ten megabytes."""

_SAME = 0.05
"""Stretches of the sensor's averaging that overlap by less than this share of it do not overlap."""

SEES_ALL = 0.8
"""A sensor that averages over less than this share of its refresh period looks only part of the time."""

SLOW_SENSOR_S = 0.5
"""A sensor that averages over longer smears a window's edges so far that short windows are hopeless."""


class PowerSamples:
    """Watts as read, with the refresh period as learned; ``averaging_s`` is the sensor's own."""

    def __init__(self, averaging_s: float) -> None:
        self.times_s = array("d")
        self.powers_w = array("d")
        self.averaging_s = averaging_s
        self.refresh = RefreshPeriod(longest_s=math.inf, certain=False)

    def __len__(self) -> int:
        return len(self.times_s)

    def add(self, time_s: float, power_w: float) -> None:
        """Take in a reading; readings come in the order of their times.

        Of a value that stays, its first and latest reading are kept, and one now and then between.
        """
        if self.times_s and power_w != self.powers_w[-1]:
            unseen_s = time_s - self.times_s[-1]
            self.refresh.add(time_s - unseen_s / 2, unseen_s)
        same = len(self) >= 2 and power_w == self.powers_w[-1] == self.powers_w[-2]
        if same and time_s - self.times_s[-2] < _KEPT_APART_S:
            self.times_s[-1] = time_s
            return
        self.times_s.append(time_s)
        self.powers_w.append(power_w)

    @property
    def refresh_s(self) -> float:
        """Seconds from refresh to refresh: as seen, else what GPUs of today have."""
        return self.refresh.period_s or _REFRESH_S

    @property
    def memory_s(self) -> float:
        """How far back a reading may look: the refresh that it shows, and what that averages."""
        return self.refresh_s + self.averaging_s

    @property
    def sees_all(self) -> bool:
        """Whether it averages over all of the time, and does not look only now and then."""
        return self.averaging_s >= SEES_ALL * self.refresh_s

    def shows_nothing_new(self, span: Span) -> bool:
        """Whether a sensor of unknown period may have slept through a good part of ``span``."""
        if self.refresh.period_s is not None or span.duration_s > _LONGEST_REFRESH_S:
            return False
        around = self.between(span.start_s - _STEADY_S, span.end_s + self.memory_s)
        changes = sum(self.powers_w[i] != self.powers_w[i - 1] for i in around if i > around.start)
        # It may refresh as seldom as two of its changes were seen apart.
        return changes <= 1 or self.refresh.shortest_s > _LONGER * span.duration_s

    def between(self, start_s: float, end_s: float) -> range:
        """Indices of the readings from ``start_s`` to ``end_s``."""
        return range(bisect_left(self.times_s, start_s), bisect_right(self.times_s, end_s))

    def observed(self, start_s: float, end_s: float) -> Iterator[Observed]:
        """What the sensor saw of the stretch from ``start_s`` to ``end_s``: its mean over its averaging.

        Each part of the time is seen once at most. A sensor that averages over long tells no part of it.
        """
        if self.averaging_s >= SLOW_SENSOR_S:
            return
        averaging_s = self.averaging_s or self.refresh_s
        seen_until_s = -math.inf
        for time_s, power_w, blur_s in self._refreshes():
            from_s = time_s - averaging_s
            if from_s < end_s and time_s > start_s and from_s > seen_until_s - _SAME * averaging_s:
                seen_until_s = time_s
                yield Observed(from_s, time_s, power_w * averaging_s, power_w * blur_s)

    def _refreshes(self) -> Iterator[tuple[float, float, float]]:
        """Time, watts and the time's standard uncertainty of each refresh, also of one to the same watts."""
        period_s = self.refresh.period_s
        if period_s is None:
            readings = zip(self.times_s, self.powers_w, strict=True)
            yield from ((time_s, power_w, 0.0) for time_s, power_w in readings)
            return
        changes = [n for n in range(1, len(self)) if self.powers_w[n] != self.powers_w[n - 1]]
        widths_s = [min(self.times_s[n] - self.times_s[n - 1], period_s) for n in changes]
        moments_s = [self.times_s[n] - width_s / 2 for n, width_s in zip(changes, widths_s, strict=True)]
        points = on_grid(moments_s, widths_s, period_s)
        seen = [OnGrid(moment_s, False) for moment_s in moments_s] if points is None else points
        ends_s = [*(point.time_s for point in seen[1:]), self.times_s[-1]]
        for n, width_s, point, until_s in zip(changes, widths_s, seen, ends_s, strict=True):
            blur_s = width_s / math.sqrt(12) if points is None else 0.0
            for refresh in range(max(1, round((until_s - point.time_s) / period_s))):
                if not point.unsure:
                    yield point.time_s + refresh * period_s, self.powers_w[n], blur_s

    def settled_after(self, time_s: float) -> bool:
        """Whether readings after ``time_s`` tell the level there."""
        return bool(self.times_s) and self.times_s[-1] >= time_s + self.memory_s

    @property
    def refresh_is_seen(self) -> bool:
        """Whether it need not be waited for changes any more: the period is known, or power is steady."""
        if self.refresh.period_s is not None:
            return True
        return bool(self.times_s) and self.times_s[-1] - (self.refresh.seen_s or self.times_s[0]) > _STEADY_S
