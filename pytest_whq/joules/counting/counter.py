"""Joules from a lifetime energy counter that moves in ticks of unknown period and phase. Pure.

Between two ticks a counter tells nothing, so its difference over a short span is wrong by up to a
tick at each end. But at a tick it is exact, and outside the spans the device mostly draws a steady
level, which the ticks there tell. So where spans cover an interval between ticks only in part, they
drew its whole energy less the level outside times the time outside.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from pytest_whq.joules.counting.ticks import LEVEL_SPAN_S, CounterTicks
from pytest_whq.joules.spans import Span, SpanEnergies, UnmeasurableError

_UNSTEADY = 0.25
"""A level that differs from the one further out by more than this share is not steady."""

_VAGUE = 0.1
"""A tick that slow readings saw, blurred by more than this share of a level's length, tells no change."""

_UNSEEN_CHANGE = 0.03
"""Relative uncertainty of a level outside where no further one was seen to compare it with."""


@dataclass(frozen=True, slots=True)
class _Outside:
    """The level on one side of the spans, as two ticks ``span_s`` apart tell it.

    ``drift_w`` is by how much it may differ nearer to the spans; the blurs are those of the tick next to
    the spans and of the one further out.
    """

    power_w: float
    drift_w: float
    steady: bool
    span_s: float
    near_blur_s: float
    far_blur_s: float

    def uncertainty_j(self, outside_s: float) -> float:
        """One standard uncertainty of the joules drawn from the near tick to the spans, ``outside_s`` away.

        A tick in truth later than taken leaves a shorter stretch, and tells a lower level for it.
        """
        share = outside_s / self.span_s
        near_j = self.power_w * self.near_blur_s * (1 + share)
        return math.hypot(near_j, self.power_w * self.far_blur_s * share, self.drift_w * outside_s)


def counter_energy(ticks: CounterTicks, spans: Sequence[Span]) -> SpanEnergies:
    """Joules of each of ``spans``, which are in order and do not overlap.

    Raises `UnmeasurableError` where the counter fell, or did not tick on both sides.
    """
    start_s, end_s = spans[0].start_s, spans[-1].end_s
    ticks = ticks.clear_of(edge_s for span in spans for edge_s in (span.start_s, span.end_s))
    first = bisect_right(ticks.times_s, start_s) - 1
    last = bisect_left(ticks.times_s, end_s)
    if first < 0 or last >= len(ticks):
        side = "before" if first < 0 else "after"
        raise UnmeasurableError(
            "counter_stuck", f"the energy counter did not move {side} the window, while readings went on"
        )
    if broke := ticks.break_between(ticks.times_s[first], ticks.times_s[last]):
        raise UnmeasurableError("counter_reset", f"the energy counter {broke} while the window was open")
    outermost_s = ticks.times_s[_reach(ticks, first, -1)], ticks.times_s[_reach(ticks, last, +1)]
    if broke := ticks.break_between(*outermost_s):
        raise UnmeasurableError(
            "counter_reset", f"the energy counter {broke} right before or after the window"
        )
    before = _outside(ticks, first, -1)
    after = _outside(ticks, last, +1)
    shares = _Shares(ticks, spans, before, after)
    energies_j = tuple(shares.energy_j(span) for span in spans)
    levels_w = [level.power_w for level in (before, after) if level is not None]
    idle_w = fmean(levels_w) if levels_w else None
    return SpanEnergies("counter", energies_j, shares.uncertainty_j(first, last), idle_w)


def _outside(ticks: CounterTicks, edge: int, step: int) -> _Outside | None:
    """The level beyond the tick ``edge``, going back (``step`` -1) or on (+1); None without a tick there."""
    near = _walk(ticks, edge, step)
    if near is None:
        return None
    power_w = ticks.power_w(edge, near)
    span_s = abs(ticks.times_s[near] - ticks.times_s[edge])
    blurs_s = ticks.blur_s(edge), ticks.blur_s(near)
    further = _walk(ticks, near, step)
    if further is None or ticks.blur_s(further) > _VAGUE * span_s:
        return _Outside(power_w, _UNSEEN_CHANGE * power_w, True, span_s, *blurs_s)
    change_w = abs(ticks.power_w(near, further) - power_w)
    steady = change_w <= _UNSTEADY * power_w + 3 * power_w * math.hypot(*blurs_s) / span_s
    return _Outside(power_w, change_w / 2, steady, span_s, *blurs_s)


def _reach(ticks: CounterTicks, edge: int, step: int) -> int:
    """The furthest tick that the level beyond ``edge`` is told from."""
    near = _walk(ticks, edge, step)
    if near is None:
        return edge
    further = _walk(ticks, near, step)
    return near if further is None else further


def _walk(ticks: CounterTicks, edge: int, step: int) -> int | None:
    """The first tick from ``edge`` on that is far enough for a level."""
    index = edge + step
    while 0 <= index < len(ticks):
        if abs(ticks.times_s[index] - ticks.times_s[edge]) >= LEVEL_SPAN_S:
            return index
        index += step
    return None


class _Shares:
    """How the energy between two ticks divides among the spans and what lies outside them."""

    def __init__(
        self, ticks: CounterTicks, spans: Sequence[Span], before: _Outside | None, after: _Outside | None
    ) -> None:
        self._ticks = ticks
        self._spans = spans
        self._starts_s = [span.start_s for span in spans]
        self._before, self._after = before, after

    def energy_j(self, span: Span) -> float:
        """Joules of one of the spans."""
        times_s, energies_j = self._ticks.times_s, self._ticks.energies_j
        first = bisect_right(times_s, span.start_s) - 1
        last = max(first, bisect_left(times_s, span.end_s) - 1)
        if first == last:
            return self._share_j(first, span)
        whole_j = energies_j[last] - energies_j[first + 1]
        return self._share_j(first, span) + whole_j + self._share_j(last, span)

    def _share_j(self, interval: int, span: Span) -> float:
        start_s, end_s = self._ticks.times_s[interval], self._ticks.times_s[interval + 1]
        energy_j = self._ticks.energies_j[interval + 1] - self._ticks.energies_j[interval]
        first = bisect_right(self._starts_s, start_s) - 1
        last = bisect_left(self._starts_s, end_s)
        covered_s = sum(s.overlap_s(start_s, end_s) for s in self._spans[max(0, first) : last])
        if covered_s == 0:
            return 0.0
        inside_j = max(0.0, energy_j - self._outside_j(interval, covered_s))
        return inside_j * span.overlap_s(start_s, end_s) / covered_s

    def _outside_j(self, interval: int, covered_s: float) -> float:
        """Joules that an interval's uncovered part drew."""
        start_s, end_s = self._ticks.times_s[interval], self._ticks.times_s[interval + 1]
        lead_s = max(0.0, self._spans[0].start_s - start_s)
        trail_s = max(0.0, end_s - self._spans[-1].end_s)
        gaps_s = max(0.0, end_s - start_s - covered_s - lead_s - trail_s)
        mean_w = self._ticks.power_w(interval, interval + 1)
        known = [level for level in (self._before, self._after) if level is not None and level.steady]
        gap_w = fmean(level.power_w for level in known) if known else mean_w
        return (
            _level_w(self._before, mean_w) * lead_s + _level_w(self._after, mean_w) * trail_s + gap_w * gaps_s
        )

    def uncertainty_j(self, first: int, last: int) -> float:
        """One standard uncertainty of all spans together: of both outer edges and of the gaps between."""
        times_s = self._ticks.times_s
        lead_s = self._spans[0].start_s - times_s[first]
        trail_s = times_s[last] - self._spans[-1].end_s
        gaps_s = self._spans[-1].end_s - self._spans[0].start_s - sum(s.duration_s for s in self._spans)
        levels_w = [level.power_w for level in (self._before, self._after) if level is not None]
        gap_w = (max(levels_w) - min(levels_w)) / 2 + _UNSEEN_CHANGE * max(levels_w) if levels_w else 0.0
        return math.hypot(
            self._edge_j(self._before, first, first, lead_s),
            self._edge_j(self._after, last - 1, last, trail_s),
            gap_w * gaps_s,
        )

    def _edge_j(self, level: _Outside | None, interval: int, tick: int, outside_s: float) -> float:
        if level is not None and level.steady:
            return level.uncertainty_j(outside_s)
        # Interpolated: the part outside may have drawn what lies beyond it, or what lies on its other side.
        mean_w = self._ticks.power_w(interval, interval + 1)
        other_w = 0.0 if level is None else level.power_w
        return math.hypot(mean_w * self._ticks.blur_s(tick), abs(mean_w - other_w) * outside_s / math.sqrt(3))


def _level_w(level: _Outside | None, mean_w: float) -> float:
    """The level outside where it is steady, else the interval's mean: interpolation."""
    return level.power_w if level is not None and level.steady else mean_w
