"""The AMD GPUs that there are, what each can be measured by, and which of them are chosen."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_whq.errors import SourceError
from pytest_whq.model import Device
from pytest_whq.sources.amdsmi.library import ask, cap_of, energy_of, name_of, power_of, said

_POWERS = {
    "current_socket_power": "instant power",
    "socket_power": "power",
    "average_socket_power": "average power",
}
"""What amdsmi_get_power_info may hold, the better first, and what that is."""

_AVERAGE = "average_socket_power"

_MOVES_IN_S = 0.1
"""A counter of 15 uJ that stands still so long is that of no board."""

_VISIBLE = ("ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES")


@dataclass(frozen=True, slots=True)
class Gpu:
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


def found_gpus(smi: Any, sleep: Callable[[float], object]) -> list[Gpu]:
    """Every GPU in amdsmi's order; `SourceError` where there is none."""
    try:
        handles = smi.amdsmi_get_processor_handles()
    except smi.AmdSmiException as error:
        raise SourceError(f"amdsmi: the GPUs cannot be listed: {said(error)}. See amd-smi.") from error
    if not handles:
        raise SourceError(
            "amdsmi: ROCm's driver has no GPU. See what amd-smi says, or choose another --whq-source.",
            "no_source",
        )
    return list(_gpus(smi, handles, _moving(smi, handles, sleep)))


def _gpus(smi: Any, handles: Sequence[Any], moving: Sequence[bool]) -> Iterator[Gpu]:
    """Each GPU; those with the address of another, but for the function, are partitions of its board."""
    boards: dict[str, str] = {}
    ids: set[str] = set()
    for handle, counts in zip(handles, moving, strict=True):
        address = str(ask(smi, smi.amdsmi_get_gpu_device_bdf, handle) or f"GPU {len(ids)}")
        uuid = ask(smi, smi.amdsmi_get_gpu_device_uuid, handle)
        id_ = address if uuid in (None, "", "N/A") or uuid in ids else str(uuid)
        ids.add(id_)
        device = Device(id_, name_of(smi, handle), cap_of(smi, handle))
        power = next((each for each in _POWERS if ask(smi, power_of, smi, handle, each)), None)
        if counts and power == _AVERAGE:
            # Over how long is not told, and so it would contradict a counter that is right.
            power = None
        place = address.partition(".")[0]
        if not counts and power is None:
            yield Gpu(handle, device, why_not=_tells_nothing(device))
        elif place in boards:
            yield Gpu(handle, device, why_not=_counted_already(device, boards[place]))
        else:
            boards[place] = id_
            yield Gpu(handle, device, counts, power)


def _moving(smi: Any, handles: Sequence[Any], sleep: Callable[[float], object]) -> list[bool]:
    """Whether each has a counter that moves; that of some boards stands still, at 0 or elsewhere."""
    before = [ask(smi, energy_of, smi, handle) for handle in handles]
    if not any(before):
        return [False] * len(handles)
    sleep(_MOVES_IN_S)
    after = [ask(smi, energy_of, smi, handle) for handle in handles]
    return [bool(one and other) and one != other for one, other in zip(before, after, strict=True)]


def chosen_gpus(devices: str | None, gpus: Sequence[Gpu]) -> list[Gpu]:
    """Those of ``gpus`` that --whq-devices names; `SourceError` where one of them cannot be measured."""
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


def _refuse_hidden(gpus: Sequence[Gpu]) -> None:
    variable = next((name for name in _VISIBLE if os.environ.get(name) is not None), None)
    if variable is not None and len(gpus) > 1:
        raise SourceError(
            f"amdsmi: {variable} leaves some of the GPUs, but by numbers that are not amdsmi's. "
            "Name those in use with --whq-devices, as `whq devices` lists them, or all."
        )


def _named(entry: str, gpus: Sequence[Gpu]) -> list[Gpu]:
    if entry.isdecimal() and int(entry) < len(gpus):
        return [gpus[int(entry)]]
    if found := [gpu for gpu in gpus if gpu.device.id == entry]:
        return found
    raise SourceError(
        f"amdsmi: there is no GPU {entry}. Choose with --whq-devices from what `whq devices` lists."
    )


def _tells_nothing(device: Device) -> str:
    return (
        f"amdsmi: {device.name} ({device.id}) tells neither energy nor power, or always 0. "
        "Update its driver, or measure the board that it is a part of."
    )


def _counted_already(device: Device, other: str) -> str:
    return f"amdsmi: {device.name} ({device.id}) is a part of the board of {other}, which is measured whole."
