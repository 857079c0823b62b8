"""The fake clock and the scripted source, which authors of plugins test with."""

from dataclasses import replace
from itertools import pairwise

import pytest

from pytest_whq.errors import SourceError
from pytest_whq.model import Device, DeviceState, Reading
from pytest_whq.sources.base import PowerSource
from pytest_whq.testing import FakeClock, ScriptedSource


def test_time_passes_only_while_somebody_sleeps() -> None:
    clock = FakeClock(5.0)
    assert (clock.now(), clock.now()) == (5.0, 5.0)
    clock.sleep(1.5)
    assert clock.now() == 6.5


def test_what_repeats_takes_its_turns_in_the_order_of_their_times() -> None:
    clock, order = FakeClock(0.0), []

    def every(name: str, pause_s: float) -> None:
        def step() -> float:
            order.append((name, round(clock.now(), 6)))
            return pause_s

        clock.repeat(step)

    every("slow", 0.5)
    every("fast", 0.2)
    clock.sleep(0.9)
    assert order == [
        *[("slow", 0.0), ("fast", 0.0), ("fast", 0.2), ("fast", 0.4)],
        *[("slow", 0.5), ("fast", 0.6), ("fast", 0.8)],
    ]
    assert clock.now() == 0.9


def test_one_that_is_woken_takes_its_turn_as_soon_as_time_passes() -> None:
    clock, turns = FakeClock(0.0), []

    def step() -> float:
        turns.append(clock.now())
        return 10.0

    repeating = clock.repeat(step)
    clock.sleep(1.0)
    repeating.wake()
    clock.sleep(1.0)
    assert turns == [0.0, 1.0]


def test_one_that_is_stopped_takes_no_turn_more() -> None:
    clock, turns = FakeClock(0.0), []

    def step() -> float:
        turns.append(clock.now())
        return 1.0

    repeating = clock.repeat(step)
    assert repeating.alive
    clock.sleep(0.5)
    repeating.stop()
    repeating.stop()
    clock.sleep(5.0)
    assert (turns, repeating.alive) == ([0.0], False)


def test_a_step_that_sleeps_is_not_called_meanwhile() -> None:
    clock, turns = FakeClock(0.0), []

    def step() -> float:
        turns.append(clock.now())
        clock.sleep(0.3)
        return 0.1

    clock.repeat(step)
    clock.sleep(1.0)
    assert turns == pytest.approx([0.0, 0.4, 0.8])
    assert clock.now() == pytest.approx(1.1)


def test_nothing_else_takes_its_turn_while_time_is_spent_at_work() -> None:
    clock, turns = FakeClock(0.0), []

    def step() -> float:
        turns.append(clock.now())
        return 0.1

    clock.repeat(step)
    clock.spend(1.0)
    assert (turns, clock.now()) == ([], 1.0)


def test_turns_come_late_by_what_the_seed_says() -> None:
    def turns(seed: int) -> list[float]:
        clock, times_s = FakeClock(0.0, late_s=0.01, seed=seed), []

        def step() -> float:
            times_s.append(clock.now())
            return 0.1

        clock.repeat(step)
        clock.sleep(0.35)
        return times_s

    first = turns(1)
    assert len(first) == 4
    assert all(0.1 <= after - before <= 0.11 for before, after in pairwise(first))
    assert first == turns(1) != turns(2)


def one(source: ScriptedSource) -> Reading:
    (reading,) = source.read()
    return reading


def test_the_scripted_source_is_a_power_source() -> None:
    source = ScriptedSource(FakeClock())
    assert isinstance(source, PowerSource)
    assert source.devices() == (Device("SCRIPTED-0", "Scripted GPU", 700.0),)
    assert source.state() == (DeviceState("SCRIPTED-0"),)
    source.close()
    assert source.closed


def test_its_truth_is_what_was_set() -> None:
    clock = FakeClock(0.0)
    source = ScriptedSource(clock, 70.0)
    clock.sleep(1.0)
    source.call(0.5, 450.0)
    clock.sleep(1.0)
    assert source.true_energy_j(0.0, 2.5) == pytest.approx(70 * 2 + 450 * 0.5)
    assert source.true_energy_j(1.2, 1.7) == pytest.approx(450 * 0.3 + 70 * 0.2)


def test_its_counter_moves_in_ticks() -> None:
    clock = FakeClock(0.0)
    source = ScriptedSource(clock, 100.0, period_s=0.1, phase_s=0.03)
    shown = []
    for _ in range(5):
        clock.sleep(0.04)
        shown.append(one(source).energy_j)
    # Ticks are at 30 ms and at 130 ms.
    assert shown == pytest.approx([3.0, 3.0, 3.0, 13.0, 13.0])


def test_its_power_is_the_mean_over_some_time_before_the_tick() -> None:
    clock = FakeClock(0.0)
    source = ScriptedSource(clock, 100.0, phase_s=0.03, averaging_s=0.05)
    clock.sleep(0.11)
    source.set_watts(300.0)
    clock.sleep(0.03)
    assert one(source).power_w == pytest.approx(100 * 0.6 + 300 * 0.4)


def test_a_counter_that_looks_part_of_the_time_takes_it_for_the_whole() -> None:
    clock = FakeClock(0.0)
    source = ScriptedSource(clock, 0.0, look_s=0.025)
    source.call(0.07, 450.0)
    clock.sleep(0.035)
    assert one(source).energy_j == 0.0
    clock.sleep(0.075)
    source.call(0.03, 450.0)
    assert one(source).energy_j == pytest.approx(450 * 0.1 * 0.8)
    assert source.true_energy_j(0.0, 0.21) == pytest.approx(450 * 0.1)


def test_a_sensor_that_is_absent_shows_none() -> None:
    clock = FakeClock(0.0)
    clock.sleep(0.2)
    assert one(ScriptedSource(clock, counter=False)).energy_j is None
    assert one(ScriptedSource(clock, power=False)).power_w is None


def test_a_reading_takes_time_and_looks_in_the_middle_of_it() -> None:
    clock = FakeClock(0.0)
    reading = one(ScriptedSource(clock, cost_s=0.006))
    assert (reading.time_s, clock.now()) == (0.003, 0.006)


def test_noise_is_part_of_the_truth_and_fixed_by_the_seed() -> None:
    def joules(seed: int, noise: float = 0.02) -> float:
        clock = FakeClock(0.0)
        source = ScriptedSource(clock, 100.0, noise=noise, seed=seed)
        clock.sleep(100.0)
        return source.true_energy_j(0.0, 100.0)

    assert joules(1) == joules(1) != joules(2)
    # Its 10000 slices of 10 ms deviate by 2 W each, so all of them by 2 W x 10 ms x 100.
    assert joules(1) == pytest.approx(10_000, abs=3 * 2)
    assert joules(1, noise=0.0) == pytest.approx(10_000)


def test_its_error_is_raised_while_it_is_set() -> None:
    source = ScriptedSource(FakeClock())
    source.error = SourceError("it is unplugged")
    with pytest.raises(SourceError, match=r"^it is unplugged$"):
        source.read()
    source.error = None
    assert one(source).device_id == "SCRIPTED-0"


def test_a_reading_can_be_altered_from_any_moment_on() -> None:
    source = ScriptedSource(FakeClock())
    source.alter = lambda reading: replace(reading, energy_j=None, power_w=0.0)
    assert one(source) == Reading("SCRIPTED-0", 1000.0, None, 0.0)
