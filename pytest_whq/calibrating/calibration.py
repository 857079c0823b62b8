"""Learns of each sensor of a device how often it refreshes, what it averages and what a reading costs."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from pytest_whq.calibrating.load_script import Load, LoadScript
from pytest_whq.calibrating.shortest_window import Sight, shortest_window_s
from pytest_whq.calibrating.shown_board import sharpest_power, shown_of
from pytest_whq.calibrating.step_response import Step
from pytest_whq.calibrating.watched_sensor import Watched
from pytest_whq.joules.spans import Span, UnmeasurableError
from pytest_whq.measuring.clock import Clock
from pytest_whq.model import CounterKind, Device
from pytest_whq.sources.base import Probe

SPANS_S = (0.5, 1.0, 2.0, 5.0, 10.0)
"""From the beginning of the load on, over which counter and integrated power are compared."""

PRECISIONS = (0.01, 0.05)
"""For which the shortest window is told."""


@dataclass(frozen=True, slots=True)
class SensorCalibration:
    """How a sensor shows what the device draws; what was not seen is None.

    ``averaging_s`` is how far back each refresh looks: a counter that sees everything looks back over
    its whole ``refresh_s``. ``cost_s`` is what a reading takes.
    """

    sensor: str
    refresh_s: float | None
    averaging_s: float | None
    cost_s: float


@dataclass(frozen=True, slots=True)
class Agreement:
    """The counter's joules over those of integrated power, in ``seconds`` from the load's beginning."""

    seconds: float
    counter_over_power: float


@dataclass(frozen=True, slots=True)
class ShortestWindow:
    """From ``seconds`` on, a window's energy is known to ``precision`` (95 %); None where never."""

    precision: float
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was learned of a device; ``load`` says what kept it busy, None where it only idled.

    The ``shortest`` windows draw a steady ``busy_w`` with ``idle_w`` around them. A device that only
    idled shows no ``busy_w``: its power limit stands in. ``counter`` is what its energy counter sees, and
    ``settling_s`` between which time constants power falls after a load.
    """

    device: Device
    load: str | None
    idle_w: float | None
    busy_w: float | None
    sensors: tuple[SensorCalibration, ...]
    agreement: tuple[Agreement, ...]
    shortest: tuple[ShortestWindow, ...]
    counter: CounterKind | None = None
    settling_s: tuple[float, float] | None = None


def calibrate(
    device: Device, probes: Sequence[Probe], clock: Clock, load: Load | None, longest_s: float = SPANS_S[-1]
) -> Calibration:
    """Watch the ``probes`` of ``device`` while ``load`` goes on and off; without one, while it idles.

    Takes some 25 s with a load and 3 s without, and ``longest_s`` for the comparison of counter and power.
    """
    script = LoadScript([Watched(probe) for probe in probes], clock, load)
    steps: list[Step] = []
    turns: list[Span] = []
    try:
        script.flicker()
        if load is not None:
            steps = script.step()
            turns = script.turn()
        long = script.stay(longest_s)
    finally:
        if load is not None:
            load.switch(on=False)
    shown, best = shown_of(device, script.watched, steps, turns), script.best
    idle_w, busy_w = best.idle_w, device.power_limit_w if load is None else best.busy_w
    return Calibration(
        device=device,
        load=None if load is None else load.name,
        idle_w=idle_w,
        busy_w=busy_w,
        sensors=tuple(
            SensorCalibration(one.probe.sensor, one.refresh_s, one.averaging_s, one.cost_s)
            for one in script.watched
        ),
        agreement=_agreement(script.watched, long),
        shortest=_shortest(best, idle_w, busy_w, shown.settling_s),
        counter=shown.counter,
        settling_s=shown.settling_s,
    )


def _agreement(watched: Sequence[Watched], long: Span) -> tuple[Agreement, ...]:
    """Counter over power in the first part of ``long``, as far as both tell."""
    counter = next((one for one in watched if one.probe.counts), None)
    power = sharpest_power(watched)
    if counter is None or power is None:
        return ()
    found = []
    for seconds in SPANS_S:
        span = Span(long.start_s, long.start_s + seconds)
        if seconds <= long.duration_s * (1 + 1e-9):
            with suppress(UnmeasurableError):
                ratio = counter.energy(span).energy_j / power.energy(span).energy_j
                found.append(Agreement(seconds, ratio))
    return tuple(found)


def _shortest(
    best: Watched, idle_w: float | None, busy_w: float | None, settling_s: tuple[float, float] | None
) -> tuple[ShortestWindow, ...]:
    averaging_s = None if best.probe.counts else best.averaging_s
    unknown = best.refresh_s is None or (averaging_s is None and not best.probe.counts)
    if unknown or idle_w is None or busy_w is None or best.refresh_s is None:
        return ()
    sight = Sight(best.refresh_s, best.cost_s, averaging_s, settling_s)
    return tuple(ShortestWindow(p, shortest_window_s(sight, idle_w, busy_w, p)) for p in PRECISIONS)
