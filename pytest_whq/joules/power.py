"""Joules from readings of power, for devices without an energy counter. Pure.

A power sensor shows, until its next refresh, the mean over some time before the last one. So a
reading tells of the span only when that time lay inside it, and tells of the moment half that time
earlier. Such readings are joined by straight lines, and the first and last held to the span's edges.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean, median, pstdev

from pytest_whq.joules.power_samples import SLOW_SENSOR_S, PowerSamples
from pytest_whq.joules.rest import UNSEEN_CHANGE, Level, level_at_rest
from pytest_whq.joules.sampling import sampled_error_j, scatter_of
from pytest_whq.joules.spans import Span, SpanEnergies, UnmeasurableError, start_of

MAX_GAP_S = 1.0
"""A longer stretch without a reading is too much to fill in, in a span of up to `_LONG_S`."""

_LONG_S = 50.0
_GAP_SHARE = 0.25
"""And so is one of more than this share of a short span; of a long one `MAX_GAP_S` in `_LONG_S`."""

_LEAST = 0.005
"""Relative uncertainty that a figure from power has at least."""

_UNSEEN = 0.15
"""Relative uncertainty of what was drawn where readings are missing."""

_SLOW_WINDOWS = 4.5
"""How many times its averaging a window must last for such a sensor."""

FOLLOWS_S = 0.03
"""Power may follow a load so late: no reading tells what it drew at the edges."""


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
