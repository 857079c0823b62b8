"""Several power sources as one: ``nvml+rapl``."""

from collections.abc import Sequence
from contextlib import ExitStack

from pytest_whq.errors import SettingError
from pytest_whq.model import Device, DeviceState, Reading
from pytest_whq.sources.base import PowerSource
from pytest_whq.sources.facts import facts_of


class CombinedSource:
    """The devices of all of ``parts``, in their order; joules of one add to joules of another.

    Its scope is that of its parts joined by ``+``, unknown where one is unknown; one part that
    estimates makes the whole an estimate. Raises SettingError where two parts offer the same
    device, whose joules would count twice. An error of one part is the error of the whole.
    """

    def __init__(self, parts: Sequence[PowerSource]) -> None:
        self._parts = tuple(parts)
        ids = [device.id for device in self.devices()]
        if repeated := next((id_ for id_ in ids if ids.count(id_) > 1), None):
            raise SettingError(
                f"The device {repeated} is offered by two of the power sources that --whq-source adds up, "
                "so its energy would count twice: name only one of them."
            )
        facts = [facts_of(part) for part in self._parts]
        scopes = [each.scope for each in facts if each.scope is not None]
        self.scope = "+".join(dict.fromkeys(scopes)) if len(scopes) == len(facts) else None
        drivers = [each.driver for each in facts if each.driver is not None]
        self.driver = ", ".join(dict.fromkeys(drivers)) or None
        self.estimated = any(each.estimated for each in facts)
        self.power_averaging_s = {id_: s for each in facts for id_, s in each.power_averaging_s.items()}
        self.sensors = {id_: names for each in facts for id_, names in each.sensors.items()}
        self.settles_s = max(each.settles_s for each in facts)
        self.labels = {id_: labels for each in facts for id_, labels in each.labels.items()}
        self._notes_since = [each.notes_since for each in facts]

    def devices(self) -> tuple[Device, ...]:
        """The devices of all parts."""
        return tuple(device for part in self._parts for device in part.devices())

    def read(self) -> tuple[Reading, ...]:
        """One reading of each device, part by part."""
        return tuple(reading for part in self._parts for reading in part.read())

    def state(self) -> tuple[DeviceState, ...]:
        """What the devices of all parts say of themselves."""
        return tuple(state for part in self._parts for state in part.state())

    def notes_since(self, start_s: float) -> tuple[str, ...]:
        """What all parts say of their joules."""
        return tuple(note for notes_since in self._notes_since for note in notes_since(start_s))

    def close(self) -> None:
        """Close every part, also where one raises; the last error is then raised."""
        with ExitStack() as stack:
            for part in self._parts:
                stack.callback(part.close)
