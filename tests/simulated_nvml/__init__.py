"""A simulated NVML: the real pynvml on GPUs whose watts a test sets, so that true joules are known.

    with SimulatedNvml(gpus=2) as nvml:
        gpu = nvml.gpu(0)
        gpu.configure(counter_period_ms=20, reading_cost_ms=2)
        start = time.monotonic()
        with gpu.busy(450):
            ...
        assert measured == pytest.approx(gpu.true_energy_j(start, time.monotonic()))

Inside the ``with`` block this process and its children use the simulated library; a child changes
what is drawn through ``SimulatedNvml.attach()``. Times are seconds of `time.monotonic`.
"""

from simulated_nvml.simulation import (
    DRIVER_NOT_LOADED,
    FUNCTION_NOT_FOUND,
    GPU_IS_LOST,
    NO_PERMISSION,
    NOT_SUPPORTED,
    RESET_REQUIRED,
    ZERO_WATTS,
    FunctionClass,
    Knobs,
    SimulatedGpu,
    SimulatedNvml,
)

__all__ = [
    "DRIVER_NOT_LOADED",
    "FUNCTION_NOT_FOUND",
    "GPU_IS_LOST",
    "NOT_SUPPORTED",
    "NO_PERMISSION",
    "RESET_REQUIRED",
    "ZERO_WATTS",
    "FunctionClass",
    "Knobs",
    "SimulatedGpu",
    "SimulatedNvml",
]
