"""One window on any source, in the time of a clock."""

import time

import pytest
from simulated_project import within

from pytest_whq.errors import SourceError
from pytest_whq.measuring.clock import SystemClock
from pytest_whq.model import Device, DeviceState, Reading, TokenCount
from pytest_whq.testing import FakeClock, ScriptedSource, measured_window


def test_a_window_has_the_joules_of_its_body() -> None:
    clock = FakeClock(1000.0, late_s=0.002, seed=3)
    source = ScriptedSource(clock, 70.0, period_s=0.1, phase_s=0.04)
    began_s = clock.now()
    measurement = measured_window(source, clock, lambda: source.call(1.5, 450.0))
    assert measurement.energy_j == pytest.approx(675.0, rel=1e-3)
    assert measurement.duration_s == pytest.approx(1.5)
    assert (measurement.method, measurement.queries, measurement.valid) == ("counter", 1, True)
    assert 1.5 < clock.now() - began_s < 3.0
    assert not source.closed


def test_the_body_is_a_query_of_the_tokens_that_are_told() -> None:
    clock = FakeClock()
    source = ScriptedSource(clock, 70.0, period_s=1e-6)
    untold = measured_window(source, clock, lambda: source.call(1.0, 360.0))
    assert [reason.code for reason in untold.reasons] == ["tokens_missing"]
    told = measured_window(source, clock, lambda: source.call(1.0, 360.0), tokens=TokenCount(100, 50))
    assert (told.reasons, told.tokens) == ((), TokenCount(100, 50))
    assert told.j_per_output_token == pytest.approx(7.2)


def test_an_exception_of_the_body_passes_through_and_reading_ends() -> None:
    clock = FakeClock()
    source = ScriptedSource(clock)
    with pytest.raises(ZeroDivisionError):
        measured_window(source, clock, lambda: 1 / 0)
    assert clock._repeaters == []


def test_what_cannot_be_read_is_unknown_with_its_reason() -> None:
    clock = FakeClock()
    source = ScriptedSource(clock)

    def unplug() -> None:
        clock.sleep(0.5)
        source.error = SourceError("it is unplugged")

    measurement = measured_window(source, clock, unplug)
    assert measurement.energy_j is None
    assert (measurement.reasons[0].code, measurement.reasons[0].sentence) == (
        "source_error",
        "it is unplugged",
    )


class Minimal:
    """Draws 360 W; it has the four methods and nothing else."""

    def devices(self) -> tuple[Device, ...]:
        return (Device("METER-0", "Meter"),)

    def read(self) -> tuple[Reading, ...]:
        now_s = time.monotonic()
        return (Reading("METER-0", now_s, energy_j=360.0 * now_s),)

    def state(self) -> tuple[DeviceState, ...]:
        return (DeviceState("METER-0"),)

    def close(self) -> None: ...


def test_a_source_of_four_methods_is_measured_in_real_time() -> None:
    measurement = measured_window(Minimal(), SystemClock(), lambda: time.sleep(0.2))
    duration_s = measurement.duration_s or 0.0
    assert measurement.energy_j == within(360.0 * duration_s, 0.01, measurement.uncertainty_j or 0.0)
    assert duration_s >= 0.2
