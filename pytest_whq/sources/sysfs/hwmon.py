"""Energy of AMD and Intel GPUs and of NVIDIA's Grace, as their drivers show it in hwmon."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pytest_whq.errors import SourceError
from pytest_whq.model import Device, DeviceState, Reading
from pytest_whq.real_time import now_s
from pytest_whq.sources.facts import ListedDevice
from pytest_whq.sources.sysfs.files import millionths_of, text_of


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a driver measures: its scope, and the files that may show it, the better first.

    ``meter`` is how the chip's power1_oem_info begins where a driver has meters of several things.
    """

    name: str
    scope: str
    shows: tuple[str, ...]
    meter: str = ""


_KINDS = {
    # The first is of this instant, where the driver tells that; on an APU both hold the CPU, too.
    "amdgpu": _Kind("AMD GPU", "gpu", ("power1_input", "power1_average")),
    # Of the card; beside it stand i915_gt0 and others, which are parts of it.
    "i915": _Kind("Intel GPU", "gpu", ("energy1_input",)),
    # Of the card, and of the package on it where a board leaves the card's at 0.
    "xe": _Kind("Intel GPU", "gpu", ("energy1_input", "energy2_input")),
    # Of the whole socket: what else ACPI shows of a Grace is a part of that, or the module with its GPU.
    "power_meter": _Kind("NVIDIA Grace", "cpu", ("power1_average",), "Grace Power Socket"),
}
"""Driver -> what it measures. A driver that is not here is not read: it may be of anything."""


@dataclass(frozen=True, slots=True)
class _Chip:
    """One chip of hwmon whose driver is known; ``shown_by`` is the file that it is measured by."""

    kind: _Kind
    device: Device
    shown_by: Path | None
    temperature: Path
    averaging_s: float | None

    @property
    def counts(self) -> bool:
        """Whether it counts joules."""
        return self.shown_by is not None and self.shown_by.name.startswith("energy")


class HwmonSource:
    """AMD and Intel GPUs and Grace CPUs, by their driver's energy counter where it has one, else by power.

    ``devices`` is the setting of --whq-devices: indices and ids, or ``all``; None for all that can be
    measured. ``root`` is where sysfs is mounted, ``now`` the clock of the readings. Raises `SourceError`,
    with the code ``no_source`` where there is none of them.
    """

    def __init__(
        self,
        devices: str | None = None,
        root: Path = Path("/sys"),
        now: Callable[[], float] = now_s,
    ) -> None:
        self._now = now
        self._chips = _chosen(devices, _found(root))
        self.scope = "+".join(sorted({chip.kind.scope for chip in self._chips}, reverse=True))
        self.sensors = {chip.device.id: (_phrase(chip),) for chip in self._chips}
        self.power_averaging_s = {
            chip.device.id: chip.averaging_s for chip in self._chips if chip.averaging_s is not None
        }

    @staticmethod
    def list_devices(root: Path = Path("/sys")) -> tuple[ListedDevice, ...]:
        """Every device whose driver is known. Raises `SourceError` where there is none."""
        return tuple(
            ListedDevice(chip.device, index, None if chip.shown_by is not None else _shows_nothing(chip))
            for index, chip in enumerate(_found(root))
        )

    def devices(self) -> tuple[Device, ...]:
        """The devices measured, with the power limit that is set."""
        return tuple(chip.device for chip in self._chips)

    def read(self) -> tuple[Reading, ...]:
        """One reading of each."""
        return tuple(self._reading(chip) for chip in self._chips)

    def state(self) -> tuple[DeviceState, ...]:
        """The temperatures, where the drivers tell them."""
        return tuple(DeviceState(chip.device.id, _celsius(chip.temperature)) for chip in self._chips)

    def close(self) -> None:
        """Nothing is held."""

    def _reading(self, chip: _Chip) -> Reading:
        assert chip.shown_by is not None
        try:
            value = int(chip.shown_by.read_text("ascii")) / 1e6
        except (OSError, ValueError) as error:
            raise SourceError(
                f"hwmon: {chip.device.name} ({chip.device.id}) cannot be read: {error}. "
                "See what the kernel's log says of its driver."
            ) from error
        if chip.counts:
            return Reading(chip.device.id, self._now(), energy_j=value)
        return Reading(chip.device.id, self._now(), power_w=value)


def _found(root: Path) -> list[_Chip]:
    chips = [chip for folder in _chip_folders(root) if (chip := _chip(folder)) is not None]
    if not chips:
        raise SourceError(
            "hwmon: no AMD or Intel GPU and no Grace shows its energy or power (/sys/class/hwmon). "
            "Load the GPU's driver (amdgpu, xe, i915), or choose another --whq-source.",
            "no_source",
        )
    return sorted(chips, key=lambda chip: chip.device.id)


def _chip_folders(root: Path) -> Iterator[Path]:
    """The folder of each chip, or what it is the chip of where an older driver keeps its files there."""
    for folder in (root / "class" / "hwmon").glob("*"):
        yield folder / "device" if (folder / "device" / "power1_oem_info").exists() else folder


def _chip(folder: Path) -> _Chip | None:
    above = folder.parent if folder.name == "device" else folder
    kind = _KINDS.get(text_of(above / "name") or "")
    meter = text_of(folder / "power1_oem_info") or ""
    if kind is None or not meter.startswith(kind.meter):
        return None
    # What is always 0 is not wired, as the second die of some boards.
    shown_by = next((folder / name for name in kind.shows if millionths_of(folder / name)), None)
    limit_w = millionths_of(folder / "power1_cap") or millionths_of(folder / "power1_max")
    parent = (above / "device").resolve()
    id_ = meter if kind.meter else text_of(parent / "unique_id") or parent.name
    number = text_of(parent / "device") or ""
    name = kind.name if kind.meter else text_of(parent / "product_name") or f"{kind.name} {number}".rstrip()
    averaging_ms = text_of(folder / "power1_average_interval") or ""
    averaging_s = int(averaging_ms) / 1000 if averaging_ms.isdecimal() else None
    return _Chip(kind, Device(id_, name, limit_w or None), shown_by, folder / "temp1_input", averaging_s)


def _chosen(devices: str | None, chips: list[_Chip]) -> tuple[_Chip, ...]:
    if devices is None:
        chosen = [chip for chip in chips if chip.shown_by is not None] or chips
    elif devices.strip() == "all":
        chosen = chips
    else:
        entries = [entry.strip() for entry in devices.split(",") if entry.strip()]
        # dict.fromkeys: a device named twice is measured once.
        chosen = list(dict.fromkeys(_named(entry, chips) for entry in entries))
    if not chosen:
        raise SourceError("hwmon: --whq-devices names no device. Give indices, ids or all.")
    if (mute := next((chip for chip in chosen if chip.shown_by is None), None)) is not None:
        raise SourceError(_shows_nothing(mute))
    return tuple(chosen)


def _named(entry: str, chips: list[_Chip]) -> _Chip:
    if entry.isdecimal() and int(entry) < len(chips):
        return chips[int(entry)]
    for chip in chips:
        if chip.device.id == entry:
            return chip
    raise SourceError(
        f"hwmon: there is no device {entry}. Choose with --whq-devices from what `whq devices` lists."
    )


def _shows_nothing(chip: _Chip) -> str:
    return (
        f"hwmon: {chip.device.name} ({chip.device.id}) shows neither energy nor power, or always 0. "
        "Update its driver, or measure the board that it is a part of."
    )


def _phrase(chip: _Chip) -> str:
    if chip.counts:
        return "energy counter"
    instant = chip.shown_by is not None and chip.shown_by.name.endswith("_input")
    return "instant power" if instant else "average power"


def _celsius(path: Path) -> float | None:
    with suppress(ValueError):
        text = text_of(path)
        return None if text is None else int(text) / 1000
    return None
