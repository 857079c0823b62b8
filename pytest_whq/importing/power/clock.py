"""Times as logs write them, in seconds of the Unix epoch; local ones wait for their offset from UTC."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from pytest_whq.errors import ImportedFileError, SettingError

_DAYS = re.compile(
    r"(\d{4})[/-]?(\d\d)[/-]?(\d\d)[ T]+(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?\s*(Z|[+-]\d\d:?\d\d)?$"
)
_NUMBER = re.compile(r"\d+(?:\.\d*)?(?:[eE]\+?\d+)?$")

EARLIEST_S, LATEST_S = 9e8, 5e9
"""Moments from 1998 to 2128: what a number of another size means is told by how many there fit between."""

_TICKS = (1.0, 1e-3, 1e-6, 1e-9)

_HALVES = (-9.5, -3.5, 3.5, 4.5, 5.5, 5.75, 6.5, 8.75, 9.5, 10.5, 12.75)
OFFSETS_H = tuple(sorted((*range(-12, 15), *_HALVES)))
"""The offsets from UTC that some clock of the world shows, in hours."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Seconds of the epoch; ``is_local`` where they are as if the local time were UTC."""

    time_s: float
    is_local: bool


def moment_of(text: str) -> Moment | None:
    """The moment that a cell tells: a date with its time, or a number since the epoch; None where none."""
    text = text.strip()
    if _NUMBER.match(text):
        number = float(text)
        for tick in _TICKS:
            if EARLIEST_S <= number * tick <= LATEST_S:
                return Moment(number * tick, False)
        return None
    found = _DAYS.match(text)
    if found is None:
        return None
    try:
        year, month, day, hour, minute, second = (int(found[n]) for n in range(1, 7))
        whole = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    time_s = whole.timestamp() + float(f"0.{found[7] or 0}")
    zone = found[8]
    return Moment(time_s - _zone_s(zone), False) if zone else Moment(time_s, True)


def _zone_s(zone: str) -> float:
    if zone == "Z":
        return 0.0
    sign = -1 if zone[0] == "-" else 1
    return sign * (int(zone[1:3]) * 3600 + int(zone[-2:]) * 60)


def offset_given(text: str) -> float:
    """Seconds of an ``--utc-offset`` such as ``+9``, ``+09:30`` or ``-3.5``; SettingError for others."""
    found = re.fullmatch(r"([+-]?)(\d{1,2})(?::?([0-5]\d)|(\.\d+))?", text.strip())
    if found is not None:
        hours = int(found[2]) + int(found[3] or 0) / 60 + float(found[4] or 0)
        if hours <= 14:
            return (-1 if found[1] == "-" else 1) * hours * 3600
    raise SettingError(f'--utc-offset must be hours such as "+9" or "-03:30", not {text!r}.')


def moment_given(text: str, option: str, offset_s: float | None) -> float:
    """Seconds of the epoch of a time on the command line; SettingError where it is none or of no zone."""
    found = moment_of(text)
    if found is None:
        raise SettingError(
            f'{option} must be a time such as "2026-06-11T04:54:39Z" or seconds since 1970, not {text!r}.'
        )
    if found.is_local and offset_s is None:
        raise SettingError(f"{option} {text} has no zone. Write it with Z or +09:00, or give --utc-offset.")
    return found.time_s - (offset_s or 0.0) * found.is_local


def offset_that_fits(log: tuple[float, float], spans: Sequence[tuple[float, float]], where: str) -> float:
    """Seconds by which the local times of a log are ahead of UTC, where one offset alone covers every span.

    ImportedFileError where none or several do: then the user must say it.
    """
    fitting = list(_fitting(log, spans))
    if len(fitting) == 1:
        return fitting[0]
    from_to = f"{_clock(log[0])} to {_clock(log[1])}"
    if not fitting:
        first, last = min(span[0] for span in spans), max(span[1] for span in spans)
        raise ImportedFileError(
            f"{where} has local times, {from_to}, and no offset from UTC makes them cover the benchmark, "
            f"{_clock(first)} to {_clock(last)} UTC. Give the log that was recorded beside it."
        )
    said = ", ".join(said_offset(offset_s) for offset_s in fitting[:4])
    raise ImportedFileError(
        f"{where} has local times, {from_to}, and {len(fitting)} offsets from UTC make them cover "
        "the benchmark "
        f"({said}{', ...' if len(fitting) > 4 else ''}). Say which one is right with --utc-offset."
    )


def _fitting(log: tuple[float, float], spans: Sequence[tuple[float, float]]) -> Iterator[float]:
    for hours in OFFSETS_H:
        offset_s = hours * 3600
        if all(log[0] - offset_s <= start_s and end_s <= log[1] - offset_s for start_s, end_s in spans):
            yield offset_s


def said_offset(offset_s: float) -> str:
    """An offset from UTC as ``UTC+09:00``."""
    minutes = round(abs(offset_s) / 60)
    return f"UTC{'-' if offset_s < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}"


def _clock(time_s: float) -> str:
    return datetime.fromtimestamp(time_s, timezone(timedelta())).strftime("%Y-%m-%d %H:%M:%S")
