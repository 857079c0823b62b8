"""Power logs: lines of time, device and watts, as nvidia-smi, amd-smi and dcgmi write them; in one pass."""

import math
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

from pytest_whq.errors import ImportedFileError
from pytest_whq.importing.power.clock import Moment, moment_of
from pytest_whq.importing.power.columns import UNITS, Columns, columns_of, looks_like_a_header
from pytest_whq.importing.power.device_logs import DeviceLog, PowerLog
from pytest_whq.importing.power.rows import rows_of
from pytest_whq.joules.believable import MOST_W
from pytest_whq.units import number_of

_OUT_OF_ORDER_S = 1.0
"""Lines of several threads may stand in the wrong order by this much; further back a clock was set."""


def read_log(path: Path, *, start: Moment | None = None, step_s: float | None = None) -> PowerLog:
    """The log at ``path``; ImportedFileError where it is none.

    A log without times, as dcgmi dmon writes it, needs the moment of its first line and its step.
    """
    with rows_of(path) as rows:
        return _Reading(str(path), start, step_s).of(rows)


class _Reading:
    """One pass over the rows of a log, with what was odd about them."""

    def __init__(self, where: str, start: Moment | None, step_s: float | None) -> None:
        self._where = where
        self._start, self._step_s = start, step_s
        self._devices: dict[str, DeviceLog] = {}
        self._odd: Counter[str] = Counter()
        self._is_local = False
        self._minute, self._minute_s = "", 0.0

    def of(self, rows: Iterator[list[str]]) -> PowerLog:
        """The log in ``rows``."""
        header = next(rows, [])
        columns = columns_of(header, self._where)
        if columns.time is None and (self._start is None or self._step_s is None):
            raise ImportedFileError(
                f"{self._where} has no column of time. Say when its first line was written and how far apart "
                "they are, with --log-start and --log-step, or record it with times."
            )
        self._take_all(rows, columns)
        devices = dict(sorted(self._devices.items(), key=_in_order))
        if not any(log.times_s for log in devices.values()):
            said = ": ".join(("can be read", *self._oddities()))
            raise ImportedFileError(f"{self._where} has no line with a time and a power that {said}.")
        if columns.device is None:
            _refuse_several(self._where, *devices.values())
        for name, log in devices.items():
            self._put_in_order(name, log)
        notes = [f"{self._where}: {what}" for what in self._oddities()]
        if columns.device is None:
            notes.append(f"{self._where}: no column tells devices apart, all lines are taken as one device's")
        return PowerLog(self._where, devices, self._is_local, tuple(notes))

    def _oddities(self) -> list[str]:
        return [what.format(number_of(number, "line")) for what, number in self._odd.items()]

    def _take_all(self, rows: Iterator[list[str]], columns: Columns) -> None:
        rows, at_time = self._with_moments(rows, columns)
        at_device, at_power, factor = columns.device, columns.power, columns.watts
        sinks: dict[str, tuple[Callable[[float], None], Callable[[float], None]]] = {}
        last_text, time_s = "", self._seconds("")
        for row in rows:
            try:
                cell, text = row[at_power], row[at_time]
                power_w = float(cell[:-2]) if cell[-2:] == " W" else float(cell) * factor
            except (ValueError, IndexError):
                read_w = self._watts_in(row, columns)
                if read_w is None:
                    self._name_unread(row, at_time, at_device)
                    continue
                power_w, text = read_w, row[at_time] if at_time < len(row) else ""
            if not 0 < power_w <= MOST_W:
                # DCGM writes 9223372036854775794 for what it cannot read, other drivers 0.
                self._odd[_NONE if power_w == 0 else _ABSURD] += 1
                self._name_unread(row, at_time, at_device)
                continue
            if text != last_text:
                # Devices of one look share their moment.
                last_text, time_s = text, self._seconds(text)
            if time_s is None:
                self._odd["left out {} without a time that can be read"] += 1
                continue
            name = "0" if at_device is None else row[at_device]
            sink = sinks.get(name)
            if sink is None:
                log = self._devices.setdefault(_device_named(name), DeviceLog())
                sink = sinks[name] = (log.times_s.append, log.powers_w.append)
            sink[0](time_s)
            sink[1](power_w)

    def _name_unread(self, row: list[str], at_time: int, at_device: int | None) -> None:
        """Know the device of a line without a reading: what it draws is unknown, and not nothing."""
        if at_device is None or max(at_device, at_time) >= len(row):
            return
        if row[at_device].strip() and self._seconds(row[at_time]) is not None:
            self._devices.setdefault(_device_named(row[at_device]), DeviceLog())

    def _watts_in(self, row: list[str], columns: Columns) -> float | None:
        """Watts of a cell that is no bare number: one with its unit; None, counted, where it holds none."""
        if not any(cell.strip() for cell in row):
            return None
        cell = row[columns.power].strip() if columns.power < len(row) else ""
        number, _, unit = cell.partition(" ")
        try:
            return float(number) * (UNITS[unit.strip().lower()] if unit.strip() else columns.watts)
        except (ValueError, KeyError):
            if not looks_like_a_header(row) and not _is_units(row):
                what = "without a power that can be read" if cell else "cut short"
                self._odd[f"left out {{}} {what}"] += 1
            return None

    def _seconds(self, text: str) -> float | None:
        """The moment of a cell, None where it tells none; within a minute only its seconds are read."""
        if self._minute and text[:17] == self._minute and text[19:20] in (".", ""):
            try:
                return self._minute_s + float(text[17:])
            except ValueError:
                pass
        moment = moment_of(text)
        self._minute = ""
        if moment is None:
            return None
        if moment.is_local:
            self._is_local = True
            if text[16:17] == ":" and text[10:11] in (" ", "T"):
                self._minute, self._minute_s = text[:17], moment.time_s - float(text[17:])
        return moment.time_s

    def _with_moments(self, rows: Iterator[list[str]], columns: Columns) -> tuple[Iterator[list[str]], int]:
        """``rows`` with their whole moment in one cell, and where that is."""
        at_time, at_date = columns.time, columns.date
        if at_time is None:
            return self._counted(rows, columns), -1
        if at_date is None:
            return rows, at_time
        last = max(at_time, at_date)
        joined = ([*row, f"{row[at_date]} {row[at_time]}"] for row in rows if len(row) > last)
        return ([*row[:at_time], row[-1], *row[at_time + 1 : -1]] for row in joined), at_time

    def _counted(self, rows: Iterator[list[str]], columns: Columns) -> Iterator[list[str]]:
        """``rows`` with moments that nobody wrote: each look at a device is a step after its last."""
        assert self._start is not None  # Asked for above.
        start_s, step_s, looks = self._start.time_s, self._step_s or 0.0, Counter[str]()
        self._is_local = self._start.is_local
        for row in rows:
            try:
                float(row[columns.power])
                name = "0" if columns.device is None else row[columns.device]
            except (ValueError, IndexError):
                yield [*row, ""]
                continue
            yield [*row, repr(start_s + looks[name] * step_s)]
            looks[name] += 1

    def _put_in_order(self, name: str, log: DeviceLog) -> None:
        """Let times rise: lines in the wrong order change places, of those of one moment the last stays."""
        times_s = log.times_s
        steps = list(map(float.__sub__, times_s[1:], times_s)) if len(times_s) > 1 else []
        if not steps or min(steps) > 0:
            return
        latest_s = -math.inf
        for time_s in times_s:
            if time_s < latest_s - _OUT_OF_ORDER_S:
                # The name is the log's own, and may hold what `format` would take for a place.
                safe = name.replace("{", "(").replace("}", ")")
                self._odd[f"device {safe} goes back by {latest_s - time_s:.1f} s: its clock was set"] += 1
                log.ran_twice.append((time_s, latest_s))
            latest_s = max(latest_s, time_s) if not log.ran_twice else time_s
        merged = dict(sorted(zip(times_s, log.powers_w, strict=True), key=lambda pair: pair[0]))
        if len(merged) < len(times_s):
            self._odd[_REPEATED] += len(times_s) - len(merged)
        log.times_s, log.powers_w = array("d", merged), array("d", merged.values())


_NONE = "left out {} with a power of 0 W, which is no reading: no device draws nothing"
_ABSURD = f"left out {{}} with a power below 0 or above {MOST_W:,.0f} W"
_REPEATED = "{} with the moment of another line of the same device: the last one counts"

_SUDDEN, _MANY = 0.2, 0.2
"""Lines that come within this share of the mean step are of one look; in a log of one device few do."""


def _refuse_several(where: str, log: DeviceLog) -> None:
    """ImportedFileError where lines that name no device come in bursts, as those of several devices do."""
    steps_s = [after - before for before, after in pairwise(log.times_s)]
    mean_s = sum(steps_s) / len(steps_s) if steps_s else 0.0
    # A line that was written twice is none of another device.
    sudden = sum(
        step_s < _SUDDEN * mean_s and (step_s > 0 or one_w != next_w)
        for step_s, (one_w, next_w) in zip(steps_s, pairwise(log.powers_w), strict=True)
        if step_s >= 0
    )
    if sudden > _MANY * len(steps_s):
        raise ImportedFileError(
            f"{where} has no column that tells devices apart, and {number_of(sudden, 'line')} of it "
            "at the moment of another, or right after: they seem to be of several devices. Record it with "
            "their index, or one device alone."
        )


def _is_units(row: list[str]) -> bool:
    """Whether a row is dmon's second line, which names units."""
    return any(cell.strip().lower() in ("w", "mw", "idx", "id") for cell in row)


def _device_named(cell: str) -> str:
    return cell.strip().removeprefix("GPU-") if cell.strip()[4:].isdigit() else cell.strip()


def _in_order(item: tuple[str, DeviceLog]) -> tuple[int, int, str]:
    return (0, int(item[0]), "") if item[0].isdecimal() else (1, 0, item[0])
