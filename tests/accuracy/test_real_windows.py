"""Windows of known energy on the simulated library, in real time: how far the figures are off."""

from fnmatch import fnmatchcase

import pytest
from real_time import only_power, real_time, rms_error
from simulated_nvml import Knobs, SimulatedNvml


@pytest.mark.parametrize(
    ("seconds", "count", "rms"), [(0.05, 6, 0.02), (0.1, 6, 0.01), (0.3, 4, 0.01), (1.0, 2, 0.01)]
)
def test_short_windows_hold(simulated_nvml: SimulatedNvml, seconds: float, count: int, rms: float) -> None:
    with real_time(simulated_nvml) as bench:
        windows = bench.measure_until_some_stand(count, seconds)
    assert windows
    assert [window for window in windows if not window.is_right_within(rms)] == []
    assert all(window.measurement.method == "counter" for window in windows)


@pytest.mark.parametrize(
    "knobs",
    [
        pytest.param(Knobs(noise=0.02), id="a load with 2 % noise"),
        pytest.param(Knobs(counter_period_ms=20), id="a counter that ticks every 20 ms"),
        pytest.param(Knobs(reading_cost_ms=2), id="readings that cost 2 ms"),
    ],
)
def test_windows_of_50_ms_hold_on_other_boards(simulated_nvml: SimulatedNvml, knobs: Knobs) -> None:
    simulated_nvml.gpu(0).configure(**knobs)
    with real_time(simulated_nvml) as bench:
        windows = bench.measure_until_some_stand(5, 0.05)
    assert windows
    assert [window for window in windows if not window.is_right_within(0.03)] == []


def test_a_window_of_3_s_holds(simulated_nvml: SimulatedNvml) -> None:
    with real_time(simulated_nvml) as bench:
        window = bench.measure(3.0, 690.0)
    assert set(window.codes) <= {"imprecise"}
    assert window.is_right_within(0.005), window


def test_eight_gpus_at_their_own_levels_are_each_measured_right() -> None:
    levels_w = (70.0, 100.0, 150.0, 250.0, 350.0, 450.0, 600.0, 700.0)
    with SimulatedNvml(gpus=8) as nvml, real_time(nvml) as bench:
        window = bench.measure(3.0, levels_w)
    assert set(window.codes) <= {"imprecise"}
    assert window.is_right_within(0.005)
    energies_j = {device.id: device.energy_j for device in window.measurement.devices}
    blur_j = 3 * (window.measurement.uncertainty_j or 0.0)
    assert energies_j == pytest.approx(window.truths_j, rel=0.01, abs=blur_j)


def test_power_alone_tells_the_energy_of_a_second(simulated_nvml: SimulatedNvml) -> None:
    only_power(simulated_nvml.gpu(0))
    with real_time(simulated_nvml) as bench:
        windows = [bench.measure(1.0) for _ in range(2)]
    assert {window.measurement.method for window in windows} == {"power"}
    assert rms_error(windows) <= 0.02


def test_power_that_averages_over_a_second_tells_the_energy_of_five(simulated_nvml: SimulatedNvml) -> None:
    only_power(simulated_nvml.gpu(0)).configure(instant_supported=False)
    with real_time(simulated_nvml) as bench:
        window = bench.measure(5.0)
    assert window.measurement.method == "power"
    assert abs(window.error) <= 0.03


def test_power_that_averages_over_a_second_does_not_tell_the_energy_of_one(
    simulated_nvml: SimulatedNvml,
) -> None:
    gpu = only_power(simulated_nvml.gpu(0)).configure(instant_supported=False)
    with real_time(simulated_nvml) as bench:
        window = bench.measure(1.0)
    assert window.measurement.energy_j is None
    (reason,) = window.measurement.reasons
    assert reason.code == "window_too_short"
    sentence = f"{gpu.name} ({gpu.uuid}): the power sensor looks back over up to 1??? ms, "
    assert fnmatchcase(reason.sentence, f"{sentence}so a window of 1??? ms is too short for it")
