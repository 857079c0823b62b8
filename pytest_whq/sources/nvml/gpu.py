"""One GPU, and how it is read: by its energy counter where that works, else by its power."""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pytest_whq.errors import SourceError
from pytest_whq.model import Device, DeviceState, Reading
from pytest_whq.real_time import now_s
from pytest_whq.sources.nvml.codes import (
    ABSENT,
    FIELD_AVERAGE_POWER,
    FIELD_ENERGY,
    FIELD_INSTANT_POWER,
    FIELD_TOTAL_ENERGY,
    MISSED,
    SCOPES,
    UNKNOWN,
    averaging_s,
    clocks_event_names,
    reading_sentence,
)
from pytest_whq.sources.nvml.devices import Board
from pytest_whq.sources.nvml.other_processes import other_processes
from pytest_whq.units import joules_from_mj, watts_from_mw

_POWER_EVERY_S = 0.05
"""Between readings of power beside a counter, where they only check it."""

_PASSING_S = 0.5
"""An unknown error that stays for longer is no passing one."""

_PROBE_AGAIN_S = 0.05
"""A sensor that someone else has just read may refuse once."""


@dataclass(frozen=True, slots=True)
class Sensor:
    """One way to read joules or watts: through NVML's ``function``, or of its field ``field_id``.

    ``scope`` is ``gpu`` or ``module``: a module is a GPU with its CPU.
    """

    name: str
    scope: str
    function: str | None = None
    field_id: int | None = None

    @property
    def phrase(self) -> str:
        """How lists name it: ``energy counter``, or ``energy counter of the module``."""
        return self.name if self.scope == "gpu" else f"{self.name} of the {self.scope}"


COUNTERS = (
    Sensor("energy counter", "gpu", "nvmlDeviceGetTotalEnergyConsumption"),
    Sensor("energy counter", "gpu", field_id=FIELD_TOTAL_ENERGY),
    Sensor("energy counter", "gpu", field_id=FIELD_ENERGY),
    Sensor("energy counter", "module", field_id=FIELD_ENERGY),
    Sensor("energy counter", "module", field_id=FIELD_TOTAL_ENERGY),
)
POWERS = (
    Sensor("instant power", "gpu", field_id=FIELD_INSTANT_POWER),
    Sensor("power usage", "gpu", "nvmlDeviceGetPowerUsage"),
    Sensor("average power", "gpu", field_id=FIELD_AVERAGE_POWER),
    Sensor("instant power", "module", field_id=FIELD_INSTANT_POWER),
    Sensor("average power", "module", field_id=FIELD_AVERAGE_POWER),
)
"""Best first."""


class Gpu:
    """One opened GPU: what it is, and those of its sensors that work.

    ``nvml`` is the module pynvml, initialised. Raises `SourceError` where the GPU cannot be read.
    """

    def __init__(self, nvml: Any, board: Board) -> None:
        self._nvml = nvml
        self.board = board
        self.open()
        limit_mw = self.ask("nvmlDeviceGetEnforcedPowerLimit", "nvmlDeviceGetPowerManagementLimit")
        limit_w = None if limit_mw is None else watts_from_mw(limit_mw)
        self.device = Device(board.uuid, board.name, limit_w)
        self.counter: Sensor | None = None
        self.power: Sensor | None = None
        self._next_power_s = 0.0
        self._trouble_s: float | None = None

    def open(self) -> None:
        """Get a handle; it holds for this process, until NVML is shut down."""
        if self.board.why_not is not None:
            raise SourceError(self.board.why_not)
        try:
            self._handle = self._nvml.nvmlDeviceGetHandleByUUID(self.board.uuid)
        except self._nvml.NVMLError as error:
            raise self._cannot_be_read(error) from error

    def find_sensors(self) -> None:
        """Learn by reading them which sensors work; raises `SourceError` where none does."""
        errors: list[Any] = []
        for scope in ("gpu", "module"):
            self.counter = self._first(COUNTERS, scope, errors)
            self.power = self._first(POWERS, scope, errors)
            if self.counter is None:
                time.sleep(_PROBE_AGAIN_S)
                self.counter = self._first(COUNTERS, scope, errors)
                self.power = self.power or self._first(POWERS, scope, errors)
            # Never one of each scope: a GPU's power would seem to contradict its module's energy.
            if self.sensors:
                return
        for error in errors:
            if error.value not in ABSENT:
                raise self._cannot_be_read(error)
        raise SourceError(
            f"nvml: {self.board.phrase} shows neither energy nor power. "
            "Leave it out with --whq-devices, or choose another --whq-source."
        )

    @property
    def sensors(self) -> tuple[Sensor, ...]:
        """Those that work, the counter first."""
        return tuple(sensor for sensor in (self.counter, self.power) if sensor is not None)

    def working_sensors(self) -> tuple[Sensor, ...]:
        """One of each name that works in the scope of `sensors`, those first."""
        found = {sensor.name: sensor for sensor in self.sensors}
        for sensor in (*COUNTERS, *POWERS):
            if sensor.name not in found and self._first((sensor,), self.sensors[0].scope, []):
                found[sensor.name] = sensor
        return tuple(found.values())

    def look(self, sensor: Sensor) -> float | None:
        """Joules or watts that one sensor shows; None where it refuses, and for the 0 W of a busy driver."""
        value = self._try(sensor)
        if sensor in COUNTERS:
            return None if value is None else joules_from_mj(value)
        return watts_from_mw(value) if value else None

    @property
    def in_mig_mode(self) -> bool:
        """Whether the board is divided into instances."""
        mode = self.ask("nvmlDeviceGetMigMode")
        return mode is not None and mode[0] == self._nvml.NVML_DEVICE_MIG_ENABLE

    @property
    def power_averaging_s(self) -> float:
        """Seconds over which the power sensor averages."""
        architecture = self.ask("nvmlDeviceGetArchitecture")
        is_ga100 = self.ask("nvmlDeviceGetCudaComputeCapability") == (8, 0)
        return averaging_s("" if self.power is None else self.power.name, architecture, is_ga100)

    def ask(self, *functions: str, arguments: Sequence[int] = ()) -> Any:
        """What the first of these functions answers that this driver has and this GPU supports, else None."""
        for name in functions:
            with suppress(AttributeError, self._nvml.NVMLError, *_mismatch(self._nvml)):
                return getattr(self._nvml, name)(self._handle, *arguments)
        return None

    def read(self) -> Reading:
        """The counter where there is one, with power beside it now and then; else power."""
        energy_mj = power_mw = None
        before_s = now_s()
        if self.counter is not None:
            energy_mj = self._try(self.counter)
        elif self.power is not None:
            power_mw = self._try(self.power)
        after_s = now_s()
        if self.counter is not None and self.power is not None and after_s >= self._next_power_s:
            power_mw = self._try(self.power)
            self._next_power_s = now_s() + _POWER_EVERY_S
        return Reading(
            self.device.id,
            (before_s + after_s) / 2,
            energy_j=None if energy_mj is None else joules_from_mj(energy_mj),
            # No board draws nothing: drivers that were asked too fast say 0.
            power_w=watts_from_mw(power_mw) if power_mw else None,
        )

    def state(self) -> DeviceState:
        """Temperature, reasons for lower clocks and other processes, as far as NVML tells."""
        sensor = (self._nvml.NVML_TEMPERATURE_GPU,)
        temperature = self.ask("nvmlDeviceGetTemperatureV", "nvmlDeviceGetTemperature", arguments=sensor)
        reasons = self.ask(
            "nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons"
        )
        processes = self.ask(
            "nvmlDeviceGetComputeRunningProcesses", "nvmlDeviceGetComputeRunningProcesses_v2"
        )
        return DeviceState(
            self.device.id,
            temperature_c=None if temperature is None else float(temperature),
            clocks_event_reasons=None if reasons is None else clocks_event_names(reasons),
            other_processes=None if processes is None else other_processes([p.pid for p in processes]),
        )

    def _try(self, sensor: Sensor) -> int | None:
        try:
            value = self._value(sensor)
        except self._nvml.NVMLError as error:
            if error.value in MISSED or (error.value == UNKNOWN and self._is_new_trouble()):
                return None
            raise self._cannot_be_read(error) from error
        self._trouble_s = None
        return value

    def _is_new_trouble(self) -> bool:
        """Whether errors that may pass by themselves have not stayed for long."""
        now_s = time.monotonic()
        if self._trouble_s is None:
            self._trouble_s = now_s
        return now_s - self._trouble_s < _PASSING_S

    def _value(self, sensor: Sensor) -> int:
        """Millijoules or milliwatts; raises NVMLError."""
        if sensor.function is not None:
            return int(getattr(self._nvml, sensor.function)(self._handle))
        field = (sensor.field_id, SCOPES[sensor.scope])
        (answer,) = self._nvml.nvmlDeviceGetFieldValues(self._handle, [field])
        if answer.nvmlReturn != self._nvml.NVML_SUCCESS:
            raise self._nvml.NVMLError(answer.nvmlReturn)
        # Only as much of the union as its type says is filled.
        narrow = answer.valueType == self._nvml.NVML_VALUE_TYPE_UNSIGNED_INT
        return int(answer.value.uiVal if narrow else answer.value.ullVal)

    def _first(self, sensors: tuple[Sensor, ...], scope: str, errors: list[Any]) -> Sensor | None:
        for sensor in sensors:
            if sensor.scope == scope:
                try:
                    if self._value(sensor) > 0:
                        return sensor
                except self._nvml.NVMLError as error:
                    errors.append(error)
        return None

    def _cannot_be_read(self, error: Any) -> SourceError:
        return SourceError(reading_sentence(error.value, error, self.board.phrase))


def _mismatch(nvml: Any) -> tuple[type[Exception], ...]:
    """What pynvml raises for a driver older than itself, which older versions of it do not know."""
    error = getattr(nvml, "NVMLLibraryMismatchError", None)
    return () if error is None else (error,)
