"""A source of our own, before anything of it is imported."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from pytest_whq.sources.base import PowerSource
from pytest_whq.sources.facts import ListedDevice, devices_listed_by


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """The source that is the class ``name`` in ``module`` of this room.

    With ``chooses_devices`` it is made with the setting of --whq-devices, else it has but what it has; with
    ``takes_selector``, where it answers at an address, also with that of --whq-prometheus-query.
    """

    module: str
    name: str
    chooses_devices: bool = False
    takes_selector: bool = False

    def __call__(self, devices: str | None) -> PowerSource:
        """Open it; raises `SourceError` where it cannot be."""
        return self._factory()(devices) if self.chooses_devices else self._factory()()

    def at(self, addresses: str, devices: str | None, selector: str | None) -> PowerSource:
        """Open it where it answers; raises `SourceError` where it cannot be."""
        if self.takes_selector:
            return self._factory()(addresses, devices, selector)
        return self._factory()(addresses, devices)

    def list_devices(self) -> tuple[ListedDevice, ...] | None:
        """Every device that it could measure, None where only an opened one tells; raises `SourceError`."""
        return devices_listed_by(self._factory())

    def _factory(self) -> Callable[..., PowerSource]:
        factory: Callable[..., PowerSource] = vars(import_module(f"{__package__}.{self.module}"))[self.name]
        return factory
