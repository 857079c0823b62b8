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
from itertools import pairwise
from statistics import fmean

from pytest_whq.joules.counting.falling import Tick, fitted, power_between
from pytest_whq.joules.counting.inner_edges import shown_at_edges
from pytest_whq.joules.counting.loads import Load
from pytest_whq.joules.counting.outside import (
    Outside,
    furthest_before,
    level_before,
    tick_at,
    ticks_after,
)
from pytest_whq.joules.counting.seen_falls import Settling
from pytest_whq.joules.counting.settling import Aftermath, beyond_j, falls_of
from pytest_whq.joules.counting.shares import Shares, around
from pytest_whq.joules.counting.ticks import CounterTicks
from pytest_whq.joules.power_samples import PowerSamples
from pytest_whq.joules.rest import Level, level_at_rest
from pytest_whq.joules.spans import Span, SpanEnergies, UnmeasurableError, start_of

_SCATTERS_S = 0.1
"""Over so long power is taken to tell how unevenly a load draws."""

_BY_BLUR = 2.5
"""So many times their expected square two neighbours may differ by as the tick between them is blurred."""

_ENOUGH = 3
"""So many steps from tick to tick tell how they scatter by themselves, fewer only beside the mean of all."""

_FEWEST_FREE = 0.25
"""Steps that leave less of the spans than this share of one do not tell how unevenly these draw."""


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
    found = _found(tuple(map(shares.energy_j, spans)), shares.uncertainty_j(), rest)
    return replace(found, common_j=shares.common_j)


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
    seen = ticks_after(ticks, last, end_s, power)
    seen_s = max((tick.time_s for tick in seen), default=0.0)
    if broke := ticks.break_between(ticks.times_s[furthest_before(ticks, first)], end_s + seen_s):
        raise UnmeasurableError(
            "counter_reset", f"the energy counter {broke} right before or after the window"
        )
    if not seen or end_s == start_s:
        rest = level_at_rest(None if before is None else before.level, None)
        return Shares(ticks, spans, before, None, beyond_j(seen)), rest
    settling, at_end = settling or Settling(), tick_at(ticks, last, end_s)
    level_w = power_between(*seen[-2:])
    loads = _loads(ticks, spans, before, seen, at_end)
    lowest_w = level_w if before is None else min(before.power_w, level_w)
    falls = falls_of(loads, lowest_w, at_end, seen, settling.constants_s)
    after = Aftermath(loads, falls, settling.log_likelihoods(end_s, falls))
    rest = level_at_rest(None if before is None else before.level, after.level)
    return Shares(ticks, spans, before, after, beyond_j(seen)), rest


def _loads(
    ticks: CounterTicks,
    spans: Sequence[Span],
    before: Outside | None,
    seen: Sequence[Tick],
    at_end: Tick,
) -> list[Load]:
    """The spans as loads, ``at_end`` the first tick after them; above the level that ``seen`` end with."""
    level_w = power_between(*seen[-2:])
    # As if all that was drawn above it between ticks were their own.
    none = [Load(1.0, 0.0, 0.0)] * len(spans)
    at_once = Aftermath(none, [fitted(none, level_w, at_end, seen, 0.0)], [0.0])
    shares = Shares(ticks, spans, before, at_once, 0.0)
    excesses_j = [shares.energy_j(span) - level_w * span.duration_s for span in spans]
    height_w = math.fsum(excesses_j) / math.fsum(span.duration_s for span in spans)
    uneven = _uneven(ticks, spans, level_w + height_w, height_w)
    pauses = [_pause(ticks, span, following) for span, following in pairwise(spans)]
    return [
        Load(span.duration_s, excess_j, *pause_s, uneven)
        for span, excess_j, pause_s in zip(
            spans, excesses_j, [*pauses, (at_end.time_s, math.inf, math.inf)], strict=True
        )
    ]


def _pause(ticks: CounterTicks, span: Span, following: Span) -> tuple[float, float, float]:
    """When the first tick after ``span`` was, the last before the ``following`` one, and when that began."""
    pause_s = following.start_s - span.end_s
    if not (seen := ticks.between(span.end_s, following.start_s)):
        return pause_s, pause_s, pause_s
    return ticks.times_s[seen[0]] - span.end_s, ticks.times_s[seen[-1]] - span.end_s, pause_s


def _uneven(ticks: CounterTicks, spans: Sequence[Span], mean_w: float, height_w: float) -> float:
    """By how much power within ``spans`` scatters from tenth to tenth of a second, in shares of ``height_w``.

    What the blur of ticks explains is left out. ``mean_w`` is that of the spans.
    """
    # Ticks seen between readings far apart are so blurred that they tell nothing, but by the counter's grid.
    ticks = ticks.sharpened()
    steps = _telling(ticks, spans)
    lengths_s = [ticks.times_s[after] - ticks.times_s[before] for before, after in steps]
    powers_w = [ticks.power_w(before, after) for before, after in steps]
    if len(steps) >= _ENOUGH:
        mean_w, free = fmean(powers_w, lengths_s), len(steps) - 1.0
    else:
        free = len(steps) - math.fsum(lengths_s) / math.fsum(span.duration_s for span in spans)
    if free < _FEWEST_FREE or height_w <= 0:
        return 0.0
    squares = 0.0
    for (before, after), length_s, power_w in zip(steps, lengths_s, powers_w, strict=True):
        blur_w = power_w * math.hypot(ticks.blur_s(before), ticks.blur_s(after)) / length_s
        # Over longer stretches it scatters less, as noise does.
        squares += ((power_w - mean_w) ** 2 - _BY_BLUR * blur_w**2) * length_s / _SCATTERS_S
    return math.sqrt(max(0.0, squares) / free) / height_w


def _telling(ticks: CounterTicks, spans: Sequence[Span]) -> list[tuple[int, int]]:
    """The steps from tick to tick within ``spans``: without the first of each, if enough are left then."""
    of_each = [[*pairwise(ticks.between(span.start_s, span.end_s))] for span in spans]
    # In the first one power may still rise, or a counter that lags not show it yet.
    later = [step for steps in of_each for step in steps[1:]]
    return later if len(later) >= _ENOUGH else [step for steps in of_each for step in steps]
