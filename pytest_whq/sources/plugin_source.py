"""A plugin's power source, of which nothing is taken unchecked."""

from collections.abc import Callable, Iterable, Mapping
from numbers import Real
from typing import Any, TypeVar

from pytest_whq.errors import SourceError, WhqError, described
from pytest_whq.model import REASONS, Device, DeviceState, Reading
from pytest_whq.sources.base import PowerSource
from pytest_whq.sources.facts import facts_of

T = TypeVar("T")

_MOST = 1e15
"""Joules, watts and seconds above this are no measurement, and their sums would overflow."""


class PluginSource:
    """The source that a plugin offers by ``name``: all that is wrong in it is a SourceError that names it."""

    def __init__(self, name: str, source: PowerSource) -> None:
        self._name = name
        self._source = source
        facts = self._ask("does not tell of itself", lambda: facts_of(source))
        self.scope = self._text("scope", facts.scope)
        self.driver = self._text("driver", facts.driver)
        self.estimated = facts.estimated is True
        self.power_averaging_s = self._ask(
            "does not tell its power_averaging_s", lambda: _seconds(facts.power_averaging_s)
        )
        self.sensors = self._ask("does not tell its sensors", lambda: _names(facts.sensors))
        self.settles_s = self._ask("does not tell its settles_s", lambda: _seconds({"": facts.settles_s})[""])
        self._notes_since = facts.notes_since
        self.labels = self._ask("does not tell its labels", lambda: _labels(facts.labels))

    def devices(self) -> tuple[Device, ...]:
        """The source's devices."""
        devices = self._ask("does not tell its devices", lambda: tuple(self._source.devices()))
        for device in devices:
            if not _is_device(device):
                raise SourceError(
                    f"The power source {self._name} must give each device as a Device with id and name as "
                    f"text, a role as text or None and watts or None as its limit, not {described(device)}."
                )
        return devices

    def read(self) -> tuple[Reading, ...]:
        """The source's readings."""
        readings = self._ask("cannot be read", lambda: tuple(self._source.read()))
        for reading in readings:
            if not _is_reading(reading):
                raise SourceError(
                    f"The power source {self._name} must give each reading as a Reading with an id as text, "
                    "seconds as a finite number, and joules and watts as such or None, "
                    f"not {described(reading)}."
                )
        return readings

    def state(self) -> tuple[DeviceState, ...]:
        """What the source's devices say of themselves."""
        return self._ask(
            "does not tell its state", lambda: tuple(filter(_is_state, self._source.state() or ()))
        )

    def notes_since(self, start_s: float) -> tuple[str, ...]:
        """What the source says of its joules."""
        return self._ask("does not tell of its joules", lambda: tuple(map(str, self._notes_since(start_s))))

    def close(self) -> None:
        """Close the source."""
        self._ask("cannot be closed", self._source.close)

    def _ask(self, trouble: str, question: Callable[[], T]) -> T:
        return _asked(f"The power source {self._name} {trouble}", question)

    def _text(self, what: str, value: object) -> str | None:
        if value is None or isinstance(value, str):
            return value
        raise SourceError(
            f"The power source {self._name} must give its {what} as text, not {described(value)}."
        )


def checked(name: str, make: Callable[[], object]) -> PluginSource:
    """The source that ``make``, a plugin's own code, gives by ``name``; SourceError where it gives none."""
    source = _asked(f"The power source {name} cannot be opened", make)
    if not isinstance(source, PowerSource):
        raise SourceError(
            f"The power source {name} cannot be used: its factory gives a {type(source).__name__}, "
            "not an object with devices(), read(), state() and close()."
        )
    return PluginSource(name, source)


def _asked(trouble: str, question: Callable[[], T]) -> T:
    """The answer; an error that is not meant for users becomes one that is, and begins with ``trouble``."""
    try:
        return question()
    except KeyboardInterrupt:
        raise
    except WhqError as error:
        code = getattr(error, "code", None)
        if not isinstance(error, SourceError) or (isinstance(code, str) and code in REASONS):
            raise
        raise SourceError(
            f"{trouble}: {described(error)}, with the unknown code {described(code)}"
        ) from error
    except BaseException as error:  # Not even SystemExit may end a session.
        raise SourceError(f"{trouble}: {described(error)}") from error


def _labels(labels: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    return {str(id_): {str(key): str(value) for key, value in each.items()} for id_, each in labels.items()}


def _is_device(device: object) -> bool:
    return (
        isinstance(device, Device)
        and isinstance(device.id, str)
        and isinstance(device.name, str)
        and (device.role is None or isinstance(device.role, str))
        and (device.power_limit_w is None or (_is_figure(device.power_limit_w) and device.power_limit_w >= 0))
    )


def _is_reading(reading: object) -> bool:
    return (
        isinstance(reading, Reading)
        and isinstance(reading.device_id, str)
        and _is_figure(reading.time_s)
        and (reading.energy_j is None or _is_figure(reading.energy_j))
        and (reading.power_w is None or _is_figure(reading.power_w))
    )


def _is_state(state: object) -> bool:
    """Whether a state can be used: it is a courtesy, so one that cannot is left out."""
    return (
        isinstance(state, DeviceState)
        and (state.temperature_c is None or _is_figure(state.temperature_c))
        and (state.other_processes is None or type(state.other_processes) is int)
        and (state.clocks_event_reasons is None or _are_texts(state.clocks_event_reasons))
    )


def _is_figure(value: Any) -> bool:
    # By numbers.Real, because NumPy's need not be float, which costs more; a comparison with NaN is false.
    is_number = type(value) is float or (isinstance(value, Real) and not isinstance(value, bool))
    return is_number and bool(-_MOST <= value <= _MOST)


def _are_texts(values: object) -> bool:
    return isinstance(values, (tuple, list)) and all(isinstance(value, str) for value in values)


def _seconds(found: Mapping[str, float]) -> dict[str, float]:
    seconds = {str(device): float(value) for device, value in found.items()}
    if not all(0 <= value <= _MOST for value in seconds.values()):
        raise ValueError("seconds from 0 up")
    return seconds


def _names(found: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    return {str(device): tuple(map(str, names)) for device, names in found.items()}
