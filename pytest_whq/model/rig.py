"""What was measured with what, and of which commit."""

from collections.abc import Collection
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Device:
    """One thing whose energy is measured: a GPU, a CPU package, a module."""

    id: str
    name: str
    power_limit_w: float | None = None
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Commit:
    """The commit that a run measured; ``dirty`` when the working tree differed from it."""

    id: str
    branch: str | None
    dirty: bool


ELSEWHERE = "not told"
"""Host, platform or Python of a run that was made elsewhere: this machine's say nothing of it."""


@dataclass(frozen=True, slots=True)
class Rig:
    """What measured and what was measured: figures of different rigs are not comparable.

    ``scope`` is ``gpu``, ``gpu+cpu``, ``module``, ``cpu`` or what else the source says it covers.
    """

    source: str | None
    scope: str | None
    driver: str | None
    host: str
    python: str
    platform: str
    devices: tuple[Device, ...]

    @property
    def machine(self) -> tuple[str, ...]:
        """Host, platform and Python, as far as they are told."""
        told = (
            (self.host, self.host),
            (self.platform, self.platform),
            (self.python, f"Python {self.python}"),
        )
        return tuple(said for value, said in told if value != ELSEWHERE)

    def of_devices(self, ids: Collection[str]) -> "Rig":
        """This rig with those of ``ids`` alone: not all records of a run need to have had the same."""
        devices = tuple(device for device in self.devices if device.id in ids)
        return replace(self, devices=devices) if devices and devices != self.devices else self
