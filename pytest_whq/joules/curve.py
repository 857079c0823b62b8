"""Power over time for a picture: what the sensors told of it, in a bounded number of steps. Pure."""

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from pytest_whq.joules.counting.ticks import CounterTicks
from pytest_whq.joules.power import MAX_GAP_S
from pytest_whq.joules.power_samples import SLOW_SENSOR_S, PowerSamples
from pytest_whq.joules.spans import Span
from pytest_whq.joules.trace import Trace
from pytest_whq.model import PowerCurve

MAX_STEPS = 200
"""Steps of a curve at most: more than a chart on a page can show."""

_SHORTEST_STEP_S = 0.01

_Stretch = tuple[float, float, float]
"""Start and end in seconds, and the watts drawn between them."""


def power_curve(
    traces: Iterable[Trace], spans: Sequence[Span], start_s: float, end_s: float
) -> PowerCurve | None:
    """The watts of all devices together from ``start_s`` to ``end_s``; None where nothing was read then.

    A device is drawn by its power sensor, unless that has nothing to say or averages over long: then by
    its counter.
    """
    windows_s = tuple((_shown_s(span.start_s), _shown_s(span.end_s)) for span in spans)
    devices = [_stretches(trace) for trace in traces]
    return _curve(devices, windows_s, start_s, end_s) if devices else None


def join_curves(curves: Sequence[PowerCurve]) -> PowerCurve | None:
    """Curves of measurements of one test as one, from the first's start to the last's end."""
    if len(curves) <= 1:
        return curves[0] if curves else None
    stretches = (stretch for curve in curves for stretch in _steps(curve))
    windows_s = tuple(window for curve in curves for window in curve.windows_s)
    return _curve(
        [stretches], windows_s, min(curve.start_s for curve in curves), max(curve.end_s for curve in curves)
    )


def _curve(
    devices: Sequence[Iterable[_Stretch]],
    windows_s: tuple[tuple[float, float], ...],
    start_s: float,
    end_s: float,
) -> PowerCurve | None:
    number = max(1, min(MAX_STEPS, math.ceil((end_s - start_s) / _SHORTEST_STEP_S)))
    step_s = (end_s - start_s) / number
    if step_s <= 0:
        return None
    parts = [_means_w(stretches, start_s, step_s, number) for stretches in devices]
    power_w = tuple(
        None if None in powers_w else _shown_w(sum(filter(None, powers_w)))
        for powers_w in zip(*parts, strict=True)
    )
    if all(watts is None for watts in power_w):
        return None
    return PowerCurve(_shown_s(start_s), step_s, power_w, windows_s)


def _means_w(stretches: Iterable[_Stretch], start_s: float, step_s: float, number: int) -> list[float | None]:
    """Mean watts in each step, over what the stretches cover of it; None where they cover nothing."""
    joules, covered_s = [0.0] * number, [0.0] * number
    for begin_s, end_s, watts in stretches:
        first = max(0, math.floor((begin_s - start_s) / step_s))
        last = min(number - 1, math.floor((end_s - start_s) / step_s))
        for step in range(first, last + 1):
            step_start_s = start_s + step * step_s
            shared_s = min(end_s, step_start_s + step_s) - max(begin_s, step_start_s)
            if shared_s > 0:
                joules[step] += watts * shared_s
                covered_s[step] += shared_s
    return [
        energy_j / seconds if seconds > 0 else None
        for energy_j, seconds in zip(joules, covered_s, strict=True)
    ]


def _stretches(trace: Trace) -> Iterator[_Stretch]:
    # Energy comes from the counter first, a picture does not: how sharply the time of a tick is known
    # hardly matters for the joules of a window, but makes the watts between two ticks noisy.
    quick = len(trace.power) and trace.power.averaging_s < SLOW_SENSOR_S
    return _between_readings(trace.power) if quick or not trace.counts else _between_ticks(trace.counter)


def _between_ticks(ticks: CounterTicks) -> Iterator[_Stretch]:
    for (begin_s, before_j), (end_s, after_j) in pairwise(zip(ticks.times_s, ticks.energies_j, strict=False)):
        # A counter that fell tells nothing of the stretch in which it did.
        if end_s > begin_s and after_j >= before_j:
            yield begin_s, end_s, (after_j - before_j) / (end_s - begin_s)


def _between_readings(samples: PowerSamples) -> Iterator[_Stretch]:
    look_back_s = samples.memory_s / 2
    for (begin_s, before_w), (end_s, after_w) in pairwise(
        zip(samples.times_s, samples.powers_w, strict=False)
    ):
        if end_s - begin_s <= MAX_GAP_S:
            yield begin_s - look_back_s, end_s - look_back_s, (before_w + after_w) / 2


def _steps(curve: PowerCurve) -> Iterator[_Stretch]:
    for step, watts in enumerate(curve.power_w):
        if watts is not None:
            begin_s = curve.start_s + step * curve.step_s
            yield begin_s, begin_s + curve.step_s, watts


def _shown_w(watts: float) -> float:
    # These are most of the characters of a run file, and a pixel is coarser.
    return round(watts) if watts >= 100 else round(watts, 1)


def _shown_s(time_s: float) -> float:
    return round(time_s, 4)
