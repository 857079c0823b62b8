"""The shortest window whose energy is known well enough, by the uncertainty that it would be given. Pure."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pytest_whq.joules.counting.counter import counter_energy
from pytest_whq.joules.counting.seen_falls import Settling
from pytest_whq.joules.counting.ticks import LEVEL_SPAN_S, CounterTicks
from pytest_whq.joules.power import power_energy
from pytest_whq.joules.power_samples import PowerSamples
from pytest_whq.joules.spans import Span, SpanEnergies, UnmeasurableError
from pytest_whq.measuring.pace import EDGE_S

_SHORTEST_S, _LONGEST_S, _FINENESS = 0.001, 20.0, 1.1
_PHASES = 12


@dataclass(frozen=True, slots=True)
class Sight:
    """How a device is read: its best sensor's refresh period, what a reading costs, what power averages.

    Without ``averaging_s`` the sensor is a counter; ``settling_s`` is how fast power falls, where known.
    """

    refresh_s: float
    cost_s: float
    averaging_s: float | None = None
    settling_s: tuple[float, float] | None = None


def shortest_window_s(sight: Sight, idle_w: float, busy_w: float, precision: float) -> float | None:
    """Seconds from which on two standard uncertainties are within ``precision`` of a window's energy.

    The window draws ``busy_w``, around it are ``idle_w``, and it may lie anyhow between refreshes. None
    where that takes longer than 20 s.
    """
    if idle_w <= 0 or busy_w <= 0:
        # A counter that does not move tells no level.
        return None
    measure = _counted if sight.averaging_s is None else _integrated
    for seconds in _lengths():
        if all(
            _is_precise(measure, sight, span, idle_w, busy_w, precision) for span in _spans(seconds, sight)
        ):
            return seconds
    return None


_Measure = Callable[[Sight, Span, Callable[[float], float]], SpanEnergies]


def _lengths() -> Iterator[float]:
    seconds = _SHORTEST_S
    while seconds <= _LONGEST_S:
        yield seconds
        seconds *= _FINENESS


def _spans(seconds: float, sight: Sight) -> Iterator[Span]:
    for phase in range(_PHASES):
        start_s = (phase + 0.5) / _PHASES * sight.refresh_s
        yield Span(start_s, start_s + seconds)


def _is_precise(
    measure: _Measure, sight: Sight, span: Span, idle_w: float, busy_w: float, precision: float
) -> bool:
    def drawn_j(time_s: float) -> float:
        return idle_w * time_s + (busy_w - idle_w) * span.overlap_s(0.0, max(0.0, time_s))

    try:
        found = measure(sight, span, drawn_j)
    except UnmeasurableError:
        return False
    # The least that integrated power is given is 0.5 %: that much is to pass for 1 %.
    return 2 * found.uncertainty_j <= precision * found.energy_j * (1 + 1e-9)


def _counted(sight: Sight, span: Span, drawn_j: Callable[[float], float]) -> SpanEnergies:
    """The span by a counter that is read as the sampler does around a window's edges."""
    width_s = max(EDGE_S, sight.cost_s + EDGE_S / 3)
    ticks, shown_j = CounterTicks(), -math.inf
    # A window opens, and closes, once the ticks on its outer side tell the level there.
    nearest = math.floor((span.start_s - width_s / 2) / sight.refresh_s)
    number = nearest - math.ceil(LEVEL_SPAN_S / sight.refresh_s + 1e-6)
    while not ticks.settled_after(span.end_s, fallen=True):
        tick_s = number * sight.refresh_s
        ticks.add(tick_s - width_s / 2, shown_j)
        shown_j = drawn_j(tick_s)
        ticks.add(tick_s + width_s / 2, shown_j)
        number += 1
    return counter_energy(ticks, [span], settling=Settling(known_s=sight.settling_s))


def _integrated(sight: Sight, span: Span, drawn_j: Callable[[float], float]) -> SpanEnergies:
    """The span by a power sensor that is read at each of its refreshes."""
    averaging_s = sight.averaging_s or sight.refresh_s
    samples = PowerSamples(averaging_s)
    for number in range(-2, math.ceil((span.end_s + averaging_s) / sight.refresh_s) + 3):
        time_s = number * sight.refresh_s
        samples.add(time_s, (drawn_j(time_s) - drawn_j(time_s - averaging_s)) / averaging_s)
    return power_energy(samples, [span])
