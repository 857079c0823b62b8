"""What a power log holds: times and watts, device by device."""

from array import array
from dataclasses import dataclass, field, replace


@dataclass
class DeviceLog:
    """Times and watts of one device as they were read; ``ran_twice`` is what a clock that was set repeats.

    It has no readings where the log names the device and tells no power of it.
    """

    times_s: "array[float]" = field(default_factory=lambda: array("d"))
    powers_w: "array[float]" = field(default_factory=lambda: array("d"))
    ran_twice: list[tuple[float, float]] = field(default_factory=list)


@dataclass(frozen=True)
class PowerLog:
    """A log by device; ``is_local`` where its times are of an unknown zone, as if they were UTC."""

    where: str
    devices: dict[str, DeviceLog]
    is_local: bool
    notes: tuple[str, ...]

    @property
    def range_s(self) -> tuple[float, float]:
        """The first and the last moment of any device."""
        known = [device.times_s for device in self.devices.values() if device.times_s]
        return min(map(min, known)), max(map(max, known))

    def shifted(self, offset_s: float) -> "PowerLog":
        """The log in UTC, its local times being ahead of that by ``offset_s``."""
        devices = {
            name: DeviceLog(
                array("d", [time_s - offset_s for time_s in device.times_s]),
                device.powers_w,
                [(start_s - offset_s, end_s - offset_s) for start_s, end_s in device.ran_twice],
            )
            for name, device in self.devices.items()
        }
        return replace(self, devices=devices, is_local=False)
