"""What windows over the turns of a load show of a board, by the trace with which sessions measure."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from pytest_whq.calibrating.ended_turns import turns_of
from pytest_whq.calibrating.fall_time import fall_time_s
from pytest_whq.calibrating.step_response import Step
from pytest_whq.calibrating.watched_sensor import Watched
from pytest_whq.joules.counting.looks import may_look
from pytest_whq.joules.spans import Span, UnmeasurableError
from pytest_whq.joules.trace import Board, Trace
from pytest_whq.model import CounterKind, Device, Reading


class Shown(NamedTuple):
    """What the counter sees, and between which time constants power falls after a load; None for unknown."""

    counter: CounterKind | None = None
    settling_s: tuple[float, float] | None = None


def shown_of(
    device: Device, watched: Sequence[Watched], steps: Sequence[Step], turns: Sequence[Span]
) -> Shown:
    """What the board shows where the load is on, of the ``steps`` that follow each other.

    How its power falls the ``turns`` tell, which end right before ticks of the counter.
    """
    counter = next((one for one in watched if one.probe.counts), None)
    power = sharpest_power(watched)
    if counter is None or power is None or power.averaging_s is None:
        return Shown()
    board = Board()
    trace = Trace(power.averaging_s, board, device.power_limit_w)
    for reading in sorted(_readings(device, counter, power), key=lambda reading: reading.time_s):
        trace.add(reading)
    # A load goes on until the device has ended it, when the next step begins.
    spans = [Span(step.time_s, after.time_s) for step, after in pairwise(steps) if step.on]
    disagreed = sum(_disagrees(trace, span) for span in spans)
    kind = _kind(board, len(spans), disagreed, looks=may_look(trace.counter, trace.power))
    # How a counter falls that sees less, or later, is not how power falls.
    return Shown(kind, fall_time_s(turns_of(counter.ticks, turns)) if kind == "whole" else None)


def sharpest_power(watched: Sequence[Watched]) -> Watched | None:
    """The power sensor that averages over the shortest time; None where no power is shown."""
    return min(
        (one for one in watched if not one.probe.counts),
        key=lambda one: one.averaging_s or math.inf,
        default=None,
    )


def _readings(device: Device, counter: Watched, power: Watched) -> list[Reading]:
    counted = [Reading(device.id, time_s, energy_j=shown) for time_s, shown in counter.readings]
    return counted + [Reading(device.id, time_s, power_w=shown) for time_s, shown in power.readings]


def _disagrees(trace: Trace, span: Span) -> bool:
    try:
        trace.energies([span])
    except UnmeasurableError as error:
        return error.reason.code == "sensors_disagree"
    return False


def _kind(board: Board, windows: int, disagreed: int, *, looks: bool) -> CounterKind | None:
    """``looks`` is whether the counter may be made of looks."""
    if disagreed > windows / 2:
        return "lags"
    if looks and board.counter_sees != "all":
        return "looks" if board.counter_sees == "looks" else None
    return "whole" if not disagreed and board.agreed > windows / 2 else None
