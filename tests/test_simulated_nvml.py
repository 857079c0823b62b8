"""The simulated NVML itself: what its sensors show of watts that are known."""

import itertools
import math
import os
import subprocess
import sys
import time
from pathlib import Path

import pynvml  # type: ignore[import-untyped]
import pytest
from simulated_nvml import GPU_IS_LOST, NOT_SUPPORTED, ZERO_WATTS, Knobs, SimulatedGpu, SimulatedNvml, library
from simulated_nvml.simulation import FunctionClass

NEVER_AGAIN_MS = 1e9
"""A refresh period in which a sensor stays as it was at its phase, so that tests know what it shows."""


@pytest.fixture
def gpu(simulated_nvml: SimulatedNvml) -> SimulatedGpu:
    pynvml.nvmlInit()
    return simulated_nvml.gpu(0).configure(counter_base_j=0)


@pytest.fixture
def handle(gpu: SimulatedGpu) -> object:
    return pynvml.nvmlDeviceGetHandleByIndex(gpu.index)


@pytest.fixture
def moment(gpu: SimulatedGpu) -> float:
    """A second ago: the time for which the sensors are asked; 70 W since the start, 450 W for 2 s."""
    moment = math.floor(time.monotonic()) - 1.0
    gpu.schedule([(moment - 20, 70), (moment - 2, 450)])
    gpu.configure(power_phase_ms=moment * 1000, instant_period_ms=NEVER_AGAIN_MS)
    gpu.configure(average_period_ms=NEVER_AGAIN_MS)
    gpu.configure(counter_phase_ms=moment * 1000, counter_period_ms=NEVER_AGAIN_MS)
    return moment


def counter_j(handle: object) -> float:
    return float(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)) / 1000


def field(handle: object, field_id: int, scope: int = 0) -> tuple[int, float]:
    value = pynvml.nvmlDeviceGetFieldValues(handle, [(field_id, scope)])[0]
    return value.nvmlReturn, value.value.uiVal / 1000


def test_true_energy_is_watts_times_seconds(gpu: SimulatedGpu, moment: float) -> None:
    assert gpu.true_energy_j(moment - 10, moment) == pytest.approx(70 * 8 + 450 * 2, abs=1e-9)
    assert gpu.true_energy_j(moment - 12, moment - 11) == pytest.approx(70, abs=1e-9)


def test_the_counter_shows_the_energy_at_its_last_tick(
    gpu: SimulatedGpu, moment: float, handle: object
) -> None:
    gpu.configure(counter_base_j=1000)
    at_the_moment = counter_j(handle)
    gpu.configure(counter_phase_ms=(moment - 3) * 1000)
    assert at_the_moment - counter_j(handle) == pytest.approx(2 * 450 + 70, abs=0.002)


def test_a_counter_of_period_zero_shows_the_energy_of_now(gpu: SimulatedGpu, handle: object) -> None:
    gpu.configure(counter_period_ms=0, counter_base_j=0)
    before_s, before_j = time.monotonic(), counter_j(handle)
    with gpu.busy(450):
        time.sleep(0.03)
    after_j, after_s = counter_j(handle), time.monotonic()
    assert after_j - before_j == pytest.approx(gpu.true_energy_j(before_s, after_s), abs=0.5)


def test_a_stuck_counter_stays_at_the_moment_it_stuck(
    gpu: SimulatedGpu, moment: float, handle: object
) -> None:
    gpu.configure(counter_period_ms=100)
    gpu.configure(counter_stuck_from_s=moment - 1.95)
    stuck_j = counter_j(handle)
    gpu.configure(counter_stuck_from_s=moment - 2)
    assert stuck_j == counter_j(handle)
    gpu.configure(counter_stuck_until_s=moment, counter_period_ms=NEVER_AGAIN_MS)
    assert counter_j(handle) - stuck_j == pytest.approx(900, abs=0.002)


def test_a_counter_starts_again_at_zero_when_reset(gpu: SimulatedGpu, moment: float, handle: object) -> None:
    gpu.configure(counter_base_j=5000, counter_reset_at_s=moment - 1)
    gpu.configure(counter_period_ms=1000, counter_phase_ms=0, counter_stuck_from_s=moment)
    assert counter_j(handle) == pytest.approx(450, abs=0.002)


@pytest.mark.parametrize(("since_s", "missing"), [(0.5, 0.26), (1.0, 0.12), (2.0, 0.04), (5.0, 0.0)], ids=str)
def test_a_lagging_counter_catches_up_within_seconds(
    gpu: SimulatedGpu, moment: float, handle: object, since_s: float, missing: float
) -> None:
    gpu.schedule([(moment - 20, 0), (moment - since_s, 100)])
    gpu.configure(counter_lag_s=0.18, counter_catch_up_s=2)
    at_the_end_j = counter_j(handle)
    gpu.configure(counter_phase_ms=(moment - since_s) * 1000)
    assert (at_the_end_j - counter_j(handle)) / (100 * since_s) == pytest.approx(1 - missing, abs=0.012)


def test_a_part_time_counter_counts_only_what_it_looks_at(
    gpu: SimulatedGpu, moment: float, handle: object
) -> None:
    gpu.configure(counter_period_ms=100, counter_window_ms=25)
    gpu.configure(counter_stuck_from_s=moment - 2)
    before_j = counter_j(handle)
    # Busy for 30 of every 100 ms, in the part of the period that the sensor looks at: 25 of 25 ms.
    gpu.schedule(
        [
            segment
            for tick in range(20)
            for segment in (
                (moment - 2 + tick * 0.1, 100.0),
                (moment - 2 + tick * 0.1 + 0.07, 400.0),
            )
        ]
    )
    gpu.schedule([(moment, 100)])
    gpu.configure(counter_stuck_from_s=moment)
    assert gpu.true_energy_j(moment - 2, moment) == pytest.approx(380, abs=1e-6)
    assert counter_j(handle) - before_j == pytest.approx(800, abs=0.01)


def test_power_is_the_mean_over_the_window_before_the_refresh(
    gpu: SimulatedGpu, moment: float, handle: object
) -> None:
    gpu.schedule([(moment - 2, 70), (moment - 0.25, 450)])
    assert field(handle, pynvml.NVML_FI_DEV_POWER_INSTANT) == (0, 450)
    assert field(handle, pynvml.NVML_FI_DEV_POWER_AVERAGE) == (0, 165)
    assert pynvml.nvmlDeviceGetPowerUsage(handle) == 165_000
    gpu.configure(power_usage_is_average=False)
    assert pynvml.nvmlDeviceGetPowerUsage(handle) == 450_000


def test_a_module_draws_more_than_its_gpu(gpu: SimulatedGpu, moment: float, handle: object) -> None:
    assert field(handle, pynvml.NVML_FI_DEV_POWER_INSTANT, scope=1) == (NOT_SUPPORTED, 0)
    gpu.configure(power_module_scope_supported=True, power_gpu_scope_supported=False, module_extra_w=80)
    assert field(handle, pynvml.NVML_FI_DEV_POWER_INSTANT, scope=1) == (0, 530)
    assert field(handle, pynvml.NVML_FI_DEV_POWER_INSTANT) == (NOT_SUPPORTED, 0)


def test_what_a_gpu_does_not_support_says_so(gpu: SimulatedGpu, handle: object) -> None:
    gpu.configure(counter_supported=False, counter_field_supported=False, instant_supported=False)
    gpu.configure(power_usage_supported=False)
    with pytest.raises(pynvml.NVMLError_NotSupported):
        counter_j(handle)
    with pytest.raises(pynvml.NVMLError_NotSupported):
        pynvml.nvmlDeviceGetPowerUsage(handle)
    assert field(handle, pynvml.NVML_FI_DEV_TOTAL_ENERGY_CONSUMPTION) == (NOT_SUPPORTED, 0)
    assert field(handle, pynvml.NVML_FI_DEV_POWER_INSTANT) == (NOT_SUPPORTED, 0)


def test_the_sample_buffer_holds_one_power_per_refresh(
    gpu: SimulatedGpu, moment: float, handle: object
) -> None:
    gpu.configure(instant_period_ms=100, samples_depth=50)
    kind, samples = pynvml.nvmlDeviceGetSamples(handle, pynvml.NVML_TOTAL_POWER_SAMPLES, 0)
    assert kind == pynvml.NVML_VALUE_TYPE_UNSIGNED_INT
    assert len(samples) == 50
    stamps_us = [sample.timeStamp for sample in samples]
    gaps_us = {late - early for early, late in itertools.pairwise(stamps_us)}
    assert gaps_us <= {99_999, 100_000, 100_001}
    powers_mw = [sample.sampleValue.uiVal for sample in samples]
    assert powers_mw == sorted(powers_mw)
    assert set(powers_mw) == {70_000, 450_000}
    _, newer = pynvml.nvmlDeviceGetSamples(handle, pynvml.NVML_TOTAL_POWER_SAMPLES, stamps_us[-3])
    assert [sample.timeStamp for sample in newer][:2] == stamps_us[-2:]
    gpu.configure(samples_supported=False)
    with pytest.raises(pynvml.NVMLError_NotSupported):
        pynvml.nvmlDeviceGetSamples(handle, pynvml.NVML_TOTAL_POWER_SAMPLES, 0)


def test_failures_begin_and_end_at_their_moments(gpu: SimulatedGpu, handle: object) -> None:
    now = time.monotonic()
    gpu.fail("energy", code=GPU_IS_LOST, from_s=now - 1, until_s=now + 60)
    gpu.fail("power", code=GPU_IS_LOST, from_s=now + 60)
    gpu.fail("power_field", code=GPU_IS_LOST, from_s=now - 60, until_s=now - 1)
    with pytest.raises(pynvml.NVMLError_GpuIsLost):
        counter_j(handle)
    assert pynvml.nvmlDeviceGetPowerUsage(handle) == 70_000
    assert field(handle, pynvml.NVML_FI_DEV_POWER_INSTANT) == (0, 70)
    gpu.heal()
    counter_j(handle)


def test_power_can_read_zero_and_nothing_else_does(gpu: SimulatedGpu, handle: object) -> None:
    gpu.fail(code=ZERO_WATTS)
    assert counter_j(handle) == pytest.approx(70 * 60, abs=140)
    assert field(handle, pynvml.NVML_FI_DEV_TOTAL_ENERGY_CONSUMPTION)[0] == 0
    assert pynvml.nvmlDeviceGetTemperature(handle, 0) == 45
    assert pynvml.nvmlDeviceGetPowerUsage(handle) == 0
    assert field(handle, pynvml.NVML_FI_DEV_POWER_INSTANT) == (0, 0)


def test_power_asked_for_too_fast_fails(gpu: SimulatedGpu, handle: object) -> None:
    gpu.configure(too_fast_ms=60_000)
    assert field(handle, pynvml.NVML_FI_DEV_POWER_INSTANT) == (0, 70)
    assert field(handle, pynvml.NVML_FI_DEV_POWER_INSTANT) == (NOT_SUPPORTED, 0)
    gpu.configure(too_fast_code=ZERO_WATTS)
    assert field(handle, pynvml.NVML_FI_DEV_POWER_INSTANT) == (0, 0)


@pytest.mark.parametrize("spins", [False, True])
def test_a_reading_takes_the_time_that_it_costs(gpu: SimulatedGpu, handle: object, spins: bool) -> None:
    gpu.configure(reading_cost_ms=40, reading_cost_spins=spins)
    took_cpu_s = []
    for _ in range(5):
        start_s, start_cpu_s = time.monotonic(), time.process_time()
        counter_j(handle)
        took_cpu_s.append(time.process_time() - start_cpu_s)
        assert time.monotonic() - start_s >= 0.04
    # On a machine that has no core free for 40 ms, it gets none to spin on.
    assert (max(took_cpu_s) >= 0.005) if spins else (min(took_cpu_s) < 0.005)


def test_noise_is_part_of_the_truth_and_repeats_with_the_seed() -> None:
    energies = []
    start = time.monotonic() - 30
    for seed in (1, 1, 2):
        with SimulatedNvml(seed=seed, idle_w=100) as nvml:
            gpu = nvml.gpu(0).configure(noise=0.02)
            energies.append(gpu.true_energy_j(start, start + 20))
            slice_s = math.ceil(start * 100) / 100
            slices = [gpu.true_energy_j(slice_s + i / 100, slice_s + (i + 1) / 100) for i in range(2000)]
    assert energies[1] == pytest.approx(energies[0], abs=1e-6)
    assert energies[2] != pytest.approx(energies[0], abs=1e-6)
    assert energies == pytest.approx([2000] * 3, rel=0.002)
    mean = sum(slices) / len(slices)
    deviation = math.sqrt(sum((energy - mean) ** 2 for energy in slices) / len(slices))
    assert deviation / mean == pytest.approx(0.02, rel=0.05)


def test_what_a_gpu_tells_of_itself(gpu: SimulatedGpu, handle: object) -> None:
    gpu.configure(power_limit_w=350, temperature_c=81, clocks_event_reasons=0x60, mig_mode=1)
    gpu.set_processes([(4321, 2 << 30), (os.getpid(), 1 << 20)])
    gpu.name = "NVIDIA L4"
    assert pynvml.nvmlDeviceGetName(handle) == "NVIDIA L4"
    assert pynvml.nvmlDeviceGetUUID(handle) == gpu.uuid
    assert pynvml.nvmlDeviceGetPowerManagementLimit(handle) == 350_000
    assert pynvml.nvmlDeviceGetEnforcedPowerLimit(handle) == 350_000
    assert pynvml.nvmlDeviceGetTemperature(handle, pynvml.NVML_TEMPERATURE_GPU) == 81
    assert pynvml.nvmlDeviceGetTemperatureV(handle, pynvml.NVML_TEMPERATURE_GPU) == 81
    assert pynvml.nvmlDeviceGetCurrentClocksEventReasons(handle) == 0x60
    assert pynvml.nvmlDeviceGetMigMode(handle) == [1, 1]
    processes = pynvml.nvmlDeviceGetComputeRunningProcesses(handle)
    assert [(process.pid, process.usedGpuMemory) for process in processes] == [
        (4321, 2 << 30),
        (os.getpid(), 1 << 20),
    ]
    gpu.configure(mig_mode=-1)
    with pytest.raises(pynvml.NVMLError_NotSupported):
        pynvml.nvmlDeviceGetMigMode(handle)


def test_gpus_are_found_by_index_and_uuid() -> None:
    with SimulatedNvml(gpus=8) as nvml:
        pynvml.nvmlInit()
        assert pynvml.nvmlDeviceGetCount() == 8
        assert pynvml.nvmlSystemGetDriverVersion() == "580.95.05"
        assert len({gpu.uuid for gpu in nvml.gpus}) == 8
        handle = pynvml.nvmlDeviceGetHandleByUUID(nvml.gpu(5).uuid)
        assert pynvml.nvmlDeviceGetIndex(handle) == 5
        with pytest.raises(pynvml.NVMLError_InvalidArgument):
            pynvml.nvmlDeviceGetHandleByIndex(8)
        with pytest.raises(pynvml.NVMLError_NotFound):
            pynvml.nvmlDeviceGetHandleByUUID("GPU-0")


def test_calls_are_counted_by_what_they_are_for(
    simulated_nvml: SimulatedNvml, gpu: SimulatedGpu, handle: object
) -> None:
    for _ in range(3):
        counter_j(handle)
    field(handle, pynvml.NVML_FI_DEV_POWER_INSTANT)
    assert (gpu.calls("energy"), gpu.calls("power_field"), gpu.calls("fields")) == (3, 1, 1)
    assert gpu.calls() == 5
    assert simulated_nvml.init_calls == 1
    assert simulated_nvml.last_init_pid == os.getpid()
    pynvml.nvmlShutdown()
    assert simulated_nvml.shutdown_calls == 1
    with pytest.raises(pynvml.NVMLError_Uninitialized):
        counter_j(handle)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_has_to_initialise_again(simulated_nvml: SimulatedNvml, handle: object) -> None:
    child = os.fork()
    if not child:
        with pytest.raises(pynvml.NVMLError_Uninitialized):
            counter_j(handle)
        pynvml.nvmlInit()
        with pytest.raises(pynvml.NVMLError_InvalidArgument):
            counter_j(handle)
        counter_j(pynvml.nvmlDeviceGetHandleByIndex(0))
        os._exit(42)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42
    counter_j(handle)
    assert simulated_nvml.last_init_pid == child


def test_a_child_process_reads_and_changes_the_same_gpus(simulated_nvml: SimulatedNvml) -> None:
    program = """
import pynvml, simulated_nvml
pynvml.nvmlInit()
print(pynvml.nvmlDeviceGetUUID(pynvml.nvmlDeviceGetHandleByIndex(0)))
simulated_nvml.SimulatedNvml.attach().gpu(0).set_watts(321)
"""
    environment = {"PATH": os.environ["PATH"], **simulated_nvml.env()}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == (f"{simulated_nvml.gpu(0).uuid}\n", "")
    assert simulated_nvml.gpu(0).watts() == 321


@pytest.mark.once
def test_processes_that_compile_at_once_get_one_whole_library(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": "tests"}
    program = "from simulated_nvml import SimulatedNvml; SimulatedNvml()"
    children = [subprocess.Popen([sys.executable, "-c", program], env=environment) for _ in range(2)]
    assert [child.wait() for child in children] == [0, 0]
    assert len(list(tmp_path.glob("*/libnvidia-ml.so.1"))) == 1


def test_a_schedule_takes_thousands_of_segments_and_says_when_it_is_full(gpu: SimulatedGpu) -> None:
    start = time.monotonic()
    gpu.schedule((start + i, i) for i in range(16_000))
    assert gpu.true_energy_j(start, start + 16_000) == pytest.approx(16_000 * 15_999 / 2)
    with pytest.raises(RuntimeError, match="schedule is full"):
        gpu.schedule((start + i, i) for i in range(16_400))


def test_the_names_in_python_are_those_in_c() -> None:
    assert tuple(Knobs.__annotations__) == library.names("knob")
    assert FunctionClass.__args__ == library.names("class")  # type: ignore[attr-defined]
