"""What can be measured on this machine, how, and what stands in the way of the rest."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from pytest_whq.calibrating.step_response import period_of
from pytest_whq.errors import SourceError, WhqError, described
from pytest_whq.measuring.clock import Clock
from pytest_whq.model import Device, Reading
from pytest_whq.sources import AUTO, Offers, OpenedSource, built_in, open_source, parts_of
from pytest_whq.sources.base import PowerSource
from pytest_whq.sources.bounded import LIMIT_S, BoundedCalls
from pytest_whq.sources.facts import devices_listed_by, devices_of

_WATCHED_S = 1.5
_LOOK_EVERY_S = 0.002


@dataclass(frozen=True, slots=True)
class Measurable:
    """A device and how ``source`` measures it: by the first of ``sensors``, which the others check.

    ``index`` is its number for --whq-devices, None where it has none. ``refresh_s`` is for how long
    the first sensor shows the same value, None where it was not seen to change. ``by_default`` tells
    whether it is measured where nothing else is asked for, ``driver`` through which version of a driver.
    """

    source: str
    device: Device
    sensors: tuple[str, ...]
    index: int | None = None
    refresh_s: float | None = None
    by_default: bool = False
    driver: str | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """What can be measured here; ``problems`` are sentences about what cannot, and what to do.

    That a source has nothing here is a problem only where no sensor measures anything.
    """

    measurable: tuple[Measurable, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _OfSource:
    """What one source adds; ``absent`` says that it has nothing here, ``hung`` whether it never answered."""

    measurable: tuple[Measurable, ...] = ()
    problems: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    hung: bool = False


def list_measurable(clock: Clock, offers: Offers | None = None, limit_s: float = LIMIT_S) -> Listing:
    """Every device that a source measures here, built in or of ``offers``; watches each source for 1.5 s.

    What keeps a source from being read is a problem, and so is one that does not answer within ``limit_s``.
    Raises SettingError where a name is offered that pytest-whq uses itself.
    """
    offers = offers or {}
    parts_of("auto", offers)
    parts = {name: _in_time(name, offers, clock, limit_s) for name in (*built_in(), *offers)}
    return _marked([*parts.values()], any(parts[name].hung for name in AUTO), limit_s)


def _marked(parts: Sequence[_OfSource], default_hangs: bool, limit_s: float) -> Listing:
    measurable = tuple(one for part in parts for one in part.measurable)
    sensed = any(one.source != AUTO[-1] for one in measurable)
    problems = tuple(told for part in parts for told in (*part.problems, *(() if sensed else part.absent)))
    if default_hangs:  # As it would once more.
        return Listing(measurable, problems)
    try:
        default = _bounded("auto", limit_s).call("open", _by_default)
    except SourceError as error:
        return Listing(measurable, tuple(dict.fromkeys((*problems, str(error)))))
    marked = (replace(one, by_default=(one.source, one.device.id) in default) for one in measurable)
    return Listing(tuple(marked), problems)


def _by_default() -> set[tuple[str, str]]:
    opened = open_source("auto")
    with closing(opened.source):
        return {(opened.name, device.id) for device in opened.source.devices()}


def _bounded(name: str, limit_s: float) -> BoundedCalls:
    return BoundedCalls(name, limit_s, "--driver-timeout")


def _in_time(name: str, offers: Offers, clock: Clock, limit_s: float) -> _OfSource:
    calls = _bounded(name, limit_s + _WATCHED_S)
    try:
        return calls.call("answer", lambda: _of_source(name, offers, clock))
    except SourceError as error:
        return _OfSource(problems=(str(error),), hung=True)


def _of_source(name: str, offers: Offers, clock: Clock) -> _OfSource:
    problems: tuple[str, ...] = ()
    try:
        listed = devices_listed_by(offers.get(name) or built_in()[name])
        problems = tuple(each.why_not for each in listed or () if each.why_not is not None)
        usable = [each for each in listed or () if each.why_not is None]
        if listed is not None and not usable:
            return _OfSource((), problems)
        opened = open_source(name, ",".join(each.device.id for each in usable) or None, offers)
        with closing(opened.source):
            numbers = {each.device.id: each.index for each in usable}
            return _OfSource(tuple(_watched(opened, numbers, clock)), problems)
    except WhqError as error:
        if isinstance(error, SourceError) and error.code == "no_source":
            return _OfSource((), problems, (str(error),))
        return _OfSource((), (*problems, str(error)))
    except Exception as error:  # noqa: BLE001 - a plugin's source may raise anything
        return _OfSource((), (*problems, f"The power source {name} cannot be read: {described(error)}"))


def _watched(opened: OpenedSource, numbers: Mapping[str, int | None], clock: Clock) -> Iterator[Measurable]:
    devices, facts = devices_of(opened.name, opened.source), opened.facts
    # What is modelled has no sensor that refreshes.
    periods_s = {} if facts.estimated else refresh_periods(opened.source, clock)
    seen = {reading.device_id: _sensors_in(reading) for reading in opened.source.read()}
    for device in devices:
        sensors = facts.sensors.get(device.id) or seen.get(device.id, ())
        number, refresh_s = numbers.get(device.id), periods_s.get(device.id)
        shown = sensors or ("shows neither energy nor power",)
        yield Measurable(opened.name, device, shown, number, refresh_s, driver=facts.driver)


def _sensors_in(reading: Reading) -> tuple[str, ...]:
    shown = {"energy counter": reading.energy_j, "power": reading.power_w}
    return tuple(name for name, value in shown.items() if value is not None)


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
            if value is None or id_ not in changes:
                continue
            before, before_s = last.get(id_, (value, reading.time_s))
            if value != before:
                changes[id_].append((before_s + reading.time_s) / 2)
            last[id_] = (value, reading.time_s)
        clock.sleep(_LOOK_EVERY_S)
    return {id_: period_of(moments_s) for id_, moments_s in changes.items()}
