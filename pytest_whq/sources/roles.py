"""Which device does what in a cluster: roles, by patterns on what is known of the devices."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from pytest_whq.errors import SettingError, SourceError
from pytest_whq.model import Device, DeviceState, Reading
from pytest_whq.sources.base import PowerSource
from pytest_whq.sources.facts import facts_of


@dataclass(frozen=True, slots=True)
class RolePattern:
    """Devices whose id, name or one of whose labels matches the glob ``pattern`` have the role ``role``."""

    role: str
    pattern: str

    def fits(self, device: Device, labels: Mapping[str, str]) -> bool:
        """Whether the device has the role; a label may be meant by its value, or as ``name=value``."""
        texts = [device.id, device.name, *labels.values(), *(f"{k}={v}" for k, v in labels.items())]
        return any(fnmatchcase(text, self.pattern) for text in texts)


def role_patterns(texts: Iterable[str], where: str) -> tuple[RolePattern, ...]:
    """The patterns that ``ROLE=PATTERN`` texts give; a SettingError begins with ``where``."""
    patterns = []
    for text in texts:
        role, _, pattern = (part.strip() for part in text.partition("="))
        if not role or not pattern:
            raise SettingError(f"{where} cannot be {text!r}: it is ROLE=PATTERN, such as prefill=node-1*.")
        patterns.append(RolePattern(role, pattern))
    return tuple(patterns)


class SourceWithRoles:
    """``source``, its devices with the roles that ``patterns`` give them; all else is as it says.

    Raises `SourceError` for a pattern that no device fits, and for a device that has two roles.
    """

    def __init__(self, source: PowerSource, patterns: Sequence[RolePattern]) -> None:
        self._source = source
        labels = facts_of(source).labels
        devices = source.devices()
        for each in patterns:
            if not any(each.fits(device, labels.get(device.id, {})) for device in devices):
                known = ", ".join(device.id for device in devices)
                raise SourceError(
                    f"No device fits the role {each.role}={each.pattern} (--whq-role), by its id, its "
                    f"name or a label. The devices are {known}."
                )
        self._devices = tuple(_with_role(device, labels.get(device.id, {}), patterns) for device in devices)

    def __getattr__(self, name: str) -> Any:
        """What else the source says of itself."""
        return getattr(self._source, name)

    def devices(self) -> tuple[Device, ...]:
        """The devices, with their roles."""
        return self._devices

    def read(self) -> tuple[Reading, ...]:
        """What the source reads."""
        return self._source.read()

    def state(self) -> tuple[DeviceState, ...]:
        """What the source says of the devices."""
        return self._source.state()

    def close(self) -> None:
        """Close the source."""
        self._source.close()


def _with_role(device: Device, labels: Mapping[str, str], patterns: Sequence[RolePattern]) -> Device:
    roles = list(dict.fromkeys(each.role for each in patterns if each.fits(device, labels)))
    if len(roles) > 1:
        raise SourceError(
            f"{device.name} ({device.id}) fits the roles {' and '.join(roles)} (--whq-role): "
            "narrow the patterns until each device has one."
        )
    return replace(device, role=roles[0]) if roles else device
