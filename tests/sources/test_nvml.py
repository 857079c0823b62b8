"""What the NVML source reads, with the real pynvml on simulated GPUs."""

import os
import subprocess
import time
from statistics import median

import pytest
from nvml_helpers import one_reading, opened, why_not_read
from simulated_nvml import (
    FUNCTION_NOT_FOUND,
    GPU_IS_LOST,
    NOT_SUPPORTED,
    SimulatedGpu,
    SimulatedNvml,
)

from pytest_whq.model import Device, DeviceState
from pytest_whq.sources.base import PowerSource
from pytest_whq.sources.nvml import other_processes
from pytest_whq.sources.nvml.codes import averaging_s


@pytest.fixture
def gpu(simulated_nvml: SimulatedNvml) -> SimulatedGpu:
    """A GPU whose counter is always up to date, so that its readings are known."""
    return simulated_nvml.gpu(0).configure(counter_period_ms=0)


def test_it_is_a_power_source_that_says_what_it_measures(gpu: SimulatedGpu) -> None:
    with opened() as source:
        assert isinstance(source, PowerSource)
        assert source.devices() == (Device(gpu.uuid, "NVIDIA H100 80GB HBM3", 700.0),)
        assert (source.scope, source.driver) == ("gpu", "580.95.05")


def test_a_working_counter_is_read_each_time_in_joules(gpu: SimulatedGpu) -> None:
    gpu.configure(counter_base_j=1000)
    with opened() as source:
        first = one_reading(source)
        with gpu.busy(450):
            time.sleep(0.05)
        last = one_reading(source)
    assert first.energy_j is not None
    assert last.energy_j is not None
    true_j = gpu.true_energy_j(first.time_s, last.time_s)
    assert last.energy_j - first.energy_j == pytest.approx(true_j, abs=0.2)


def test_the_time_of_a_reading_is_the_middle_of_the_call(gpu: SimulatedGpu) -> None:
    off_s = []
    with opened() as source:
        for _ in range(9):
            gpu.configure(reading_cost_ms=0)
            one_reading(source)
            gpu.configure(reading_cost_ms=40)
            before_s = time.monotonic()
            reading = one_reading(source)
            took_s = time.monotonic() - before_s
            assert took_s >= 0.04
            # Where the machine was held up for 50 ms between the two, power is read as well.
            if reading.power_w is None:
                off_s.append(abs(reading.time_s - before_s - took_s / 2))
    # It may be held up within a call, too, but not in most.
    assert median(off_s) <= 0.008


def test_beside_a_counter_power_is_read_every_50_ms_only(gpu: SimulatedGpu) -> None:
    with opened() as source:
        before = gpu.calls("power_field")
        started_s = time.monotonic()
        readings = [one_reading(source) for _ in range(200)]
        took_s = time.monotonic() - started_s
        asked = gpu.calls("power_field") - before
    assert [reading.energy_j is None for reading in readings].count(True) == 0
    assert sum(reading.power_w == 70 for reading in readings) == asked
    assert asked <= 1 + took_s / 0.05


@pytest.mark.parametrize(
    ("missing", "averaging_s"),
    [((), 0.025), (("instant",), 1.0), (("instant", "power_usage"), 1.0)],
    ids=["instant", "usage", "average"],
)
def test_without_a_counter_power_is_read_each_time(
    gpu: SimulatedGpu, missing: tuple[str, ...], averaging_s: float
) -> None:
    gpu.configure(counter_supported=False, counter_field_supported=False)
    gpu.configure(instant_supported="instant" not in missing)
    gpu.configure(power_usage_supported="power_usage" not in missing)
    with opened() as source:
        assert [(r.energy_j, r.power_w) for r in (one_reading(source), one_reading(source))] == [
            (None, 70.0),
            (None, 70.0),
        ]
        assert source.power_averaging_s == {gpu.uuid: averaging_s}


@pytest.mark.parametrize(
    ("architecture", "capability", "instant_s", "usage_s"),
    [
        (9, 9.0, 0.025, 1.0),
        (8, 8.9, 0.1, 1.0),
        (7, 8.6, 0.1, 1.0),
        (7, 8.0, 0.025, 0.025),
        (6, 7.5, 0.1, 0.1),
        (5, 7.0, 0.01, 0.01),
    ],
    ids=["Hopper", "Ada", "Ampere", "GA100", "Turing", "Volta"],
)
def test_how_long_power_is_averaged_depends_on_the_architecture(
    gpu: SimulatedGpu, architecture: int, capability: float, instant_s: float, usage_s: float
) -> None:
    gpu.configure(architecture=architecture, compute_capability=capability)
    for instant, expected_s in ((True, instant_s), (False, usage_s)):
        gpu.configure(instant_supported=instant)
        with opened() as source:
            assert source.power_averaging_s == {gpu.uuid: expected_s}


def test_power_of_an_unknown_gpu_counts_as_averaged_over_a_second() -> None:
    assert averaging_s("instant power", None, is_ga100=False) == 1.0


def test_a_counter_that_only_the_fields_show_is_found(gpu: SimulatedGpu) -> None:
    gpu.configure(counter_supported=False, counter_base_j=5000)
    with opened() as source:
        energy_j = one_reading(source).energy_j
    assert source.scope == "gpu"
    assert energy_j == pytest.approx(5000 + 70 * 60, abs=70)


def test_a_module_is_read_where_the_gpu_alone_cannot_be(gpu: SimulatedGpu) -> None:
    gpu.configure(counter_supported=False, counter_gpu_scope_supported=False)
    gpu.configure(power_usage_supported=False, power_gpu_scope_supported=False)
    gpu.configure(counter_module_scope_supported=True, power_module_scope_supported=True)
    gpu.configure(module_extra_w=50)
    with opened() as source:
        first = one_reading(source)
        time.sleep(0.05)
        last = one_reading(source)
    assert source.scope == "module"
    assert first.power_w == 120
    assert first.energy_j is not None
    assert last.energy_j is not None
    assert last.energy_j - first.energy_j == pytest.approx(120 * (last.time_s - first.time_s), abs=0.1)


def test_gpu_power_is_preferred_to_a_counter_of_the_module(gpu: SimulatedGpu) -> None:
    gpu.configure(counter_supported=False, counter_gpu_scope_supported=False)
    gpu.configure(counter_module_scope_supported=True)
    with opened() as source:
        reading = one_reading(source)
    assert (source.scope, reading.energy_j, reading.power_w) == ("gpu", None, 70)


def test_a_counter_that_refuses_once_while_opening_is_still_found(gpu: SimulatedGpu) -> None:
    until_s = time.monotonic() + 0.03
    gpu.fail("energy", "energy_field", code=NOT_SUPPORTED, until_s=until_s)
    with opened() as source:
        assert one_reading(source).energy_j is not None


def test_a_counter_that_fails_for_another_reason_leaves_power(gpu: SimulatedGpu) -> None:
    gpu.fail("energy", "energy_field", code=FUNCTION_NOT_FOUND)
    with opened() as source:
        reading = one_reading(source)
    assert (reading.energy_j, reading.power_w) == (None, 70)


def test_an_unknown_power_limit_is_none(gpu: SimulatedGpu) -> None:
    gpu.configure(power_limit_supported=False)
    with opened() as source:
        assert source.devices()[0].power_limit_w is None


def test_eight_gpus_are_read_each_at_its_own_time() -> None:
    with SimulatedNvml(gpus=8) as nvml:
        for gpu in nvml.gpus:
            gpu.configure(counter_supported=False, counter_field_supported=False)
            gpu.schedule([(time.monotonic() - 10, 100 + gpu.index)])
        with opened() as source:
            readings = source.read()
    assert [reading.device_id for reading in readings] == [gpu.uuid for gpu in nvml.gpus]
    assert [reading.power_w for reading in readings] == [100, 101, 102, 103, 104, 105, 106, 107]
    times_s = [reading.time_s for reading in readings]
    assert times_s == sorted(set(times_s))


# -- readings that fail --------------------------------------------------------------------------


def test_state_tells_temperature_and_clocks_event_reasons(gpu: SimulatedGpu) -> None:
    with opened() as source:
        gpu.configure(temperature_c=83, clocks_event_reasons=0x1FF)
        (state,) = source.state()
        assert state.device_id == gpu.uuid
        assert state.temperature_c == 83
        assert state.clocks_event_reasons == (
            "gpu_idle",
            "applications_clocks_setting",
            "sw_power_cap",
            "hw_slowdown",
            "sync_boost",
            "sw_thermal_slowdown",
            "hw_thermal_slowdown",
            "hw_power_brake_slowdown",
            "display_clock_setting",
        )
        gpu.configure(clocks_event_reasons=0)
        assert source.state()[0].clocks_event_reasons == ()


def test_what_the_driver_does_not_tell_of_a_gpu_is_none(gpu: SimulatedGpu) -> None:
    with opened() as source:
        gpu.fail("temperature", "clocks", "processes", code=FUNCTION_NOT_FOUND)
        assert source.state() == (DeviceState(gpu.uuid),)
        gpu.fail(code=GPU_IS_LOST)
        why_not_read(source)
        assert source.state() == (DeviceState(gpu.uuid),)


def test_other_processes_are_those_that_do_not_descend_from_this_one(gpu: SimulatedGpu) -> None:
    child = subprocess.Popen(["sleep", "60"])
    try:
        gpu.set_processes([(os.getpid(), 1 << 30), (child.pid, 1 << 30), (1, 2 << 30), (os.getppid(), 1)])
        with opened() as source:
            assert source.state()[0].other_processes == 2
            gpu.set_processes([])
            assert source.state()[0].other_processes == 0
    finally:
        child.kill()
        child.wait()


@pytest.mark.parametrize(("sees_the_machines_pids", "others"), [(True, 1), (False, None)])
def test_in_a_container_other_processes_are_unknown(
    gpu: SimulatedGpu, monkeypatch: pytest.MonkeyPatch, sees_the_machines_pids: bool, others: int | None
) -> None:
    monkeypatch.setattr(other_processes, "_sees_the_machines_pids", lambda: sees_the_machines_pids)
    gpu.set_processes([(1, 1 << 30)])
    with opened() as source:
        assert source.state()[0].other_processes == others
