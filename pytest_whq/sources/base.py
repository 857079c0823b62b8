"""What a power source is."""

from typing import Protocol, runtime_checkable

from pytest_whq.model import Device, DeviceState, Reading


@runtime_checkable
class PowerSource(Protocol):
    """Where joules come from. Every method may raise `SourceError`: what, why, what to do.

    A source may also carry these attributes; what it does not carry is unknown:

    - ``scope: str``: what its joules cover, as in `pytest_whq.model.Rig`;
    - ``driver: str``: the version of the driver that it reads through;
    - ``estimated: bool``: True when its joules are modelled and not sensed;
    - ``power_averaging_s: Mapping[str, float]``: by device id, the seconds over which its power
      sensor averages.
    """

    def devices(self) -> tuple[Device, ...]:
        """The devices measured, in a fixed order."""

    def read(self) -> tuple[Reading, ...]:
        """One reading of each device, now; called from the sampler's thread, often."""

    def state(self) -> tuple[DeviceState, ...]:
        """What else each device says of itself; called outside windows only."""

    def close(self) -> None:
        """Give back what the source holds; it is not read again."""
