"""What can be measured on this machine, how, and what stands in the way of the rest."""

from contextlib import closing
from dataclasses import dataclass, replace

from pytest_whq.calibrating.step_response import period_of
from pytest_whq.errors import SourceError
from pytest_whq.measuring.clock import Clock
from pytest_whq.model import Device
from pytest_whq.sources import open_source
from pytest_whq.sources.base import PowerSource

_WATCHED_S = 1.5
_LOOK_EVERY_S = 0.002


@dataclass(frozen=True, slots=True)
class Measurable:
    """A device and how ``source`` measures it: by the first of ``sensors``, which the others check.

    ``index`` is its number for --whq-devices, None where it has none. ``refresh_s`` is for how long
    the first sensor shows the same value, None where it was not seen to change. ``by_default`` tells
    whether it is measured where nothing else is asked for.
    """

    source: str
    device: Device
    sensors: tuple[str, ...]
    index: int | None = None
    refresh_s: float | None = None
    by_default: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """What can be measured here; ``problems`` are sentences about what cannot, and what to do."""

    measurable: tuple[Measurable, ...]
    problems: tuple[str, ...]


def list_measurable(clock: Clock) -> Listing:
    """Every device of this machine that a built-in source measures; watches the sensors for 1.5 s."""
    gpus, problems = _gpus(clock)
    found = (*gpus, _estimate())
    try:
        opened = open_source("auto")
    except SourceError as error:
        return Listing(found, tuple(dict.fromkeys((*problems, str(error)))))
    with closing(opened.source):
        default = {(opened.name, device.id) for device in opened.source.devices()}
    marked = (replace(m, by_default=(m.source, m.device.id) in default) for m in found)
    return Listing(tuple(marked), problems)


def _gpus(clock: Clock) -> tuple[tuple[Measurable, ...], tuple[str, ...]]:
    from pytest_whq.sources.nvml.source import NvmlSource, list_devices

    try:
        listed = list_devices()
    except SourceError as error:
        return (), (str(error),)
    problems = tuple(gpu.why_not for gpu in listed if gpu.why_not is not None)
    usable = [gpu for gpu in listed if gpu.why_not is None]
    if not usable:
        return (), problems
    with closing(NvmlSource(",".join(gpu.device.id for gpu in usable))) as source:
        periods_s = refresh_periods(source, clock)
    return tuple(
        Measurable(
            "nvml",
            gpu.device,
            tuple(s.name if s.scope == "gpu" else f"{s.name} of the {s.scope}" for s in gpu.sensors),
            gpu.index,
            periods_s[gpu.device.id],
        )
        for gpu in usable
    ), problems


def _estimate() -> Measurable:
    from pytest_whq.sources.estimate import EstimateSource

    with closing(EstimateSource()) as source:
        (device,) = source.devices()
    return Measurable("estimate", device, ("CPU time x watts per vCPU, an estimate",))


def refresh_periods(source: PowerSource, clock: Clock) -> dict[str, float | None]:
    """Device id -> seconds from one refresh of its counter, or else of its power, to the next."""
    changes: dict[str, list[float]] = {device.id: [] for device in source.devices()}
    last: dict[str, tuple[float, float]] = {}
    counted: set[str] = set()
    end_s = clock.now() + _WATCHED_S
    while clock.now() < end_s:
        for reading in source.read():
            id_ = reading.device_id
            if reading.energy_j is not None:
                counted.add(id_)
            # Beside a counter, power is read too seldom to tell how often it changes.
            value = reading.energy_j if id_ in counted else reading.power_w
            if value is None:
                continue
            before, before_s = last.get(id_, (value, reading.time_s))
            if value != before:
                changes[id_].append((before_s + reading.time_s) / 2)
            last[id_] = (value, reading.time_s)
        clock.sleep(_LOOK_EVERY_S)
    return {id_: period_of(moments_s) for id_, moments_s in changes.items()}
