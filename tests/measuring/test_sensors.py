"""Counters and power sensors that fail or lie, in virtual time: never a wrong figure as a valid one."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from bench import Bench, Window

from pytest_whq.joules.trace import Trace
from pytest_whq.model import Reading

NAME = "Scripted GPU (SCRIPTED-0)"


def with_fault(alter: Callable[[Reading], Reading], *, fault_s: float | None = None) -> Window:
    """A window of two calls; from their middle on ``alter`` is at work, for ``fault_s`` or to the end."""
    bench = Bench(phase_s=0.0123)
    window = bench.open()
    bench.call(1.0)
    bench.source.alter = alter
    if fault_s is not None:
        bench.call(fault_s)
        bench.source.alter = None
    bench.call(1.0)
    return window.close()


def frozen() -> Callable[[Reading], Reading]:
    """A counter that shows for ever what it shows first."""
    shown: list[float | None] = []

    def alter(reading: Reading) -> Reading:
        shown.append(reading.energy_j)
        return replace(reading, energy_j=shown[0])

    return alter


def test_a_counter_that_freezes_is_stuck() -> None:
    window = with_fault(frozen())
    assert window.codes == ["counter_stuck"]
    assert window.sentence == (
        f"{NAME}: the energy counter did not move after the window, while readings went on"
    )


def test_a_counter_that_is_frozen_from_the_start_is_stuck() -> None:
    bench = Bench(phase_s=0.0123)
    bench.source.alter = frozen()
    window = bench.measure(1.0)
    assert (window.codes, window.measurement.energy_j) == (["counter_stuck"], None)


def test_a_counter_that_freezes_for_a_second_disagrees_with_power() -> None:
    seen: list[Reading] = []

    def behind(reading: Reading) -> Reading:
        seen.append(reading)
        assert reading.energy_j is not None
        assert seen[0].energy_j is not None
        return replace(reading, energy_j=seen[0].energy_j + 0.5 * (reading.energy_j - seen[0].energy_j))

    window = with_fault(behind)
    assert (window.codes, window.measurement.energy_j) == (["sensors_disagree"], None)
    assert window.sentence.startswith(f"{NAME}: the energy counter says ")
    assert window.sentence.endswith(": one of them lags or is wrong")


def test_a_counter_that_falls_was_reset() -> None:
    window = with_fault(lambda reading: replace(reading, energy_j=(reading.energy_j or 0.0) / 1000))
    assert (window.codes, window.measurement.energy_j) == (["counter_reset"], None)
    assert window.sentence == f"{NAME}: the energy counter fell while the window was open"


def test_a_counter_that_falls_between_two_windows_spoils_neither() -> None:
    bench = Bench(phase_s=0.0123)
    bench.source.alter = lambda reading: replace(reading, energy_j=(reading.energy_j or 0.0) + 5000.0)
    first = bench.measure(1.0)
    bench.source.alter = lambda reading: replace(reading, energy_j=(reading.energy_j or 0.0) + 4000.0)
    second = bench.measure(1.0)
    assert (first.energy_j, second.energy_j) == pytest.approx((450, 450), rel=0.001)


def test_a_counter_that_is_not_supported_for_a_moment_is_read_again() -> None:
    window = with_fault(lambda reading: replace(reading, energy_j=None, power_w=None), fault_s=0.05)
    assert window.energy_j == pytest.approx(450 * 2.05, rel=0.001)
    assert window.codes == []


def test_a_counter_that_is_not_supported_any_more_is_not_measured() -> None:
    window = with_fault(lambda reading: replace(reading, energy_j=None))
    assert (window.codes, window.measurement.energy_j) == (["counter_stuck"], None)


def test_power_of_zero_watts_does_not_make_the_sensors_disagree() -> None:
    window = with_fault(lambda reading: replace(reading, power_w=0.0), fault_s=0.5)
    assert window.energy_j == pytest.approx(450 * 2.5, rel=0.001)
    assert window.faults == []


def test_power_that_is_wrong_by_a_tenth_makes_the_sensors_disagree() -> None:
    bench = Bench(phase_s=0.0123)
    bench.source.alter = lambda reading: replace(reading, power_w=0.9 * (reading.power_w or 0.0))
    window = bench.measure(3.01)
    assert window.codes == ["sensors_disagree"]
    assert window.sentence == (
        f"{NAME}: the energy counter says 1.35 kJ and the power sensor 1.22 kJ: one of them lags or is wrong"
    )


def test_power_that_is_averaged_over_a_second_is_no_witness() -> None:
    bench = Bench(phase_s=0.0123, averaging_s=1.0)
    assert bench.measure(1.0).faults == []


@pytest.mark.parametrize("period_s", [0.02, 0.1, 0.5])
@pytest.mark.parametrize("seconds", [0.05, 0.2, 0.5, 1.0, 3.0])
def test_sensors_that_tell_the_truth_never_disagree(period_s: float, seconds: float) -> None:
    for seed in range(8):
        bench = Bench(
            late_s=0.001, seed=seed, period_s=period_s, phase_s=seed * period_s / 8, noise=0.02 * (seed % 2)
        )
        assert "sensors_disagree" not in bench.measure(seconds).codes


def test_a_window_that_hardly_saw_a_tick_is_too_short() -> None:
    window = Bench(phase_s=0.0123, period_s=0.5).measure(0.001)
    assert window.codes == ["window_too_short"]
    assert not window.measurement.valid


def test_a_device_that_shows_nothing_is_not_measured() -> None:
    bench = Bench(counter=False, power=False)
    window = bench.measure(1.0)
    assert window.codes == ["source_error"]
    assert window.sentence == f"{NAME}: the device gave neither energy nor power while the window was open"


def test_opening_and_closing_wait_at_most_two_seconds_each() -> None:
    bench = Bench(counter=False, power=False)
    began_s = bench.clock.now()
    bench.measure(1.0)
    assert bench.clock.now() - began_s == pytest.approx(5.0, abs=0.02)


def test_closing_waits_for_about_three_ticks() -> None:
    waits_s = []
    for number in range(20):
        bench = Bench(phase_s=number * 0.005)
        window = bench.measure(1.0)
        waits_s.append(bench.clock.now() - window.meter.spans[0].end_s)
    assert 0.2 < min(waits_s) <= max(waits_s) <= 0.3 + 2 * 0.003


def test_a_trace_without_readings_knows_nothing() -> None:
    trace = Trace(0.025)
    assert (trace.counts, trace.readings, trace.settled_after(0.0)) == (False, 0, False)
