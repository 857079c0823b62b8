"""Joules from power that somebody else polled and wrote down: trapezoids between the readings. Pure.

Nobody knows what such a sensor averages over, so that readings stand for the moment they were taken at;
how often the sensor refreshes is learned from when its values change, and is in the uncertainty.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import add, mul, sub
from statistics import median

from pytest_whq.joules.power import spread_j
from pytest_whq.joules.refresh import RefreshPeriod
from pytest_whq.joules.spans import Span, UnmeasurableError

MAX_GAP_S = 3.0
"""A longer stretch without a reading is too much to fill in, where polls are not further apart."""

_POLLS = 2.5
"""Where they are, so many polls may be missed."""


_LEARNED_FROM = 20_000
"""So many readings tell how a log was made."""


@dataclass(frozen=True, slots=True)
class Polling:
    """How a log was made: seconds between two readings, and between two values that differ."""

    step_s: float
    refresh_s: float


@dataclass(frozen=True, slots=True)
class PolledEnergy:
    """Joules of one device in one span, with one standard uncertainty."""

    energy_j: float
    uncertainty_j: float


def polling_of(times_s: Sequence[float], powers_w: Sequence[float]) -> Polling:
    """What the readings of one device tell of their polling and of the sensor's refresh."""
    times_s, powers_w = times_s[:_LEARNED_FROM], powers_w[:_LEARNED_FROM]
    step_s = median(map(sub, times_s[1:], times_s)) if len(times_s) > 1 else math.inf
    changes = [n for n in range(1, len(powers_w)) if powers_w[n] != powers_w[n - 1]]
    pauses_s = [times_s[after] - times_s[before] for before, after in pairwise(changes)]
    if len(pauses_s) < 3 or median(pauses_s) < 1.5 * step_s:
        return Polling(step_s, step_s)
    refresh = RefreshPeriod(longest_s=1.2 * median(pauses_s))
    for n in changes:
        unseen_s = times_s[n] - times_s[n - 1]
        refresh.add(times_s[n] - unseen_s / 2, unseen_s)
    sharp_s = refresh.period_s
    # A value that happens to stay makes pauses of two periods: the median knows which one is meant.
    agree = sharp_s is not None and abs(sharp_s / median(pauses_s) - 1) < 0.1
    return Polling(step_s, sharp_s if agree and sharp_s is not None else median(pauses_s))


def polled_energy(
    times_s: Sequence[float], powers_w: Sequence[float], span: Span, polling: Polling
) -> PolledEnergy:
    """Joules in ``span``: straight lines between readings, also at its edges.

    Raises `UnmeasurableError` where the readings do not cover the span or leave a gap in it.
    """
    first, last = bisect_right(times_s, span.start_s), bisect_left(times_s, span.end_s)
    most_s = max(MAX_GAP_S, _POLLS * polling.step_s)
    moments_s = [span.start_s, *times_s[first:last], span.end_s]
    watts = [_at(times_s, powers_w, span.start_s), *powers_w[first:last], _at(times_s, powers_w, span.end_s)]
    _check_gaps(times_s, first, last, most_s, span)
    # By functions in C: a day of readings is integrated in the time that reading it takes.
    energy_j = sum(map(mul, map(add, watts[1:], watts), map(sub, moments_s[1:], moments_s))) / 2
    memory_s = max(polling.refresh_s, polling.step_s)
    return PolledEnergy(energy_j, spread_j(watts, span.duration_s, memory_s, memory_s))


def _check_gaps(times_s: Sequence[float], first: int, last: int, most_s: float, span: Span) -> None:
    """Readings from the last before the span to the first after it are no further apart than ``most_s``."""
    around = list(times_s[max(0, first - 1) : last + 1])
    if not around or around[0] > span.start_s + most_s or around[-1] < span.end_s - most_s:
        raise UnmeasurableError("sample_gap", "the log does not cover the window")
    edges = [min(around[0], span.start_s), *around, max(around[-1], span.end_s)]
    gap_s = max(map(sub, edges[1:], edges))
    if gap_s > most_s:
        raise UnmeasurableError(
            "sample_gap", f"no power for {gap_s:.1f} s in the window; at most {most_s:.1f} s is filled in"
        )


def _at(times_s: Sequence[float], powers_w: Sequence[float], moment_s: float) -> float:
    """Watts at a moment, on the line between the readings around it; those at the ends are held."""
    after = bisect_left(times_s, moment_s)
    if after == 0:
        return powers_w[0]
    if after == len(times_s):
        return powers_w[-1]
    share = (moment_s - times_s[after - 1]) / (times_s[after] - times_s[after - 1])
    return powers_w[after - 1] + share * (powers_w[after] - powers_w[after - 1])
