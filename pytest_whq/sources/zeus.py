"""Energy of Apple silicon and of Jetsons, through the package zeus, imported where a source is opened."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from pytest_whq.errors import SourceError, described
from pytest_whq.model import Device, DeviceState, Reading
from pytest_whq.real_time import now_s
from pytest_whq.sources.facts import ListedDevice

_COUNTER = "energy counter"
_ADDED_UP = "power, added up by Zeus"


@dataclass(frozen=True, slots=True)
class _Sensor:
    """What Zeus tells by the name ``told_as``, in millijoules; ``holds_all`` where the others lie in it."""

    told_as: str
    device: Device
    scope: str
    phrase: str
    holds_all: bool = False


_SENSORS = (
    _Sensor("gpu_mj", Device("gpu", "Apple silicon GPU"), "gpu", _COUNTER),
    _Sensor("cpu_total_mj", Device("cpu", "Apple silicon CPU"), "cpu", _COUNTER),
    _Sensor("dram_mj", Device("dram", "Apple silicon DRAM"), "dram", _COUNTER),
    _Sensor("ane_mj", Device("ane", "Apple Neural Engine"), "ane", _COUNTER),
    _Sensor("total_energy_mj", Device("total", "NVIDIA Jetson"), "module", _ADDED_UP, holds_all=True),
    _Sensor("gpu_energy_mj", Device("gpu", "NVIDIA Jetson GPU"), "gpu", _ADDED_UP),
    _Sensor("cpu_energy_mj", Device("cpu", "NVIDIA Jetson CPU"), "cpu", _ADDED_UP),
)
"""What may be added. Cores and clusters lie in cpu_total_mj; of gpu_sram_mj nobody tells where it lies."""


class ZeusSource:
    """What Zeus tells of this machine's chip, by name; what it does not tell is not there, and never 0.

    ``devices`` is the setting of --whq-devices: names, or ``all``; None for all, which is the whole module
    alone where that is told. ``now`` is the clock of the readings. Raises `SourceError`, with the code
    ``no_source`` where there is no zeus or no such chip.
    """

    def __init__(self, devices: str | None = None, now: Callable[[], float] = now_s) -> None:
        self._now = now
        self._soc = _soc()
        self._sensors = _chosen(devices, _found(self._soc))
        self.scope = "+".join(sensor.scope for sensor in self._sensors)
        self.sensors = {sensor.device.id: (sensor.phrase,) for sensor in self._sensors}

    @staticmethod
    def list_devices() -> tuple[ListedDevice, ...]:
        """All that Zeus tells. Raises `SourceError` where that is nothing."""
        found = _found(_soc())
        default = _chosen(None, found)
        return tuple(
            ListedDevice(each.device, why_not=None if each in default else _within(each, default[0]))
            for each in found
        )

    def devices(self) -> tuple[Device, ...]:
        """The parts of the chip that are measured, or the whole."""
        return tuple(sensor.device for sensor in self._sensors)

    def read(self) -> tuple[Reading, ...]:
        """One reading of each; what Zeus leaves out this time is None."""
        told = _told(self._soc)
        moment_s = self._now()
        return tuple(
            Reading(sensor.device.id, moment_s, _joules(told, sensor.told_as)) for sensor in self._sensors
        )

    def state(self) -> tuple[DeviceState, ...]:
        """Nothing is known beside the energy."""
        return tuple(DeviceState(sensor.device.id) for sensor in self._sensors)

    def close(self) -> None:
        """Nothing: what Zeus has opened is for the whole process, and ends with it."""


def _soc() -> Any:
    try:
        zeus: Any = import_module("zeus.device.soc")
    except Exception as error:  # Beside it, it imports the libraries of every vendor.
        raise SourceError(
            f"zeus: the package zeus cannot be imported: {described(error)}. "
            'Install it with: pip install "pytest-whq[zeus]"',
            "no_source",
        ) from error
    try:
        return zeus.get_soc()
    except zeus.ZeusSoCInitError as error:
        raise SourceError(
            "zeus: Zeus finds neither Apple silicon nor a Jetson here. Choose another --whq-source; "
            'on Apple silicon, install all of it with: pip install "pytest-whq[zeus]"',
            "no_source",
        ) from error


def _found(soc: Any) -> tuple[_Sensor, ...]:
    told = _told(soc)
    found = tuple(sensor for sensor in _SENSORS if _joules(told, sensor.told_as) is not None)
    if not found:
        raise SourceError(
            "zeus: Zeus tells no energy of this chip. Update it (pip install -U zeus), or choose another "
            "--whq-source."
        )
    return found


def _told(soc: Any) -> Mapping[str, Any]:
    try:
        return dict(vars(soc.get_total_energy_consumption()))
    except Exception as error:  # It passes on what its vendors' libraries and its own queue raise.
        raise SourceError(
            f"zeus: the chip cannot be read: {described(error)}. See what Zeus says of it: "
            "python -m zeus.show_env"
        ) from error


def _joules(told: Mapping[str, Any], name: str) -> float | None:
    value = told.get(name)
    return None if isinstance(value, bool) or not isinstance(value, int | float) else value / 1000


def _chosen(devices: str | None, found: tuple[_Sensor, ...]) -> tuple[_Sensor, ...]:
    if devices is None or devices.strip() == "all":
        return tuple(sensor for sensor in found if sensor.holds_all) or found
    names = [name.strip() for name in devices.split(",") if name.strip()]
    by_name = {sensor.device.id: sensor for sensor in found}
    unknown = [name for name in names if name not in by_name]
    if unknown or not names:
        raise SourceError(
            f"zeus: --whq-devices cannot be {devices!r}. Zeus tells here of {', '.join(by_name)}."
        )
    chosen = tuple(sensor for sensor in found if sensor.device.id in names)
    whole = next((sensor for sensor in chosen if sensor.holds_all), None)
    if whole is not None and len(chosen) > 1:
        raise SourceError(
            f"zeus: {whole.device.id} holds what else --whq-devices names, which would count twice. "
            "Name the whole or parts of it."
        )
    return chosen


def _within(sensor: _Sensor, whole: _Sensor) -> str:
    return (
        f"zeus: {sensor.device.name} ({sensor.device.id}) is in {whole.device.id} already: it is measured "
        "only when --whq-devices names it."
    )
