import pytest
from simulated_nvml import DRIVER_NOT_LOADED, SimulatedNvml

from pytest_whq.calibrating.measurable import list_measurable, refresh_periods
from pytest_whq.measuring.clock import SystemClock
from pytest_whq.model import Reading
from pytest_whq.testing import FakeClock, ScriptedSource


@pytest.mark.parametrize("period_s", [0.02, 0.1, 0.4])
def test_the_refresh_period_of_a_counter_is_learned(period_s: float) -> None:
    clock = FakeClock()
    source = ScriptedSource(clock, period_s=period_s, phase_s=0.013)
    assert refresh_periods(source, clock) == {"SCRIPTED-0": pytest.approx(period_s, rel=0.02)}


class SteppingSource(ScriptedSource):
    """A power sensor that shows the next of these watts every 100 ms."""

    watts = (70, 80, 90, 90, 100, 110, 110, 120, 130, 140, 150, 160, 170, 180, 190, 200)

    def read(self) -> tuple[Reading, ...]:
        step = int((self._clock.now() - 1000.0) / 0.1)
        return (Reading("SCRIPTED-0", self._clock.now(), power_w=self.watts[step]),)


def test_power_that_sometimes_stays_the_same_does_not_make_the_period_longer() -> None:
    clock = FakeClock()
    assert refresh_periods(SteppingSource(clock), clock) == {"SCRIPTED-0": pytest.approx(0.1, rel=0.02)}


def test_the_refresh_period_of_power_is_not_known_while_it_stays_the_same() -> None:
    clock = FakeClock()
    source = ScriptedSource(clock, counter=False)
    assert refresh_periods(source, clock) == {"SCRIPTED-0": None}


def test_gpus_and_the_estimate_are_listed_with_what_is_measured_by_default(
    simulated_nvml: SimulatedNvml, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    gpu, estimate = list_measurable(SystemClock()).measurable
    assert (gpu.source, gpu.index, gpu.by_default) == ("nvml", 0, True)
    assert gpu.device.id == simulated_nvml.gpu(0).uuid
    assert gpu.sensors == ("energy counter", "instant power")
    assert gpu.refresh_s == pytest.approx(0.1, rel=0.1)
    assert (estimate.source, estimate.index, estimate.by_default) == ("estimate", None, False)


def test_what_cuda_does_not_see_is_listed_and_not_measured_by_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with SimulatedNvml(gpus=2) as nvml:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", nvml.gpu(1).uuid)
        listing = list_measurable(SystemClock())
    assert [(m.index, m.by_default) for m in listing.measurable] == [(0, False), (1, True), (None, False)]
    assert listing.problems == ()


def test_a_gpu_in_mig_mode_is_a_problem_that_keeps_the_default_from_working(
    simulated_nvml: SimulatedNvml, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    gpu = simulated_nvml.gpu(0).configure(mig_mode=1)
    listing = list_measurable(SystemClock())
    assert [(m.source, m.by_default) for m in listing.measurable] == [("estimate", False)]
    assert listing.problems == (
        (
            f"nvml: GPU 0 ({gpu.uuid}) is in MIG mode: it is measured only as a whole, "
            "when --whq-devices names it."
        ),
        (
            f"nvml: GPU 0 ({gpu.uuid}) is in MIG mode, where only the whole board's power can be read. "
            "Turn MIG off, or measure all of its instances together with --whq-devices."
        ),
    )


def test_a_machine_without_a_driver_has_the_estimate() -> None:
    with SimulatedNvml() as nvml:
        nvml.fail_init(DRIVER_NOT_LOADED)
        listing = list_measurable(SystemClock())
    assert [(m.source, m.by_default) for m in listing.measurable] == [("estimate", True)]
    assert listing.problems == (
        (
            "nvml: driver not loaded. Load the NVIDIA driver until nvidia-smi works, "
            "or choose another --whq-source."
        ),
    )
