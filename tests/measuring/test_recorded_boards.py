"""Windows over what the sensors of real boards have shown: a session's first, and all of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from statistics import fmean

import pytest
from recorded_board import BOARDS, RecordedSource, Recording, recording

from pytest_whq.joules.spans import Span
from pytest_whq.measuring.clock import wait
from pytest_whq.measuring.meter import Meter
from pytest_whq.measuring.sampler import Sampler
from pytest_whq.model import CalibratedBoard, Measurement
from pytest_whq.testing import FakeClock

pytestmark = pytest.mark.parametrize("board", BOARDS)

OPENS_S = 0.4
SLOWEST_FALL_S = 0.015
"""Calibrations of these boards have seen power fall no more slowly."""
LIKELY_FALL_S = 0.008
"""What the ticks and the power sensor of both say beside each other."""


class Session:
    """Measures windows of a recording, one by one; ``settling_s`` is what a calibration has shown."""

    def __init__(self, recorded: Recording, settling_s: tuple[float, float] | None = None) -> None:
        self.recorded, self.clock = recorded, FakeClock()
        self.source = RecordedSource(self.clock, recorded)
        device, when = recorded.device, "2026-11-26T00:00:00Z"
        known = CalibratedBoard(device.id, "recorded", device.power_limit_w, when, "whole", settling_s)
        self.sampler = Sampler(self.source, self.clock, known=[] if settling_s is None else [known])

    def measure(self, span: Span) -> tuple[Measurement, Span]:
        """What a window says that is open while ``span`` lasts, and from when to when it truly was."""
        self._wait_until(span.start_s - OPENS_S)
        meter = Meter(self.clock, self.sampler)
        with self._opened(meter):
            self._wait_until(span.start_s)
            meter.begin()
            self._wait_until(span.end_s)
            meter.end()
            wait(self.clock, meter.conclude())
            found = meter.measurement(precision=0.05)
        (truly,) = meter.spans
        zero_s = self.source.zero_s
        return found, Span(truly.start_s - zero_s, truly.end_s - zero_s)

    def measure_within(self, load: Span, ramp_up_s: float, tail_s: float) -> tuple[Measurement, list[float]]:
        """What a window says within ``load``, and the joules of the load before it and after it."""
        self._wait_until(load.start_s - OPENS_S)
        meter = Meter(self.clock, self.sampler)
        with self._opened(meter):
            self._wait_until(load.start_s + ramp_up_s)
            meter.begin()
            self._wait_until(load.end_s - tail_s)
            meter.end()
            self._wait_until(load.end_s)
            (window,) = meter.spans
            zero_s = self.source.zero_s
            meter.beside = (
                Span(zero_s + load.start_s, window.start_s),
                Span(window.end_s, zero_s + load.end_s),
            )
            wait(self.clock, meter.conclude())
            found = meter.measurement(precision=0.05)
        return found, [energy_j for energy_j in meter.beside_j if energy_j is not None]

    @contextmanager
    def _opened(self, meter: Meter) -> Iterator[None]:
        wait(self.clock, meter.open())
        yield
        meter.leave()

    def _wait_until(self, time_s: float) -> None:
        self.clock.sleep(max(0.0, time_s - (self.clock.now() - self.source.zero_s)))


def holds(recorded: Recording, found: Measurement, span: Span) -> bool:
    """Whether two uncertainties hold the energy of ``span``, known but for how power fell after it."""
    assert found.energy_j is not None
    assert found.uncertainty_j is not None
    whole_j, blur_j = recorded.drawn_j(span), 2 * found.uncertainty_j
    tail_j = whole_j / span.duration_s * SLOWEST_FALL_S
    return whole_j - tail_j - blur_j <= found.energy_j <= whole_j + blur_j


@pytest.mark.parametrize(
    "name", ["windows of 0.05 s", "windows of 0.1 s", "windows of 0.3 s", "windows of 1 s"]
)
def test_two_uncertainties_hold_what_the_counter_says_from_rest_to_rest(board: str, name: str) -> None:
    session = Session(recording(board))
    found = [session.measure(span) for span in session.recorded.turns_of(name)]
    stand = [(one, span) for one, span in found if one.why_invalid("wh_total") is None]
    assert len(stand) >= 0.7 * len(found)
    assert [one for one, span in stand if not holds(session.recorded, one, span)] == []


@pytest.mark.parametrize("settling_s", [(0.005, 0.015), (0.005, 0.0125)])
@pytest.mark.parametrize(("length", "most"), [("0.1", 0.02), ("0.3", 0.01), ("1", 0.005)])
def test_first_windows_of_a_board_that_is_calibrated_are_neither_high_nor_low(
    board: str, length: str, most: float, settling_s: tuple[float, float]
) -> None:
    recorded = recording(board)
    errors, uncertainties = [], []
    for span in recorded.turns_of(f"windows of {length} s"):
        found, truly = Session(recorded, settling_s).measure(span)
        unknown, _ = Session(recorded).measure(span)
        assert found.energy_j is not None
        assert found.uncertainty_j is not None
        assert unknown.uncertainty_j is not None
        whole_j = recorded.drawn_j(truly)
        errors.append(found.energy_j / (whole_j * (1 - LIKELY_FALL_S / truly.duration_s)) - 1)
        uncertainties.append(found.uncertainty_j / unknown.uncertainty_j)
    assert abs(fmean(errors)) < most, errors
    assert fmean(uncertainties) < 0.8, uncertainties


def test_the_first_window_of_a_session_stands_nearly_always(board: str) -> None:
    recorded = recording(board)
    names = ("windows of 0.1 s", "windows of 0.3 s", "windows of 1 s", "a long load")
    spans = [span for name in names for span in recorded.turns_of(name)]
    first = [Session(recorded).measure(span)[0] for span in spans]
    # One that began too near to a tick has not shown that the counter sees all.
    refused = [found.reasons for found in first if found.why_invalid("wh_total") is not None]
    assert len(refused) <= 0.1 * len(first), refused


@pytest.mark.parametrize("half_s", [0.01, 0.025, 0.05])
def test_a_load_that_goes_on_and_off_faster_than_the_counter_is_counted_whole(
    board: str, half_s: float
) -> None:
    session = Session(recording(board))
    turns = session.recorded.turns_of(f"alternating each {half_s:g} s")
    found, span = session.measure(Span(turns[0].start_s, turns[-1].end_s))
    assert holds(session.recorded, found, span)
    assert found.energy_j == pytest.approx(session.recorded.drawn_j(span), rel=0.02)


def test_a_board_at_rest_is_said_to_be(board: str) -> None:
    (load,) = recording(board).turns_of("a long load")
    found, _ = Session(recording(board)).measure(Span(load.end_s + 1.0, load.end_s + 3.5))
    assert found.has("device_idle"), found


def test_windows_of_a_second_scatter_by_less_than_three_joules(board: str) -> None:
    session = Session(recording(board))
    found = [session.measure(span) for span in session.recorded.turns_of("windows of 1 s")]
    apart_j = [
        one.energy_j - session.recorded.drawn_j(span) for one, span in found if one.energy_j is not None
    ]
    assert len(apart_j) == len(found)
    assert max(abs(one - fmean(apart_j)) for one in apart_j) < 3.0, apart_j


@pytest.mark.parametrize(("ramp_up_s", "tail_s"), [(0.03, 0.13), (0.17, 0.06), (0.1, 0.3)])
def test_a_window_within_a_load_is_sure_and_leaves_the_rest_to_ramp_up_and_tail(
    board: str, ramp_up_s: float, tail_s: float
) -> None:
    session = Session(recording(board))
    (load,) = session.recorded.turns_of("a long load")
    found, beside_j = session.measure_within(load, ramp_up_s, tail_s)
    assert found.energy_j is not None
    assert found.uncertainty_j is not None
    assert 2 * found.uncertainty_j < 0.01 * found.energy_j
    assert found.energy_j + sum(beside_j) == pytest.approx(session.recorded.drawn_j(load), rel=0.002)
    power_w = found.energy_j / (load.duration_s - ramp_up_s - tail_s)
    # Boards draw more in the first tenths of a second; each part is told to some 30 ms of the load.
    assert beside_j == pytest.approx([power_w * ramp_up_s, power_w * tail_s], abs=0.03 * power_w)
