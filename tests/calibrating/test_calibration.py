"""What calibration learns of scripted sensors in virtual time, and of a simulated GPU in real time."""

from typing import Any

import pytest
from simulated_nvml import SimulatedGpu, SimulatedNvml

from pytest_whq.calibrating.calibration import Calibration, SensorCalibration, calibrate
from pytest_whq.calibrating.gpus import calibrate_gpus
from pytest_whq.errors import SourceError
from pytest_whq.measuring.clock import SystemClock
from pytest_whq.sources.base import Probe
from pytest_whq.testing import FakeClock, ScriptedSource


class ScriptedLoad:
    """Lets a device draw 450 W instead of 70 W."""

    name = "scripted"

    def __init__(self, device: ScriptedSource | SimulatedGpu) -> None:
        self._device = device

    def switch(self, *, on: bool) -> None:
        self._device.set_watts(450.0 if on else 70.0)


class Calibrated:
    """A calibration of a scripted device in virtual time."""

    def __init__(self, *, has_load: bool = True, longest_s: float = 2.0, **how: Any) -> None:
        self.clock = FakeClock()
        self.source = ScriptedSource(self.clock, 70.0, phase_s=0.0123, **how)
        (device,) = self.source.devices()
        probes = [
            Probe(device, "energy counter", True, lambda: self.source.read()[0].energy_j),
            Probe(device, "instant power", False, lambda: self.source.read()[0].power_w),
        ]
        load = ScriptedLoad(self.source) if has_load else None
        self.found: Calibration = calibrate(device, probes, self.clock, load, longest_s)

    @property
    def counter(self) -> SensorCalibration:
        return self.found.sensors[0]

    @property
    def power(self) -> SensorCalibration:
        return self.found.sensors[1]


@pytest.mark.parametrize(
    ("period_s", "averaging_s", "look_s", "cost_s"),
    [
        pytest.param(0.1, 0.025, None, 0.00005, id="a data-centre GPU"),
        pytest.param(0.1, 0.1, 0.05, 0.002, id="a counter that looks half of the time"),
        pytest.param(0.1, 1.0, 0.025, 0.007, id="a counter that looks a quarter of the time, slow power"),
        pytest.param(0.02, 0.01, None, 0.0001, id="an old GPU"),
        pytest.param(0.5, 0.1, None, 0.001, id="a GPU that refreshes seldom"),
    ],
)
def test_the_sensors_are_learned(
    period_s: float, averaging_s: float, look_s: float | None, cost_s: float
) -> None:
    found = Calibrated(
        period_s=period_s, averaging_s=averaging_s, look_s=look_s, cost_s=cost_s, noise=0.02, longest_s=0.5
    )
    for sensor, looks_back_s in ((found.counter, look_s or period_s), (found.power, averaging_s)):
        assert sensor.refresh_s == pytest.approx(period_s, rel=0.02)
        assert sensor.averaging_s == pytest.approx(looks_back_s, rel=0.3)
        assert sensor.cost_s == pytest.approx(cost_s)
    assert found.found.idle_w == pytest.approx(70, rel=0.01)
    assert found.found.busy_w == pytest.approx(450, rel=0.01)


def test_counter_and_power_are_compared_from_the_beginning_of_the_load_on() -> None:
    found = Calibrated(longest_s=5.0).found
    assert {one.seconds: one.counter_over_power for one in found.agreement} == {
        seconds: pytest.approx(1.0, abs=0.002) for seconds in (0.5, 1.0, 2.0, 5.0)
    }


def test_power_that_averages_over_a_second_is_compared_where_it_can_tell() -> None:
    assert [one.seconds for one in Calibrated(averaging_s=1.0, longest_s=5.0).found.agreement] == [5.0]


def test_without_a_counter_there_is_nothing_to_compare() -> None:
    found = Calibrated(counter=False).found
    assert found.agreement == ()
    assert found.sensors[0] == SensorCalibration("energy counter", None, None, 0.0)


def test_an_idle_device_tells_how_often_its_counter_refreshes_and_little_else() -> None:
    calibrated = Calibrated(has_load=False, longest_s=1.0)
    found = calibrated.found
    assert (found.load, found.busy_w) == (None, 700.0)
    assert found.idle_w == pytest.approx(70, rel=1e-3)
    assert calibrated.counter.refresh_s == pytest.approx(0.1, rel=0.02)
    assert (calibrated.counter.averaging_s, calibrated.power.averaging_s) == (None, None)
    assert [one.counter_over_power for one in found.agreement] == [pytest.approx(1, abs=0.002)] * 2


def test_the_load_is_switched_off_whatever_happens() -> None:
    clock = FakeClock()
    source = ScriptedSource(clock, 70.0)
    (device,) = source.devices()

    def look() -> float | None:
        if clock.now() > 1001.0:
            source.error = SourceError("gone")
        return source.read()[0].energy_j

    with pytest.raises(SourceError, match="gone"):
        calibrate(device, [Probe(device, "energy counter", True, look)], clock, ScriptedLoad(source))
    source.error = None
    assert source.true_energy_j(clock.now(), clock.now() + 1) == pytest.approx(70)


@pytest.mark.once
def test_a_simulated_gpu_is_calibrated_in_real_time(simulated_nvml: SimulatedNvml) -> None:
    gpu = simulated_nvml.gpu(0).configure(
        counter_period_ms=50, instant_window_ms=60, average_window_ms=500, reading_cost_ms=1
    )
    said: list[str] = []
    driver, (found,) = calibrate_gpus(SystemClock(), None, 0.5, said.append, lambda _: ScriptedLoad(gpu))
    assert driver == "580.95.05"
    assert said == [f"calibrating {gpu.name} ({gpu.uuid})"]
    learned = {sensor.sensor: sensor for sensor in found.sensors}
    assert {name: sensor.refresh_s for name, sensor in learned.items()} == {
        "energy counter": pytest.approx(0.05, rel=0.05),
        "instant power": pytest.approx(0.1, rel=0.05),
        "power usage": pytest.approx(0.1, rel=0.05),
        "average power": pytest.approx(0.1, rel=0.05),
    }
    assert {name: sensor.averaging_s for name, sensor in learned.items()} == {
        "energy counter": pytest.approx(0.05, rel=0.3),
        "instant power": pytest.approx(0.06, rel=0.3),
        "power usage": pytest.approx(0.5, rel=0.3),
        "average power": pytest.approx(0.5, rel=0.3),
    }
    assert all(0.0005 < sensor.cost_s < 0.002 for sensor in learned.values())
    assert [one.counter_over_power for one in found.agreement] == [pytest.approx(1, abs=0.05)]
