"""What a counter and a power sensor showed of a load of known levels, each at its own moments: exact."""

import math
from collections.abc import Sequence

from pytest_whq.joules.counting.ticks import CounterTicks
from pytest_whq.joules.power_samples import PowerSamples

Levels = Sequence[tuple[float, float]]
"""Moments, and the watts drawn from each on."""

LOAD: Levels = [(-10.0, 70.0), (1.03, 450.0), (2.03, 70.0)]
"""A second of 450 W on a board that rests at 70 W."""


def joules(levels: Levels, time_s: float) -> float:
    """Joules drawn from the first of ``levels`` until ``time_s``."""
    stops_s = [*(start_s for start_s, _ in levels[1:]), math.inf]
    return sum(
        w * max(0.0, min(time_s, stop_s) - start_s)
        for (start_s, w), stop_s in zip(levels, stops_s, strict=True)
    )


def mean_w(levels: Levels, time_s: float, seconds: float) -> float:
    """The mean power of the ``seconds`` until ``time_s``."""
    return (joules(levels, time_s) - joules(levels, time_s - seconds)) / seconds


def counter_of(
    levels: Levels = LOAD, *, lag_s: float = 0.0, look_s: float | None = None, until_s: float = 3.0
) -> CounterTicks:
    """A counter that ticks each 100 ms, late by ``lag_s``, or made of looks at ``look_s`` of each of them."""
    ticks, shown_j, before_j = CounterTicks(), 0.0, -100.0
    for number in range(round(until_s * 10) + 1):
        tick_s = number / 10
        if look_s is None:
            shown_j = joules(levels, tick_s - lag_s)
        else:
            shown_j += mean_w(levels, tick_s, look_s) / 10
        ticks.add(tick_s - 0.001, before_j)
        ticks.add(tick_s + 0.001, shown_j)
        before_j = shown_j
    return ticks


def power_of(levels: Levels = LOAD, *, averaging_s: float = 0.1, until_s: float = 3.0) -> PowerSamples:
    """A sensor that refreshes each 100 ms, read just after."""
    samples = PowerSamples(averaging_s)
    for number in range(round(until_s * 10) + 1):
        samples.add(number / 10 + 0.002, mean_w(levels, number / 10, averaging_s))
    return samples
