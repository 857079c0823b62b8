"""Which series of a Prometheus are energy, of what, and in which unit. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pytest_whq.errors import SettingError, SourceError
from pytest_whq.model import Device

PRESETS: Mapping[str, Sequence[str]] = {
    "dcgm": ("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", "DCGM_FI_DEV_POWER_USAGE"),
    "amd": ("gpu_energy_consumed", "gpu_package_power", "gpu_average_package_power"),
    # Zones overlap: that of the packages holds the cores.
    "kepler": ('kepler_node_cpu_joules_total{zone="package"}',),
    "platform": ('kepler_platform_watts{source="redfish"}', "kepler_platform_watts"),
    "rapl": ("node_rapl_package_joules_total",),
}
"""Name for --whq-prometheus-query -> the selectors to try, of which the first that matches is taken."""


GAUGE_LOOKS_BACK_S = 2.0
"""A gauge shows the mean over a second on most boards, and up to a second late; both count as averaging,
since a reading tells of a window only where all that it may be of lies in it."""


@dataclass(frozen=True, slots=True)
class Unit:
    """What one of a metric is: joules of a counter, or else watts of a gauge."""

    factor: float
    counts: bool


_OF_METRICS = {
    "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION": Unit(1e-3, counts=True),
    "DCGM_FI_DEV_POWER_USAGE": Unit(1.0, counts=False),
    "gpu_energy_consumed": Unit(1e-6, counts=True),
    "gpu_package_power": Unit(1.0, counts=False),
    "gpu_average_package_power": Unit(1.0, counts=False),
}
_OF_ENDINGS = {
    "joules": Unit(1.0, counts=True),
    "millijoules": Unit(1e-3, counts=True),
    "mj": Unit(1e-3, counts=True),
    "microjoules": Unit(1e-6, counts=True),
    "uj": Unit(1e-6, counts=True),
    "watt_hours": Unit(3600.0, counts=True),
    "wh": Unit(3600.0, counts=True),
    "kwh": Unit(3.6e6, counts=True),
    "watts": Unit(1.0, counts=False),
    "milliwatts": Unit(1e-3, counts=False),
}
_OVERLAPPING = (("zone", "package"), ("source", "redfish"))
"""Labels by which series of Kepler are of the same, or of parts of it; each with one to choose."""

OF_THE_SCRAPE = frozenset({"job", "prometheus", "prometheus_replica"})
"""Labels of who scraped a target: of several series that differ in them alone, each shows the same."""

_SELECTOR = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[^{}]*\})?")


def selectors_from(text: str | None, where: str = "--whq-prometheus-query") -> Sequence[str]:
    """The selectors that ``text``, given as ``where``, stands for, dcgm's for None; SettingError."""
    text = (text or "dcgm").strip()
    if text in PRESETS:
        return PRESETS[text]
    if _SELECTOR.fullmatch(text) is None:
        raise SettingError(
            f"{where} must be one of {', '.join(PRESETS)} or a metric, with labels in braces "
            f"where need be, and no expression, which would smooth what is measured: not {text!r}."
        )
    unit_of(text, where)
    return (text,)


def unit_of(selector: str, where: str = "--whq-prometheus-query") -> Unit:
    """The unit of the metric of ``selector``, by its name; SettingError where that does not tell."""
    name = selector.partition("{")[0]
    if name in _OF_METRICS:
        return _OF_METRICS[name]
    plain = name.removesuffix("_total").lower()
    for ending, unit in _OF_ENDINGS.items():
        if plain.endswith(f"_{ending}"):
            return unit
    raise SettingError(
        f"{where} cannot be {selector!r}: its name does not tell the unit, as one "
        f"that ends with _joules_total or _watts would. Known endings are {', '.join(_OF_ENDINGS)}."
    )


def devices_in(selector: str, series: Sequence[Mapping[str, str]]) -> dict[str, int]:
    """By the id of each device, which of ``series``, given by their labels, is its first.

    A board in MIG mode, and one that two jobs scrape, has several series that all show the same.
    Raises `SourceError` where series of one device are of parts that overlap.
    """
    for label, such_as in _OVERLAPPING if selector.startswith("kepler_") else ():
        values = sorted({labels.get(label, "") for labels in series})
        if len(values) > 1:
            raise SourceError(
                f"prometheus: {selector} has the {label}s {', '.join(filter(None, values))}, which overlap: "
                f'their sum would count energy twice. Choose one, such as {{{label}="{such_as}"}}.'
            )
    devices: dict[str, int] = {}
    for number, labels in enumerate(series):
        devices.setdefault(id_of(labels), number)
    return devices


def scope_of(selector: str) -> str | None:
    """What joules of the metric cover, None where its name does not tell."""
    if selector.startswith(("DCGM_", "gpu_")):
        return "gpu"
    if selector.startswith("kepler_platform"):
        return "node"
    return "cpu" if selector.startswith(("node_rapl_package", "kepler_node_cpu")) else None


def looks_back_s(selector: str) -> float:
    """How old what a gauge shows may be when it is scraped, the time that it is the mean of included."""
    # Kepler asks a BMC each 10 s.
    return GAUGE_LOOKS_BACK_S + (10.0 if selector.startswith("kepler_platform") else 0.0)


def device_of(id_: str, labels: Mapping[str, str]) -> Device:
    """The device that a series with these labels measures."""
    return Device(id_, labels.get("modelName") or labels.get("card_model") or labels.get("__name__") or id_)


def id_of(labels: Mapping[str, str]) -> str:
    """The id of the device that a series with these labels is of."""
    if uuid := labels.get("UUID") or labels.get("gpu_uuid"):
        return uuid
    return ",".join(
        f"{name}={value}"
        for name, value in sorted(labels.items())
        if name != "__name__" and name not in OF_THE_SCRAPE
    )
