"""Energy of whole machines, as the meters in them tell by Redfish."""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from pytest_whq.errors import SourceError
from pytest_whq.model import Device, DeviceState, Reading
from pytest_whq.real_time import now_s
from pytest_whq.scraping.address import Address, address_of_source, fetch
from pytest_whq.sources.remote.abbreviated import ids_named
from pytest_whq.sources.remote.stale import Moving

_EVERY_S = 1.0
_CHASSIS = "/redfish/v1/Chassis"

_LOOKS_BACK_S = 10.0
"""What a BMC shows is a mean over seconds, and some seconds old; how many, it does not tell."""

_HELD_S = 0.5
"""Between the readings that show again what was shown before."""

_FINE_KWH = 4
"""Digits after the point with which a counter of kilowatt-hours moves often enough to measure by."""

_J_PER_KWH = 3.6e6


@dataclass(frozen=True, slots=True)
class _Meter:
    """Where the meter of one chassis answers, and what it is of."""

    address: Address
    device: Device
    counts: bool


class RedfishSource:
    """The machines whose BMCs answer at ``addresses``, separated by commas.

    An address without a path is of a machine with one chassis that has a meter; else it is that of the
    chassis. Measured is by ``EnergyJoules`` or a fine ``EnergykWh``, where there is one, else by power.
    ``devices`` is the setting of --whq-devices: ids, which may be abbreviated, or ``all``; None for all.
    ``now`` is the clock of the readings. Raises SettingError for what is no address, `SourceError` where one
    does not answer, has no meter or several.
    """

    scope = "node"
    settles_s = 30.0

    def __init__(self, addresses: str, devices: str | None = None, now: Callable[[], float] = now_s) -> None:
        self._now = now
        places = [address_of_source("redfish", text, _CHASSIS) for text in addresses.split(",")]
        self._pool = ThreadPoolExecutor(len(places), "pytest-whq redfish")
        try:
            self._meters = _chosen(list(self._pool.map(_meter_at, places)), devices)
        except BaseException:
            self.close()
            raise
        self._due_s = now()
        self._latest: dict[str, tuple[float, float]] = {}
        self._moving = Moving("redfish")
        self.sensors = {
            meter.device.id: ("energy counter",) if meter.counts else ("power",) for meter in self._meters
        }
        self.power_averaging_s = {meter.device.id: _LOOKS_BACK_S for meter in self._meters}

    def devices(self) -> tuple[Device, ...]:
        """The machines in the order of the addresses."""
        return tuple(meter.device for meter in self._meters)

    def read(self) -> tuple[Reading, ...]:
        """What the meters show, once a second; none of them where the last look was just now."""
        before_s = self._now()
        if before_s < self._due_s:
            return ()
        self._due_s = before_s + _EVERY_S
        self._moving.ask(before_s)
        shown = list(self._pool.map(_shown_by, self._meters))
        moment_s = (before_s + self._now()) / 2
        return tuple(
            reading
            for meter, (energy_j, power_w) in zip(self._meters, shown, strict=True)
            for reading in self._readings(meter, moment_s, energy_j, power_w)
        )

    def state(self) -> tuple[DeviceState, ...]:
        """Nothing is known beside the energy."""
        return tuple(DeviceState(meter.device.id) for meter in self._meters)

    def close(self) -> None:
        """End the threads that ask."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _readings(
        self, meter: _Meter, moment_s: float, energy_j: float | None, power_w: float | None
    ) -> Iterator[Reading]:
        id_ = meter.device.id
        if power_w is not None:
            self._moving.look(id_, moment_s, power_w)
        if meter.counts:
            # Power beside it is of a time that nobody tells, and would contradict a counter that is right.
            yield Reading(id_, moment_s, energy_j)
            return
        if power_w is not None:
            last_s, last_w = self._latest.get(id_, (moment_s, power_w))
            # Until now it has shown what it showed last.
            for held in range(1, math.ceil(min(moment_s - last_s, 3 * _EVERY_S) / _HELD_S)):
                yield Reading(id_, last_s + held * _HELD_S, power_w=last_w)
            self._latest[id_] = moment_s, power_w
        yield Reading(id_, moment_s, power_w=power_w)


def _meter_at(place: Address) -> _Meter:
    """The one meter at an address."""
    path = urlsplit(place.url).path
    if path.rstrip("/") != _CHASSIS:
        chassis = [path]
    else:
        chassis = [member["@odata.id"] for member in _get(place, path).get("Members", ())]
    found = [meter for one in chassis if (meter := _meter_of(place, one)) is not None]
    if len(found) == 1:
        return found[0]
    if not found:
        raise SourceError(
            f"redfish: {place.shown} shows no power of a chassis (PowerWatts, PowerConsumedWatts). "
            "See in its web pages whether it has a meter, and that the user may read it."
        )
    several = ", ".join(meter.device.id for meter in found)
    raise SourceError(
        f"redfish: {place.host} shows the power of several chassis ({several}), which may lie in one "
        f"another. Name the outermost, such as redfish:{_at(place, chassis[0]).shown}."
    )


def _meter_of(place: Address, chassis: str) -> _Meter | None:
    document = _get(place, chassis)
    for name in ("EnvironmentMetrics", "Power"):
        link = document.get(name)
        if not isinstance(link, Mapping) or not isinstance(link.get("@odata.id"), str):
            continue
        address = _at(place, link["@odata.id"])
        meter = _Meter(address, Device("", ""), counts=True)
        energy_j, power_w = _shown_by(meter)
        if energy_j is not None or power_w is not None:
            id_ = f"{place.host}/{document.get('Id') or chassis.rpartition('/')[2]}"
            told = document.get("Model") or document.get("Name")
            return replace(meter, device=Device(id_, str(told or "whole node")), counts=energy_j is not None)
    return None


def _shown_by(meter: _Meter) -> tuple[float | None, float | None]:
    """Joules that it has counted and watts that it shows, None for what it does not."""
    document = _get_at(meter.address)
    controls = document.get("PowerControl")
    if isinstance(controls, list) and controls and isinstance(controls[0], Mapping):
        # The first is of the whole chassis, by convention; others are of parts of it.
        return None, _number(controls[0].get("PowerConsumedWatts"))
    joules = _number(_reading(document, "EnergyJoules"))
    kwh = _reading(document, "EnergykWh")
    if joules is None and isinstance(kwh, Decimal) and -int(kwh.as_tuple().exponent) >= _FINE_KWH:
        joules = float(kwh) * _J_PER_KWH
    return joules, _number(_reading(document, "PowerWatts"))


def _reading(document: Mapping[str, Any], name: str) -> Any:
    sensor = document.get(name)
    return sensor.get("Reading") if isinstance(sensor, Mapping) else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal) or not value >= 0:
        return None
    return float(value)


def _at(place: Address, path: str) -> Address:
    """``path`` on the machine of an address."""
    parts = urlsplit(place.url)
    url = f"{parts.scheme}://{parts.netloc}{path}"
    return replace(place, url=url, shown=url)


def _get(place: Address, path: str) -> Mapping[str, Any]:
    return _get_at(_at(place, path))


def _get_at(address: Address) -> Mapping[str, Any]:
    text, _ = fetch("redfish", address)
    try:
        document = json.loads(text, parse_float=Decimal)
    except ValueError:
        document = None
    if not isinstance(document, Mapping):
        raise SourceError(
            f"redfish: {address.shown} answers with something else than Redfish does. "
            "A proxy or a login may stand before it: give the BMC's own address."
        )
    return document


def _chosen(meters: list[_Meter], devices: str | None) -> list[_Meter]:
    named = ids_named(
        devices,
        [meter.device.id for meter in meters],
        lambda entry: (
            f"redfish: --whq-devices cannot be {entry!r}. "
            f"The machines are {', '.join(meter.device.id for meter in meters)}."
        ),
    )
    chosen = (meter for meter in meters if meter.device.id in named)
    return sorted(chosen, key=lambda meter: named.index(meter.device.id))
