"""Energy of AMD GPUs, through the package amdsmi that comes with ROCm, imported where a source is opened."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from importlib import import_module
from io import StringIO
from typing import Any

from pytest_whq.errors import SourceError, described
from pytest_whq.model import Device, DeviceState, Reading
from pytest_whq.real_time import now_s
from pytest_whq.sources.facts import ListedDevice

_NOTHING_THERE = frozenset({31, 34, 51})
"""NOT_FOUND, DRIVER_NOT_LOADED and NO_DRV: no AMD GPU is there, rather than one that refuses."""

_POWERS = {
    "current_socket_power": "instant power",
    "socket_power": "power",
    "average_socket_power": "average power",
}
"""What amdsmi_get_power_info may hold, the better first, and what that is."""

_AVERAGE = "average_socket_power"

_NO_POWER_W = 0xFFFF
"""What older versions show in place of N/A, or more."""

_NO_COUNT = 2**64 - 1

_MOVES_IN_S = 0.1
"""A counter of 15 uJ that stands still so long is that of no board."""

_MILLI = 1000
"""Versions tell degrees or thousandths of them; no GPU has so many degrees, or so few thousandths."""

_VISIBLE = ("ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES")


@dataclass(frozen=True, slots=True)
class _Gpu:
    """One processor of amdsmi, and what it is measured by; ``why_not`` where that is nothing."""

    handle: Any
    device: Device
    counts: bool = False
    power: str | None = None
    why_not: str | None = None

    @property
    def sensors(self) -> tuple[str, ...]:
        """What it is measured by, before what checks that."""
        named = () if self.power is None else (_POWERS[self.power],)
        return ("energy counter", *named) if self.counts else named


class AmdsmiSource:
    """AMD GPUs, by their energy counter where it moves, else by their power.

    ``devices`` is the setting of --whq-devices: indices and UUIDs, or ``all``; None for all that can be
    measured. ``now`` is the clock of the readings, ``sleep`` lets its time pass. Raises `SourceError`, with
    the code ``no_source`` where there is no amdsmi or no GPU.
    """

    scope = "gpu"

    def __init__(
        self,
        devices: str | None = None,
        now: Callable[[], float] = now_s,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._now = now
        self._smi = _initialised()
        self._gpus = _chosen(devices, _found(self._smi, sleep))
        self.driver = _driver(self._smi, self._gpus[0])
        self.sensors = {gpu.device.id: gpu.sensors for gpu in self._gpus}

    @staticmethod
    def list_devices(sleep: Callable[[float], object] = time.sleep) -> tuple[ListedDevice, ...]:
        """Every GPU in amdsmi's order. Raises `SourceError` where there is none."""
        found = _found(_initialised(), sleep)
        return tuple(ListedDevice(gpu.device, index, gpu.why_not) for index, gpu in enumerate(found))

    def devices(self) -> tuple[Device, ...]:
        """The GPUs measured: UUID, name, and power cap where it is known."""
        return tuple(gpu.device for gpu in self._gpus)

    def read(self) -> tuple[Reading, ...]:
        """One reading of each GPU; what one does not tell this time, as when it is busy, is None."""
        return tuple(self._reading(gpu) for gpu in self._gpus)

    def state(self) -> tuple[DeviceState, ...]:
        """The temperatures, where GPUs tell them."""
        return tuple(DeviceState(gpu.device.id, _celsius(self._smi, gpu.handle)) for gpu in self._gpus)

    def close(self) -> None:
        """Nothing: amdsmi counts no users, and to shut it down would take it from others in this process."""

    def _reading(self, gpu: _Gpu) -> Reading:
        try:
            energy_j = self._unless_busy(_energy_j, gpu.handle) if gpu.counts else None
            moment_s = self._now()
            power_w = None if gpu.power is None else self._unless_busy(_power_w, gpu.handle, gpu.power)
        except self._smi.AmdSmiException as error:
            raise SourceError(
                f"amdsmi: {gpu.device.name} ({gpu.device.id}) cannot be read: {_said(error)}. "
                "See what amd-smi and the kernel's log say of it."
            ) from error
        return Reading(gpu.device.id, moment_s, energy_j, power_w)

    def _unless_busy(self, look: Callable[..., float | None], *args: object) -> float | None:
        with suppress(self._smi.AmdSmiRetryException):
            return look(self._smi, *args)
        return None


def _initialised() -> Any:
    try:
        # It prints where it does not find its library, which would stand in what commands print.
        with redirect_stdout(StringIO()):
            smi: Any = import_module("amdsmi")
    except Exception as error:  # Without the library of ROCm it raises KeyErrors and others, too.
        raise SourceError(
            f"amdsmi: the Python package amdsmi cannot be imported: {described(error)}. It comes with ROCm "
            "(pip install /opt/rocm/share/amd_smi); without ROCm, choose --whq-source hwmon.",
            "no_source",
        ) from error
    try:
        smi.amdsmi_init()
    except smi.AmdSmiException as error:
        nothing = getattr(error, "err_code", None) in _NOTHING_THERE
        raise SourceError(
            f"amdsmi: ROCm's library cannot be opened: {_said(error)}. "
            "Load the driver amdgpu until amd-smi works, or choose another --whq-source.",
            "no_source" if nothing else "source_error",
        ) from error
    return smi


def _found(smi: Any, sleep: Callable[[float], object]) -> list[_Gpu]:
    try:
        handles = smi.amdsmi_get_processor_handles()
    except smi.AmdSmiException as error:
        raise SourceError(f"amdsmi: the GPUs cannot be listed: {_said(error)}. See amd-smi.") from error
    if not handles:
        raise SourceError(
            "amdsmi: ROCm's driver has no GPU. See what amd-smi says, or choose another --whq-source.",
            "no_source",
        )
    return list(_gpus(smi, handles, _moving(smi, handles, sleep)))


def _gpus(smi: Any, handles: Sequence[Any], moving: Sequence[bool]) -> Iterator[_Gpu]:
    """Each GPU; those with the address of another, but for the function, are partitions of its board."""
    boards: dict[str, str] = {}
    ids: set[str] = set()
    for handle, counts in zip(handles, moving, strict=True):
        address = str(_ask(smi, smi.amdsmi_get_gpu_device_bdf, handle) or f"GPU {len(ids)}")
        uuid = _ask(smi, smi.amdsmi_get_gpu_device_uuid, handle)
        id_ = address if uuid in (None, "", "N/A") or uuid in ids else str(uuid)
        ids.add(id_)
        device = Device(id_, _name(smi, handle), _cap_w(smi, handle))
        power = next((each for each in _POWERS if _ask(smi, _power_w, smi, handle, each)), None)
        if counts and power == _AVERAGE:
            # Over how long is not told, and so it would contradict a counter that is right.
            power = None
        place = address.partition(".")[0]
        if not counts and power is None:
            yield _Gpu(handle, device, why_not=_tells_nothing(device))
        elif place in boards:
            yield _Gpu(handle, device, why_not=_counted_already(device, boards[place]))
        else:
            boards[place] = id_
            yield _Gpu(handle, device, counts, power)


def _moving(smi: Any, handles: Sequence[Any], sleep: Callable[[float], object]) -> list[bool]:
    """Whether each has a counter that moves; that of some boards stands still, at 0 or elsewhere."""
    before = [_ask(smi, _energy_j, smi, handle) for handle in handles]
    if not any(before):
        return [False] * len(handles)
    sleep(_MOVES_IN_S)
    after = [_ask(smi, _energy_j, smi, handle) for handle in handles]
    return [bool(one and other) and one != other for one, other in zip(before, after, strict=True)]


def _ask(smi: Any, function: Callable[..., Any], *args: object) -> Any:
    """What the function tells, None where the library refuses."""
    with suppress(smi.AmdSmiException):
        return function(*args)
    return None


def _energy_j(smi: Any, handle: Any) -> float | None:
    told = smi.amdsmi_get_energy_count(handle)
    # The counter was called power until version 6.2.
    count = _number(told.get("energy_accumulator", told.get("power")))
    resolution_uj = _number(told.get("counter_resolution"))
    if count is None or resolution_uj is None or count >= _NO_COUNT:
        return None
    return count * resolution_uj / 1e6


def _power_w(smi: Any, handle: Any, name: str) -> float | None:
    power_w = _number(smi.amdsmi_get_power_info(handle).get(name))
    return power_w if power_w is not None and power_w < _NO_POWER_W else None


def _cap_w(smi: Any, handle: Any) -> float | None:
    cap_uw = _number((_ask(smi, smi.amdsmi_get_power_cap_info, handle) or {}).get("power_cap"))
    return None if cap_uw is None or cap_uw < 1e6 else cap_uw / 1e6


def _name(smi: Any, handle: Any) -> str:
    name = (_ask(smi, smi.amdsmi_get_gpu_asic_info, handle) or {}).get("market_name")
    return "AMD GPU" if name in (None, "", "N/A") else str(name)


def _driver(smi: Any, gpu: _Gpu) -> str | None:
    version = (_ask(smi, smi.amdsmi_get_gpu_driver_info, gpu.handle) or {}).get("driver_version")
    return None if version in (None, "", "N/A") else str(version)


def _celsius(smi: Any, handle: Any) -> float | None:
    kind, metric = smi.AmdSmiTemperatureType.HOTSPOT, smi.AmdSmiTemperatureMetric.CURRENT
    told = _number(_ask(smi, smi.amdsmi_get_temp_metric, handle, kind, metric))
    return told / _MILLI if told is not None and told >= _MILLI else told


def _number(value: Any) -> float | None:
    """The value where it is a number; what is not told stands as ``N/A``."""
    return None if isinstance(value, bool) or not isinstance(value, int | float) else value


def _chosen(devices: str | None, gpus: Sequence[_Gpu]) -> list[_Gpu]:
    if devices is None or devices.strip() == "all":
        chosen = [gpu for gpu in gpus if gpu.why_not is None] or list(gpus)
        if devices is None:
            _refuse_hidden(chosen)
    else:
        entries = [entry.strip() for entry in devices.split(",") if entry.strip()]
        chosen = list({gpu.device.id: gpu for entry in entries for gpu in _named(entry, gpus)}.values())
    if not chosen:
        raise SourceError("amdsmi: --whq-devices names no GPU. Give indices, UUIDs or all.")
    if (why_not := next((gpu.why_not for gpu in chosen if gpu.why_not is not None), None)) is not None:
        raise SourceError(why_not)
    return chosen


def _refuse_hidden(gpus: Sequence[_Gpu]) -> None:
    variable = next((name for name in _VISIBLE if os.environ.get(name) is not None), None)
    if variable is not None and len(gpus) > 1:
        raise SourceError(
            f"amdsmi: {variable} leaves some of the GPUs, but by numbers that are not amdsmi's. "
            "Name those in use with --whq-devices, as `whq devices` lists them, or all."
        )


def _named(entry: str, gpus: Sequence[_Gpu]) -> list[_Gpu]:
    if entry.isdecimal() and int(entry) < len(gpus):
        return [gpus[int(entry)]]
    if found := [gpu for gpu in gpus if gpu.device.id == entry]:
        return found
    raise SourceError(
        f"amdsmi: there is no GPU {entry}. Choose with --whq-devices from what `whq devices` lists."
    )


def _said(error: Exception) -> str:
    """The error in its own words, which go over several lines."""
    return " ".join(str(error).split())


def _tells_nothing(device: Device) -> str:
    return (
        f"amdsmi: {device.name} ({device.id}) tells neither energy nor power, or always 0. "
        "Update its driver, or measure the board that it is a part of."
    )


def _counted_already(device: Device, other: str) -> str:
    return f"amdsmi: {device.name} ({device.id}) is a part of the board of {other}, which is measured whole."
