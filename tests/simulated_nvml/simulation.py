"""The Python side of the simulated NVML: set up GPUs, change what they draw, ask for the truth."""

import contextlib
import ctypes
import functools
import math
import os
import random
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, TypedDict, Unpack, get_args

from simulated_nvml import library

NOT_SUPPORTED = 3
NO_PERMISSION = 4
DRIVER_NOT_LOADED = 9
FUNCTION_NOT_FOUND = 13
GPU_IS_LOST = 15
RESET_REQUIRED = 16
ZERO_WATTS = -1
"""No code of NVML's: the call succeeds and power reads 0 W."""

CONTROL_VARIABLE = "WHQ_SIMULATED_NVML"

FunctionClass = Literal[
    "energy",
    "energy_field",
    "power",
    "power_field",
    "fields",
    "samples",
    "limit",
    "temperature",
    "clocks",
    "processes",
    "mig",
    "info",
]
"""NVML's functions by what they are for: ``energy`` is nvmlDeviceGetTotalEnergyConsumption and
``energy_field`` the same through nvmlDeviceGetFieldValues, which as a whole is ``fields``."""


class Knobs(TypedDict, total=False):
    """How the sensors of one GPU behave; each is explained at its default in ``model.h``.

    Names ending in ``_ms``, ``_s``, ``_w``, ``_j`` and ``_c`` hold milliseconds, seconds, watts,
    joules and degrees Celsius; those in ``_from_s``, ``_until_s``, ``_at_s`` a time of
    `time.monotonic`.
    """

    counter_supported: bool
    counter_field_supported: bool
    counter_gpu_scope_supported: bool
    counter_module_scope_supported: bool
    counter_period_ms: float
    counter_phase_ms: float
    counter_base_j: float
    counter_window_ms: float
    counter_lag_s: float
    counter_catch_up_s: float
    counter_stuck_from_s: float
    counter_stuck_until_s: float
    counter_reset_at_s: float
    power_usage_supported: bool
    power_usage_is_average: bool
    instant_supported: bool
    average_supported: bool
    power_gpu_scope_supported: bool
    power_module_scope_supported: bool
    power_phase_ms: float
    instant_period_ms: float
    instant_window_ms: float
    average_period_ms: float
    average_window_ms: float
    module_extra_w: float
    too_fast_ms: float
    too_fast_code: int
    samples_supported: bool
    samples_depth: int
    noise: float
    reading_cost_ms: float
    reading_cost_spins: bool
    power_limit_w: float
    power_limit_supported: bool
    temperature_c: float
    clocks_event_reasons: int
    mig_mode: Literal[0, 1, -1]
    architecture: int
    compute_capability: float


@functools.cache
def _number(table: Literal["knob", "class"], name: str) -> int:
    return library.names(table).index(name)


class SimulatedGpu:
    """One simulated GPU of a `SimulatedNvml`."""

    def __init__(self, control: int, index: int) -> None:
        self._library = library.load()
        self._control = control
        self.index = index

    @property
    def uuid(self) -> str:
        """The identity by which NVML and CUDA_VISIBLE_DEVICES know it: ``GPU-...``."""
        return ctypes.string_at(self._library.simulated_uuid(self._control, self.index)).decode()

    @uuid.setter
    def uuid(self, text: str) -> None:
        address = self._library.simulated_uuid(self._control, self.index)
        self._library.simulated_set_text(self._control, address, text.encode())

    @property
    def name(self) -> str:
        """The product name."""
        return ctypes.string_at(self._library.simulated_name(self._control, self.index)).decode()

    @name.setter
    def name(self, text: str) -> None:
        address = self._library.simulated_name(self._control, self.index)
        self._library.simulated_set_text(self._control, address, text.encode())

    def configure(self, **knobs: Unpack[Knobs]) -> Self:
        """Change how the sensors behave, from now on."""
        for name, value in knobs.items():
            number = _number("knob", name)
            assert isinstance(value, float | int)
            self._library.simulated_set_knob(self._control, self.index, number, value)
        return self

    def knob(self, name: str) -> float:
        """The value of one of the `Knobs`."""
        value: float = self._library.simulated_knob(self._control, self.index, _number("knob", name))
        return value

    def set_watts(self, watts: float) -> float:
        """Draw ``watts`` from now on; the moment is returned."""
        return self._append(math.nan, watts)

    def schedule(self, segments: Iterable[tuple[float, float]]) -> None:
        """Draw from each time on, in seconds of `time.monotonic`, the watts beside it.

        What had been planned for after the first of these times is forgotten.
        """
        for start_s, watts in segments:
            self._append(start_s, watts)

    def _append(self, start_s: float, watts: float) -> float:
        moment: float = self._library.simulated_append(self._control, self.index, start_s, watts)
        if math.isnan(moment):
            raise RuntimeError("the simulated GPU's schedule is full")
        return moment

    def watts(self, time_s: float | None = None) -> float:
        """The watts drawn at ``time_s``, or now; noise left out."""
        moment = time.monotonic() if time_s is None else time_s
        watts: float = self._library.simulated_watts(self._control, self.index, moment)
        return watts

    @contextlib.contextmanager
    def busy(self, watts: float) -> Iterator[None]:
        """Draw ``watts`` inside the block, and after it what was drawn before."""
        before = self.watts()
        self.set_watts(watts)
        try:
            yield
        finally:
            self.set_watts(before)

    def true_energy_j(self, start_s: float, end_s: float) -> float:
        """The joules drawn between two times of `time.monotonic`, exactly."""
        energy: float = self._library.simulated_true_energy_j(self._control, self.index, start_s, end_s)
        return energy

    def fail(
        self,
        *classes: FunctionClass,
        code: int,
        from_s: float = -math.inf,
        until_s: float = math.inf,
    ) -> None:
        """Let these functions, or all of them where none is named, return ``code`` in that time."""
        numbers = [_number("class", name) for name in classes or get_args(FunctionClass)]
        mask = sum(1 << number for number in numbers)
        if not self._library.simulated_fail(self._control, self.index, mask, code, from_s, until_s):
            raise RuntimeError("the simulated GPU has no room for another failure; heal() it first")

    def heal(self) -> None:
        """Forget all failures."""
        self._library.simulated_heal(self._control, self.index)

    def set_processes(self, processes: Sequence[tuple[int, int]]) -> None:
        """Show these compute processes: process id and bytes of GPU memory."""
        array = (library.Process * len(processes))(*(library.Process(*process) for process in processes))
        self._library.simulated_set_processes(self._control, self.index, len(processes), array)

    def calls(self, *classes: FunctionClass) -> int:
        """How often these functions, or all of them, were called, by every process."""
        return sum(
            self._library.simulated_calls(self._control, self.index, _number("class", name))
            for name in classes or get_args(FunctionClass)
        )


class SimulatedNvml:
    """Simulated GPUs in place of the machine's own, for this process and its children.

    One GPU at a time may be mended by many processes: changes take effect at once for all of them.
    ``seed`` fixes the identities, the phases of the sensors and the noise.
    """

    def __init__(
        self,
        gpus: int = 1,
        *,
        idle_w: float = 70.0,
        seed: int = 0,
        name: str = "NVIDIA H100 80GB HBM3",
        driver: str = "580.95.05",
    ) -> None:
        self._library = library.load()
        self._folder: Path | None = Path(tempfile.mkdtemp(prefix="whq-simulated-nvml-"))
        self._path = self._folder / "control"
        self._environment_before: dict[str, str | None] = {}
        self._control: int = self._library.simulated_create(os.fsencode(self._path), gpus, seed, idle_w)
        if not self._control:
            raise ValueError(f"no control file for {gpus} GPUs can be made at {self._path}")
        self._library.simulated_set_text(
            self._control, self._library.simulated_driver(self._control), driver.encode()
        )
        self.gpus = tuple(SimulatedGpu(self._control, index) for index in range(gpus))
        generator = random.Random(seed)
        for gpu in self.gpus:
            gpu.uuid = f"GPU-{uuid.UUID(int=generator.getrandbits(128))}"
            gpu.name = name
            gpu.configure(
                counter_phase_ms=generator.uniform(0, 100), power_phase_ms=generator.uniform(0, 100)
            )

    @classmethod
    def attach(cls) -> Self:
        """The simulation that the environment of this process names, to change it from a child."""
        path = Path(os.environ[CONTROL_VARIABLE])
        attached = cls.__new__(cls)
        attached._library = library.load()
        attached._folder, attached._path, attached._environment_before = None, path, {}
        attached._control = attached._library.simulated_map(os.fsencode(path))
        if not attached._control:
            raise FileNotFoundError(path)
        count = attached._library.simulated_gpu_count(attached._control)
        attached.gpus = tuple(SimulatedGpu(attached._control, index) for index in range(count))
        return attached

    def gpu(self, index: int) -> SimulatedGpu:
        """The GPU with this number in NVML's order."""
        return self.gpus[index]

    def env(self) -> dict[str, str]:
        """The variables that make a child process use this simulation, to be added to its environment."""
        tests = str(Path(__file__).parent.parent)
        return {
            CONTROL_VARIABLE: str(self._path),
            "LD_LIBRARY_PATH": _with(str(library.folder()), "LD_LIBRARY_PATH"),
            "PYTHONPATH": _with(tests, "PYTHONPATH"),
        }

    def __enter__(self) -> Self:
        environment = self.env()
        self._environment_before = {name: os.environ.get(name) for name in environment}
        os.environ.update(environment)
        self._library.simulated_forget()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for name, value in self._environment_before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        # The mapping stays: a thread that a test left behind may still read from it.
        self._library.simulated_forget()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def init_calls(self) -> int:
        """How often NVML was initialised afresh, by every process; failed attempts count too."""
        count: int = self._library.simulated_init_calls(self._control)
        return count

    @property
    def shutdown_calls(self) -> int:
        """How often nvmlShutdown succeeded, in every process."""
        count: int = self._library.simulated_shutdown_calls(self._control)
        return count

    @property
    def last_init_pid(self) -> int:
        """The process that initialised NVML last, 0 where none did."""
        pid: int = self._library.simulated_last_init_pid(self._control)
        return pid

    def fail_init(self, code: int) -> None:
        """Let nvmlInit return ``code`` from now on; 0 lets it succeed again."""
        self._library.simulated_set_init_error(self._control, code)


def _with(entry: str, variable: str) -> str:
    before = os.environ.get(variable, "")
    return before if entry in before.split(os.pathsep) else os.pathsep.join(filter(None, [entry, before]))
