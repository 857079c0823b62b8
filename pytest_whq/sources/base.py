"""What a power source is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from pytest_whq.model import Device, DeviceState, Reading


@dataclass(frozen=True, slots=True)
class Probe:
    """One sensor of a device, to be looked at by itself.

    ``look`` gives joules where the sensor ``counts`` and else watts; None where it refuses this time.
    """

    device: Device
    sensor: str
    counts: bool
    look: Callable[[], float | None]


@runtime_checkable
class PowerSource(Protocol):
    """Where joules come from. Every method may raise `SourceError`: what, why, what to do.

    These four methods are all that a source must have. What else it may say of itself, as attributes of
    the same names, is in `pytest_whq.sources.facts.SourceFacts`.
    """

    def devices(self) -> tuple[Device, ...]:
        """The devices measured, in a fixed order."""

    def read(self) -> tuple[Reading, ...]:
        """One reading of each device, now; called from the sampler's thread, often.

        A source that is slow to ask gives what is new since it was asked last, which may be nothing. Its
        readings may come late, and several of a device, in the order of their times.
        """

    def state(self) -> tuple[DeviceState, ...]:
        """What else each device says of itself; called outside windows only."""

    def close(self) -> None:
        """Give back what the source holds; it is not read again."""
