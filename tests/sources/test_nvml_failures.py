"""Readings of the NVML source that fail, with the real pynvml on simulated GPUs."""

import time

import pynvml  # type: ignore[import-untyped]
import pytest
from nvml_helpers import one_reading, opened, why_not_read
from simulated_nvml import (
    DRIVER_NOT_LOADED,
    GPU_IS_LOST,
    NO_PERMISSION,
    NOT_SUPPORTED,
    RESET_REQUIRED,
    ZERO_WATTS,
    SimulatedGpu,
    SimulatedNvml,
)

from pytest_whq.errors import SourceError
from pytest_whq.sources.nvml import gpu as gpu_module
from pytest_whq.sources.nvml import source as nvml_module


@pytest.fixture
def gpu(simulated_nvml: SimulatedNvml) -> SimulatedGpu:
    """A GPU whose counter is always up to date, so that its readings are known."""
    return simulated_nvml.gpu(0).configure(counter_period_ms=0)


@pytest.mark.parametrize("code", [NOT_SUPPORTED, 10, 19, 21, 27])
def test_a_sensor_that_refuses_for_a_while_is_a_missed_reading(gpu: SimulatedGpu, code: int) -> None:
    with opened() as source:
        gpu.fail("energy", "power_field", code=code)
        missed = one_reading(source)
        gpu.heal()
        assert (missed.energy_j, missed.power_w) == (None, None)
        assert one_reading(source).energy_j is not None


def test_power_of_zero_is_a_missed_reading(gpu: SimulatedGpu) -> None:
    gpu.configure(counter_supported=False, counter_field_supported=False)
    with opened() as source:
        gpu.fail("power_field", code=ZERO_WATTS)
        assert one_reading(source).power_w is None
        gpu.heal()
        assert one_reading(source).power_w == 70


def test_power_polled_too_fast_is_a_missed_reading(gpu: SimulatedGpu) -> None:
    gpu.configure(counter_supported=False, counter_field_supported=False, too_fast_ms=30)
    with opened() as source:
        time.sleep(0.04)
        assert [one_reading(source).power_w for _ in range(3)] == [70, None, None]


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (
            GPU_IS_LOST,
            (
                "nvml: GPU 0 ({uuid}) is lost: it fell off the bus. "
                "Reset it or reboot, or leave it out with --whq-devices."
            ),
        ),
        (
            RESET_REQUIRED,
            (
                "nvml: GPU 0 ({uuid}) needs a reset. "
                "Run nvidia-smi --gpu-reset, or leave it out with --whq-devices."
            ),
        ),
        (
            NO_PERMISSION,
            (
                "nvml: no permission to read GPU 0 ({uuid}). "
                "Give this user read and write access to /dev/nvidia*, or leave it out with --whq-devices."
            ),
        ),
        (
            999,
            (
                "nvml: GPU 0 ({uuid}) cannot be read (Unknown Error). "
                "See what nvidia-smi says, or leave it out with --whq-devices."
            ),
        ),
    ],
    ids=["lost", "reset required", "no permission", "unknown"],
)
def test_a_gpu_that_cannot_be_read_any_more_is_an_error_with_its_sentence(
    gpu: SimulatedGpu, code: int, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu_module, "_PASSING_S", 0.0)
    with opened() as source:
        gpu.fail(code=code)
        assert why_not_read(source) == sentence.format(uuid=gpu.uuid)


def test_an_unknown_error_that_passes_is_a_missed_reading(gpu: SimulatedGpu) -> None:
    with opened() as source:
        before = one_reading(source)
        gpu.fail(code=999, from_s=0.0, until_s=time.monotonic() + 0.1)
        assert (one_reading(source).energy_j, one_reading(source).power_w) == (None, None)
        time.sleep(0.15)
        assert (one_reading(source).energy_j or 0.0) >= (before.energy_j or 0.0) > 0


def test_a_lost_gpu_that_comes_back_is_opened_afresh_and_read(
    simulated_nvml: SimulatedNvml, gpu: SimulatedGpu, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nvml_module, "_REOPEN_AFTER_S", 0.05)
    with opened() as source:
        gpu.fail(code=GPU_IS_LOST)
        first = why_not_read(source)
        gpu.heal()
        assert why_not_read(source) == first
        assert simulated_nvml.init_calls == 1
        time.sleep(0.06)
        assert one_reading(source).energy_j is not None
    assert (simulated_nvml.init_calls, simulated_nvml.shutdown_calls) == (2, 2)


def test_a_driver_that_is_gone_after_an_error_has_its_own_sentence(
    simulated_nvml: SimulatedNvml, gpu: SimulatedGpu, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nvml_module, "_REOPEN_AFTER_S", 0.0)
    with opened() as source:
        gpu.fail(code=GPU_IS_LOST)
        why_not_read(source)
        simulated_nvml.fail_init(DRIVER_NOT_LOADED)
        for _ in range(2):
            with pytest.raises(SourceError, match=r"^nvml: driver not loaded"):
                source.read()
        simulated_nvml.fail_init(0)
        gpu.heal()
        assert one_reading(source).energy_j is not None


def test_nvml_shut_down_by_other_code_is_an_error_and_then_opened_again(
    gpu: SimulatedGpu, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nvml_module, "_REOPEN_AFTER_S", 0.0)
    with opened() as source:
        pynvml.nvmlShutdown()
        assert why_not_read(source) == (
            "nvml: other code in this process shut NVML down. "
            "Let it call nvmlShutdown only as often as nvmlInit."
        )
        assert one_reading(source).energy_j is not None
