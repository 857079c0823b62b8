"""Joules from a lifetime energy counter that moves in ticks of unknown period and phase. Pure.

Between two ticks a counter tells nothing, so its difference over a short span is wrong by up to a
tick at each end. But at a tick it is exact, and outside the spans the device mostly draws a steady
level, which the ticks there tell. So where spans cover an interval between ticks only in part, they
drew its whole energy less the level outside times the time outside, and less what was drawn above
that level while power fell.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from pytest_whq.joules.counting.inner_edges import shown_at_edges
from pytest_whq.joules.counting.outside import (
    Outside,
    furthest_before,
    level_before,
    steps_after,
)
from pytest_whq.joules.counting.seen_falls import Settling
from pytest_whq.joules.counting.settling import Aftermath, Falling, Step, beyond_j, falls_of
from pytest_whq.joules.counting.shares import Shares, around
from pytest_whq.joules.counting.ticks import CounterTicks
from pytest_whq.joules.power import PowerSamples
from pytest_whq.joules.rest import Level, level_at_rest
from pytest_whq.joules.spans import Span, SpanEnergies, UnmeasurableError, start_of


def counter_energy(
    ticks: CounterTicks,
    spans: Sequence[Span],
    power: PowerSamples | None = None,
    settling: Settling | None = None,
    beside: Sequence[Span] = (),
) -> SpanEnergies:
    """Joules of each of ``spans``, which are in order and do not overlap.

    ``power`` tells the level outside where the counter is slow, ``settling`` how fast power fell before.
    ``beside`` are spans of the same load that end where the first of those begins, or begin where the last
    ends. Raises `UnmeasurableError` where the counter fell, or did not tick on both sides.
    """
    if any(span.duration_s for span in beside):
        return _within_load(ticks, spans, beside, power, settling)
    shares, rest = _divided(ticks, spans, power, settling)
    return _found(tuple(map(shares.energy_j, spans)), shares.uncertainty_j(), rest)


def _within_load(
    ticks: CounterTicks,
    spans: Sequence[Span],
    beside: Sequence[Span],
    power: PowerSamples | None,
    settling: Settling | None,
) -> SpanEnergies:
    """Joules of ``spans``, which with those ``beside`` are one load."""
    parts = sorted((*spans, *(span for span in beside if span.duration_s)), key=start_of)
    load = Span(parts[0].start_s, parts[-1].end_s)
    shares, rest = _divided(ticks, [load], power, settling)
    rest_w = 0.0 if rest is None else rest.power_w
    shown = shown_at_edges(ticks, parts, shares.at_start, shares.at_end, rest_w)
    joules = {part: max(0.0, shown[part.end_s].energy_j - shown[part.start_s].energy_j) for part in parts}
    error_j = math.hypot(shown[spans[0].start_s].error_j, shown[spans[-1].end_s].error_j)
    found = _found(tuple(joules[span] for span in spans), error_j, rest)
    return replace(found, beside_j=tuple(joules.get(span) for span in beside))


def _found(energies_j: tuple[float, ...], uncertainty_j: float, rest: Level | None) -> SpanEnergies:
    if rest is None:
        return SpanEnergies("counter", energies_j, uncertainty_j, None)
    return SpanEnergies("counter", energies_j, uncertainty_j, rest.power_w, idle_error_w=rest.error_w)


def _divided(
    ticks: CounterTicks, spans: Sequence[Span], power: PowerSamples | None, settling: Settling | None
) -> tuple[Shares, Level | None]:
    """How the counter's energy divides among ``spans`` and what lies outside, and the level at rest."""
    start_s, end_s = spans[0].start_s, spans[-1].end_s
    ticks = ticks.clear_of(edge_s for span in spans for edge_s in (span.start_s, span.end_s))
    first, last = around(ticks, spans)
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
    rest = level_at_rest(None if before is None else before.level, None if after is None else after.level)
    return Shares(ticks, spans, before, after, beyond_j(steps)), rest


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
