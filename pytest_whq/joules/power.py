"""Joules from readings of power, for devices without an energy counter. Pure.

A power sensor shows, until its next refresh, the mean over some time before the last one. So a
reading tells of the span only when that time lay inside it, and tells of the moment half that time
earlier. Such readings are joined by straight lines, and the first and last held to the span's edges.
"""

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import fmean, median, pstdev

from pytest_whq.joules.refresh import OnGrid, RefreshPeriod, on_grid
from pytest_whq.joules.rest import UNSEEN_CHANGE, Level, level_at_rest
from pytest_whq.joules.sampling import sampled_error_j, scatter_of
from pytest_whq.joules.spans import Observed, Span, SpanEnergies, UnmeasurableError, start_of

_REFRESH_S = 0.1
MAX_GAP_S = 1.0
"""A longer stretch without a reading is too much to fill in, in a span of up to `_LONG_S`."""

_LONG_S = 50.0
_GAP_SHARE = 0.25
"""And so is one of more than this share of a short span; of a long one `MAX_GAP_S` in `_LONG_S`."""

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

_LEAST = 0.005
"""Relative uncertainty that a figure from power has at least."""

_UNSEEN = 0.15
"""Relative uncertainty of what was drawn where readings are missing."""

SLOW_SENSOR_S = 0.5
"""A sensor that averages over longer smears a window's edges so far that short windows are hopeless."""

_SLOW_WINDOWS = 4.5
"""How many times its averaging a window must last for such a sensor."""

FOLLOWS_S = 0.03
"""Power may follow a load so late: no reading tells what it drew at the edges."""


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


def power_energy(
    samples: PowerSamples, spans: Sequence[Span], beside: Sequence[Span] = (), follows_s: float = FOLLOWS_S
) -> SpanEnergies:
    """Joules of each of ``spans``, which are in order and do not overlap.

    ``beside`` are spans of the same load right before and after those; by ``follows_s`` power may be late.
    Raises `UnmeasurableError` for a span too short for the sensor and for one with a gap.
    """
    parts = [_span_energy(samples, span) for span in spans]
    rest = _rest(samples, sorted((*spans, *beside), key=start_of))
    energies_j = tuple(energy_j for energy_j, _ in parts)
    late_j = _late_j(spans, sum(energies_j), rest, follows_s) if samples.sees_all else 0.0
    uncertainty_j = math.hypot(*(uncertainty_j for _, uncertainty_j in parts), late_j)
    return SpanEnergies(
        "power",
        energies_j,
        uncertainty_j,
        None if rest is None else rest.power_w,
        0.0 if samples.sees_all else uncertainty_j,
        0.0 if rest is None else rest.error_w,
        tuple(_told_j(samples, span) for span in beside),
        late_j,
    )


def _late_j(spans: Sequence[Span], energy_j: float, rest: Level | None, follows_s: float) -> float:
    """What is in doubt of ``energy_j`` as power may follow a load late, beyond what is in any case."""
    above_w = energy_j / math.fsum(span.duration_s for span in spans) - (
        0.0 if rest is None else rest.power_w
    )
    late_j = abs(above_w) * follows_s / 2 * len(spans)
    return math.sqrt(max(0.0, late_j**2 - (_LEAST * energy_j) ** 2))


def _told_j(samples: PowerSamples, span: Span) -> float | None:
    try:
        return _span_energy(samples, span)[0]
    except UnmeasurableError:
        return None


def _span_energy(samples: PowerSamples, span: Span) -> tuple[float, float]:
    inside = samples.between(span.start_s + samples.memory_s, span.end_s)
    times_s = [samples.times_s[i] for i in inside]
    powers_w = [samples.powers_w[i] for i in inside]
    first_s = min(span.start_s + samples.memory_s, span.end_s)
    gap_s = max(after - before for before, after in pairwise([first_s, *times_s, span.end_s]))
    longest_s = _longest_gap_s(samples, span)
    if gap_s > longest_s:
        raise UnmeasurableError(
            "sample_gap",
            f"no power reading for {gap_s:.1f} s inside the window; at most {longest_s:.1f} s is filled in",
        )
    slow = samples.averaging_s >= SLOW_SENSOR_S
    if len(inside) < 2 or (slow and span.duration_s < _SLOW_WINDOWS * samples.averaging_s):
        raise UnmeasurableError(
            "window_too_short",
            f"the power sensor looks back over up to {samples.memory_s * 1000:.0f} ms, "
            f"so a window of {span.duration_s * 1000:.0f} ms is too short for it",
        )
    if samples.shows_nothing_new(span):
        raise UnmeasurableError(
            "window_too_short",
            f"the power sensor showed nothing new in a window of {span.duration_s * 1000:.0f} ms: "
            "it may refresh more seldom",
        )
    centres_s = [time_s - samples.memory_s / 2 for time_s in times_s]
    energy_j = powers_w[0] * (centres_s[0] - span.start_s) + powers_w[-1] * (span.end_s - centres_s[-1])
    for (start_s, start_w), (end_s, end_w) in pairwise(zip(centres_s, powers_w, strict=True)):
        energy_j += (start_w + end_w) / 2 * (end_s - start_s)
    bridged_j = fmean(powers_w) * _UNSEEN * max(0.0, gap_s - samples.memory_s)
    return energy_j, math.hypot(_uncertainty_j(samples, span, times_s, powers_w), bridged_j)


def _longest_gap_s(samples: PowerSamples, span: Span) -> float:
    """The longest stretch without a reading that is filled in."""
    seldom_s = 2.5 * samples.refresh_s
    return max(seldom_s, min(_GAP_SHARE * span.duration_s, max(1.0, span.duration_s / _LONG_S) * MAX_GAP_S))


def _uncertainty_j(
    samples: PowerSamples, span: Span, times_s: Sequence[float], powers_w: Sequence[float]
) -> float:
    """What the refreshes that were seen leave open of the rest of the span."""
    least_j = _LEAST * fmean(powers_w) * span.duration_s
    if not samples.sees_all:
        looks_w = _one_each(times_s, powers_w, samples.refresh_s)
        scatter_w = scatter_of(looks_w, [1.0] * len(looks_w))
        # Readings further apart than refreshes see fewer looks than there were.
        apart_s = max(samples.refresh_s, span.duration_s / len(looks_w))
        return math.hypot(sampled_error_j(scatter_w, len(looks_w), 1, apart_s), least_j)
    return spread_j(powers_w, span.duration_s, samples.refresh_s, samples.memory_s)


def spread_j(powers_w: Sequence[float], duration_s: float, refresh_s: float, memory_s: float) -> float:
    """What refreshes that were seen leave open of the rest of a stretch, as one standard uncertainty.

    ``memory_s`` is how far back a reading may look at the edges.
    """
    refreshes = max(1.0, duration_s / refresh_s)
    mean_w = fmean(powers_w)
    spread_w = math.sqrt(fmean((power_w - mean_w) ** 2 for power_w in powers_w))
    return math.hypot(
        spread_w * duration_s / math.sqrt(refreshes),
        spread_w * memory_s,
        _LEAST * mean_w * duration_s,
    )


def _one_each(times_s: Sequence[float], powers_w: Sequence[float], refresh_s: float) -> list[float]:
    """One reading of each refresh."""
    chosen, next_s = [], -math.inf
    for time_s, power_w in zip(times_s, powers_w, strict=True):
        if time_s >= next_s:
            chosen.append(power_w)
            next_s = time_s + refresh_s
    return chosen


def _rest(samples: PowerSamples, spans: Sequence[Span]) -> Level | None:
    """The level at rest, by the readings around the spans."""
    before = samples.between(-math.inf, spans[0].start_s)
    after = samples.between(spans[-1].end_s + samples.memory_s, math.inf)
    return level_at_rest(*(_level([samples.powers_w[i] for i in side]) for side in (before, after)))


def _level(powers_w: Sequence[float]) -> Level | None:
    if not powers_w:
        return None
    return Level(median(powers_w), math.hypot(pstdev(powers_w), UNSEEN_CHANGE * median(powers_w)))
