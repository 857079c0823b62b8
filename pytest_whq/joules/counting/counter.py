"""Joules from a lifetime energy counter that moves in ticks of unknown period and phase. Pure.

Between two ticks a counter tells nothing, so its difference over a short span is wrong by up to a
tick at each end. But at a tick it is exact, and outside the spans the device mostly draws a steady
level, which the ticks there tell. So where spans cover an interval between ticks only in part, they
drew its whole energy less the level outside times the time outside, and less what was drawn above
that level while power fell.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from statistics import fmean

from pytest_whq.joules.counting.outside import (
    Outside,
    furthest_before,
    level_before,
    steps_after,
)
from pytest_whq.joules.counting.seen_falls import Settling
from pytest_whq.joules.counting.settling import Aftermath, Falling, Step, beyond_j, falls_of
from pytest_whq.joules.counting.ticks import CounterTicks
from pytest_whq.joules.power import PowerSamples
from pytest_whq.joules.rest import UNSEEN_CHANGE, level_at_rest
from pytest_whq.joules.spans import Span, SpanEnergies, UnmeasurableError


def counter_energy(
    ticks: CounterTicks,
    spans: Sequence[Span],
    power: PowerSamples | None = None,
    settling: Settling | None = None,
) -> SpanEnergies:
    """Joules of each of ``spans``, which are in order and do not overlap.

    ``power`` tells the level outside where the counter is slow, ``settling`` how fast power fell before.
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
    before = level_before(ticks, first, start_s, power)
    steps = steps_after(ticks, last, end_s, power)
    seen_s = max((step.end_s for step in steps), default=0.0)
    if broke := ticks.break_between(ticks.times_s[furthest_before(ticks, first)], end_s + seen_s):
        raise UnmeasurableError(
            "counter_reset", f"the energy counter {broke} right before or after the window"
        )
    after = None
    if steps and end_s > start_s:
        settling = settling or Settling()
        falls = _falls(ticks, spans, first, last, before, steps, settling.constants_s)
        after = Aftermath(falls, settling.log_likelihoods(end_s, falls))
    shares = _Shares(ticks, spans, before, after, beyond_j(steps))
    energies_j = tuple(shares.energy_j(span) for span in spans)
    rest = level_at_rest(None if before is None else before.level, None if after is None else after.level)
    return SpanEnergies(
        "counter",
        energies_j,
        shares.uncertainty_j(first, last),
        None if rest is None else rest.power_w,
        idle_error_w=0.0 if rest is None else rest.error_w,
    )


def _falls(
    ticks: CounterTicks,
    spans: Sequence[Span],
    first: int,
    last: int,
    before: Outside | None,
    steps: Sequence[Step],
    constants_s: Sequence[float],
) -> tuple[Falling, ...]:
    """How power may have fallen after ``spans``, which lie between the ticks ``first`` and ``last``."""
    busy_s = math.fsum(span.duration_s for span in spans)
    settled_w = steps[-1].power_w
    trail_s = ticks.times_s[last] - spans[-1].end_s
    lead_s = ticks.times_s[last] - ticks.times_s[first] - busy_s - trail_s
    drawn_j = ticks.energies_j[last] - ticks.energies_j[first]
    lead_j = lead_s * (settled_w if before is None else before.power_w)
    excess_j = drawn_j - lead_j - settled_w * (busy_s + trail_s)
    lowest_w = settled_w if before is None else min(before.power_w, settled_w)
    return falls_of(steps, busy_s, excess_j, trail_s, settled_w, lowest_w, constants_s)


class _Shares:
    """How the energy between two ticks divides among the spans and what lies outside them."""

    def __init__(
        self,
        ticks: CounterTicks,
        spans: Sequence[Span],
        before: Outside | None,
        after: Aftermath | None,
        unexplained_j: float,
    ) -> None:
        self._ticks = ticks
        self._spans = spans
        self._starts_s = [span.start_s for span in spans]
        self._before = before if before is not None and before.steady else None
        self._unsteady_w = 0.0 if before is None else before.power_w
        self._after = after if after is not None and after.explains else None
        self._unexplained_j = unexplained_j
        self._other_w = 0.0 if after is None else after.level_w
        known_w = [] if self._before is None else [self._before.power_w]
        known_w += [] if self._after is None else [self._after.level_w]
        self._gap_w = fmean(known_w) if known_w else None
        self._gap_error_w = 0.0
        if known_w:
            self._gap_error_w = (max(known_w) - min(known_w)) / 2 + UNSEEN_CHANGE * max(known_w)

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
        within = self._spans[max(0, first) : last]
        covered_s = sum(s.overlap_s(start_s, end_s) for s in within)
        if covered_s == 0:
            return 0.0
        inside_j = max(0.0, energy_j - self._outside_j(interval, covered_s, within))
        return inside_j * span.overlap_s(start_s, end_s) / covered_s

    def _outside_j(self, interval: int, covered_s: float, within: Sequence[Span]) -> float:
        """Joules that an interval's uncovered part drew."""
        start_s, end_s = self._ticks.times_s[interval], self._ticks.times_s[interval + 1]
        lead_s = max(0.0, self._spans[0].start_s - start_s)
        trail_s = max(0.0, end_s - self._spans[-1].end_s)
        gaps_s = max(0.0, end_s - start_s - covered_s - lead_s - trail_s)
        mean_w = self._ticks.power_w(interval, interval + 1)
        lead_w = mean_w if self._before is None else self._before.power_w
        trail_j = mean_w * trail_s if self._after is None else self._after.drawn_j(trail_s)
        gap_w = mean_w if self._gap_w is None else self._gap_w
        return lead_w * lead_s + gap_w * gaps_s + trail_j + self._tails_j(start_s, end_s, within)

    def _tails_j(self, start_s: float, end_s: float, within: Sequence[Span]) -> float:
        """Joules above the level in the gaps between spans, as far as these lie in an interval."""
        if self._after is None:
            return 0.0
        tails_j = 0.0
        for span in within:
            following = bisect_right(self._starts_s, span.start_s)
            if following < len(self._spans):
                pause_s = self._starts_s[following] - span.end_s
                until_s = min(max(0.0, end_s - span.end_s), pause_s)
                from_s = min(max(0.0, start_s - span.end_s), pause_s)
                tails_j += self._after.tail_until_j(until_s) - self._after.tail_until_j(from_s)
        return tails_j

    def uncertainty_j(self, first: int, last: int) -> float:
        """One standard uncertainty of all spans together: of both outer edges and of the gaps between."""
        times_s = self._ticks.times_s
        lead_s = self._spans[0].start_s - times_s[first]
        trail_s = times_s[last] - self._spans[-1].end_s
        pauses_s = [after - span.end_s for span, after in zip(self._spans, self._starts_s[1:], strict=False)]
        return math.hypot(
            self._lead_error_j(first, lead_s),
            self._trail_error_j(last, trail_s, pauses_s),
            self._gap_error_w * math.fsum(pauses_s),
        )

    def _lead_error_j(self, first: int, lead_s: float) -> float:
        if self._before is not None:
            return self._before.uncertainty_j(lead_s)
        return self._interpolated_error_j(first, first, lead_s, self._unsteady_w)

    def _trail_error_j(self, last: int, trail_s: float, pauses_s: Sequence[float]) -> float:
        if self._after is None:
            interpolated_j = self._interpolated_error_j(last - 1, last, trail_s, self._other_w)
            return math.hypot(interpolated_j, self._unexplained_j)
        tick_j = self._ticks.error_j(last, self._after.level_w)
        return math.hypot(tick_j, self._after.error_j(trail_s, pauses_s))

    def _interpolated_error_j(self, interval: int, tick: int, outside_s: float, other_w: float) -> float:
        # The part outside may have drawn what lies beyond it, or what lies on its other side.
        mean_w = self._ticks.power_w(interval, interval + 1)
        tick_j = self._ticks.error_j(tick, mean_w)
        return math.hypot(tick_j, abs(mean_w - other_w) * outside_s / math.sqrt(3))
