"""What a device shows and says of itself."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at one device's sensors.

    ``time_s`` is on the clock of `time.monotonic`; ``energy_j`` counts joules since some fixed
    moment; what was not read, or could not be, is None.
    """

    device_id: str
    time_s: float
    energy_j: float | None = None
    power_w: float | None = None


@dataclass(frozen=True, slots=True)
class DeviceState:
    """What a device says of itself beside its energy; what is unknown is None."""

    device_id: str
    temperature_c: float | None = None
    clocks_event_reasons: tuple[str, ...] | None = None
    other_processes: int | None = None
