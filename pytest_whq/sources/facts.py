"""What a power source says of itself. Only here is one asked for what it may lack."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields

from pytest_whq.errors import SourceError
from pytest_whq.model import Device
from pytest_whq.sources.base import PowerSource


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """A source's attributes of these names; what it does not carry stands as here, for unknown.

    - ``scope``: what its joules cover, as in `pytest_whq.model.Rig`;
    - ``driver``: the version of the driver that it reads through;
    - ``estimated``: True when its joules are modelled and not sensed;
    - ``power_averaging_s``: by device id, the seconds over which its power sensor averages;
    - ``sensors``: by device id, the names of what it is measured by; the first measures, the others check it;
    - ``settles_s``: how many seconds a window's edge waits at most for readings that tell the level there;
    - ``labels``: by device id, what else is known of it, by name;
    - ``notes_since``: given a moment, sentences on what its joules since then hold or lack.
    """

    scope: str | None = None
    driver: str | None = None
    estimated: bool = False
    power_averaging_s: Mapping[str, float] = field(default_factory=dict)
    sensors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    settles_s: float = 2.0
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    notes_since: Callable[[float], tuple[str, ...]] = field(default=lambda start_s: (), compare=False)


_UNKNOWN = SourceFacts()


def facts_of(source: PowerSource) -> SourceFacts:
    """What ``source`` says of itself now."""
    names = [each.name for each in fields(SourceFacts)]
    return SourceFacts(**{name: getattr(source, name, getattr(_UNKNOWN, name)) for name in names})


@dataclass(frozen=True, slots=True)
class ListedDevice:
    """A device that a source knows of, measured or not.

    ``index`` is its number for --whq-devices, None where it has none. ``why_not`` is the sentence why it
    cannot be measured, None where it can.
    """

    device: Device
    index: int | None = None
    why_not: str | None = None


def devices_listed_by(factory: Callable[..., PowerSource]) -> tuple[ListedDevice, ...] | None:
    """Every device that the sources of ``factory`` could measure, also where none can be opened.

    A source class tells them by a static method ``list_devices``, which may raise `SourceError`; None where
    ``factory`` has none: then its devices are those of an opened source.
    """
    listing: Callable[[], tuple[ListedDevice, ...] | None] | None = getattr(factory, "list_devices", None)
    return None if listing is None else listing()


def devices_of(name: str, source: PowerSource) -> tuple[Device, ...]:
    """The devices of ``source``, which goes by ``name``; SourceError where it has none."""
    devices = source.devices()
    if not devices:
        raise SourceError(f"The power source {name} has no devices.", "no_source")
    return devices
