"""Readings that cannot be are missed ones, and none of them makes a wrong figure."""

import math
from dataclasses import replace

import pytest
from bench import Bench

from pytest_whq.joules.believable import Believable
from pytest_whq.model import Reading

UINT_MAX_W = 4294967.295


@pytest.mark.parametrize("power_w", [math.nan, math.inf, -5.0, 0.0, UINT_MAX_W, 2200.0, None])
def test_power_that_a_board_of_700_w_cannot_draw_is_a_missed_reading(power_w: float | None) -> None:
    assert Believable(700.0).power_w(power_w) is None


def test_power_above_the_limit_for_an_instant_or_of_a_whole_module_is_taken() -> None:
    assert (Believable(700.0).power_w(1400.0), Believable().power_w(10_200.0)) == (1400.0, 10_200.0)


@pytest.mark.parametrize("energy_j", [math.nan, math.inf, -1.0, 0.0, 2.0**64 / 1000])
def test_a_single_odd_value_of_a_counter_is_a_missed_reading(energy_j: float) -> None:
    believable = Believable(700.0)
    assert believable.energies(0.0, 5000.0) == [(0.0, 5000.0)]
    assert believable.energies(0.1, energy_j) == []
    assert believable.energies(0.2, 5014.0) == [(0.2, 5014.0)]


def test_a_counter_that_goes_on_from_the_odd_value_has_jumped_or_fallen() -> None:
    believable = Believable(700.0)
    believable.energies(0.0, 5000.0)
    assert believable.energies(0.1, 10.0) == []
    assert believable.energies(0.2, 17.0) == [(0.1, 10.0), (0.2, 17.0)]


def spoiled(**odd: float) -> list[str]:
    """The reasons of a window in which one reading in ten is odd; its energy is right where it has one."""
    bench = Bench(phase_s=0.0123)
    seen: list[Reading] = []

    def alter(reading: Reading) -> Reading:
        seen.append(reading)
        return replace(reading, **odd) if len(seen) % 10 == 5 else reading  # type: ignore[arg-type]

    bench.source.alter = alter
    window = bench.measure(1.0)
    assert window.energy_j == pytest.approx(450, rel=0.02)
    return window.faults


def test_odd_readings_among_right_ones_cost_nothing() -> None:
    assert spoiled(power_w=UINT_MAX_W) == []
    assert spoiled(energy_j=math.nan) == []
    assert spoiled(energy_j=2.0**64 / 1000, power_w=math.nan) == []


def test_a_counter_that_jumps_is_no_energy() -> None:
    bench = Bench(phase_s=0.0123)
    window = bench.open()
    bench.call(0.5)
    bench.source.alter = lambda reading: replace(reading, energy_j=(reading.energy_j or 0.0) + 1e6)
    bench.call(0.5)
    assert window.close().codes == ["counter_reset"]
    assert window.sentence.endswith("the energy counter jumped while the window was open")


@pytest.mark.parametrize("held_up_s", [0.2, 0.5, 1.5])
def test_a_reading_that_is_held_up_across_the_end_has_no_certain_time(held_up_s: float) -> None:
    bench = Bench(phase_s=0.0123)
    window = bench.open()
    bench.call(1.0)
    window.meter.end()

    def held_up(reading: Reading) -> Reading:
        bench.source.alter = None
        bench.clock.spend(held_up_s)
        # The time is that of the call's middle, the joules are those of its beginning.
        return replace(reading, time_s=reading.time_s + held_up_s / 2)

    bench.source.alter = held_up
    window.close()
    stands = "window_too_short" not in window.codes and window.measurement.energy_j is not None
    assert not stands or abs(window.energy_j - window.true_j) <= 2 * window.uncertainty_j
