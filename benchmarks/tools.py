"""The tools that `accuracy.py` compares, each as it is meant to be used, behind one small interface.

Every tool is made inside the `SimulatedNvml` context, for it may open NVML when it is imported.
"""

import contextlib
import importlib
import io
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pytest_whq.errors import SourceError
from pytest_whq.measuring.clock import SystemClock, wait
from pytest_whq.measuring.meter import Meter
from pytest_whq.measuring.sampler import Sampler
from pytest_whq.sources.nvml.source import NvmlSource

_JOULES_PER_KWH = 3.6e6


@dataclass(frozen=True, slots=True)
class Answer:
    """Joules of a window as a tool tells them, None with the reason where it says that it cannot.

    ``uncertainty_j`` is one standard uncertainty, None where the tool states none.
    """

    energy_j: float | None
    uncertainty_j: float | None = None
    why_not: str | None = None


class Tool(Protocol):
    """One way to measure a window; what `prepare` does may take time, what `begin` does should not."""

    def prepare(self) -> None:
        """Get ready for a window."""

    def begin(self) -> None:
        """The window begins."""

    def end(self) -> Answer:
        """The window has ended."""


class Ours:
    """pytest-whq: a `Meter`, as behind ``whq.measure()``."""

    def __init__(self) -> None:
        self._clock = SystemClock()
        self._sampler = Sampler(NvmlSource(), self._clock)
        self._meter: Meter

    def prepare(self) -> None:
        """Read until the level before the window is known."""
        self._meter = Meter(self._clock, self._sampler)
        wait(self._clock, self._meter.open())

    def begin(self) -> None:
        """Begin the one span of the meter."""
        self._meter.begin()

    def end(self) -> Answer:
        """End it and read until the level after it is known."""
        self._meter.end()
        wait(self._clock, self._meter.close())
        measurement = self._meter.measurement(precision=math.inf)
        if (reason := measurement.why_invalid("wh_total")) is not None:
            return Answer(None, why_not=reason.code)
        return Answer(measurement.energy_j, measurement.uncertainty_j)


class PlainDifference:
    """The energy counter, read once at each end."""

    def __init__(self) -> None:
        self._source = NvmlSource()
        self._before_j = 0.0
        if self._read_j() is None:
            raise ToolMissingError("the GPU has no energy counter")

    def _read_j(self) -> float | None:
        (reading,) = self._source.read()
        return reading.energy_j

    def prepare(self) -> None:
        """Nothing is needed."""

    def begin(self) -> None:
        """Read the counter."""
        self._before_j = self._read_j() or 0.0

    def end(self) -> Answer:
        """Read it again."""
        after_j = self._read_j()
        return Answer(None if after_j is None else after_j - self._before_j)


class Zeus:
    """Zeus' ``ZeusMonitor``: ``begin_window`` and ``end_window``."""

    def __init__(self) -> None:
        monitor = _imported("zeus.monitor")
        self._monitor: Any = monitor.ZeusMonitor(gpu_indices=[0], cpu_indices=[])

    def prepare(self) -> None:
        """Nothing is needed."""

    def begin(self) -> None:
        """Begin a window; there is no framework to wait for."""
        self._monitor.begin_window("window", sync_execution=False)

    def end(self) -> Answer:
        """End it."""
        return Answer(float(self._monitor.end_window("window", sync_execution=False).gpu_energy[0]))


class CodeCarbon:
    """CodeCarbon's ``OfflineEmissionsTracker``: ``start_task`` and ``stop_task``, energy of the GPU only.

    It looks at a GPU only where it finds an ``nvidia-smi`` on the PATH.
    """

    def __init__(self) -> None:
        codecarbon = _imported("codecarbon")
        self._tracker: Any = codecarbon.OfflineEmissionsTracker(
            country_iso_code="FRA", save_to_file=False, log_level="critical", allow_multiple_runs=True
        )

    def prepare(self) -> None:
        """Nothing is needed."""

    def begin(self) -> None:
        """Begin a task."""
        self._tracker.start_task()

    def end(self) -> Answer:
        """End it."""
        return Answer(float(self._tracker.stop_task().gpu_energy) * _JOULES_PER_KWH)


TOOLS: Mapping[str, Callable[[], Tool]] = {
    "pytest-whq": Ours,
    "plain difference": PlainDifference,
    "zeus": Zeus,
    "codecarbon": CodeCarbon,
}
"""Name -> what makes it; the names of peers are those of their packages."""

PACKAGES = ("pytest-whq", "zeus", "codecarbon", "nvidia-ml-py")


class ToolMissingError(Exception):
    """A tool that cannot take part; says why."""


def make(name: str) -> Tool:
    """The tool ``name``; `ToolMissingError` where it is not installed or cannot read this GPU."""
    try:
        return TOOLS[name]()
    except SourceError as error:
        raise ToolMissingError(str(error)) from error


def _imported(module: str) -> Any:
    try:
        # What they import for GPUs of other makers prints that it finds none.
        with contextlib.redirect_stdout(io.StringIO()):
            return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise ToolMissingError(f"not installed (pip install {module.partition('.')[0]})") from error
