"""Which columns of a power log are the time, the device and the power, by the names that tools give them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_whq.errors import ImportedFileError

_TIMES = (
    *("epoch_ns", "timestamp_ns", "time_ns", "unix_ns", "ts_ns"),
    *(
        "epoch_us",
        "timestamp_us",
        "time_us",
        "ts_us",
        "epoch_ms",
        "timestamp_ms",
        "time_ms",
        "unix_ms",
        "ts_ms",
    ),
    *(
        "epoch_s",
        "timestamp_s",
        "time_s",
        "unix_s",
        "unix_time",
        "epoch",
        "timestamp",
        "datetime",
        "time",
        "ts",
    ),
)
_DEVICES = (
    *("index", "gpu", "gpu_index", "gpu_id", "gpuid", "gpu_idx", "physical_gpu", "device", "device_index"),
    *("device_id", "uuid", "gpu_uuid", "pci.bus_id", "bus_id", "entity", "id"),
)
_POWERS = (
    *("power.draw", "power.draw.average", "power.draw.instant", "power_draw"),
    *(
        "socket_power",
        "current_socket_power",
        "average_socket_power",
        "gpu_power_usage",
        "power_usage",
        "pwr",
    ),
    *("power", "powr", "gpu_power", "power_w", "power_mw", "power_uw", "watts", "milliwatts", "pwgt"),
)
UNITS = {"w": 1.0, "watt": 1.0, "watts": 1.0, "kw": 1e3, "kilowatts": 1e3}
UNITS |= {"mw": 1e-3, "milliwatts": 1e-3, "uw": 1e-6, "microwatts": 1e-6}
"""Unit of power -> watts; a megawatt is no board's."""

_OF_POWER = re.compile(r"power|watt|pwr")
_NO_DRAW = re.compile(
    r"limit|cap|max|min|default|enforced|manag|state|profile|mode|brake|throttle|violation|percent|cpu|reason"
)
_KNOWN_AS = {"#entity": "entity", "dcgm_fi_dev_power_usage": "power"}


@dataclass(frozen=True, slots=True)
class Columns:
    """Places of the cells that matter; ``date`` where the day stands apart from the time of day.

    ``watts`` is what a number of the power column is multiplied with, None where its cells say their unit.
    """

    time: int | None
    device: int | None
    power: int
    watts: float
    date: int | None = None


def columns_of(header: Sequence[str], where: str) -> Columns:
    """The columns that ``header`` names; ImportedFileError where there is no power among them."""
    names = [_name(cell) for cell in header]
    power = _power_in(names)
    if power is None:
        raise ImportedFileError(
            f"{where} has no column of power: its first line names "
            f"{', '.join(filter(None, names))[:200] or 'none'}. "
            "Give a log of nvidia-smi, amd-smi or dcgmi dmon with its header line."
        )
    time = _first(names, _TIMES)
    date = names.index("date") if "date" in names else None
    if time is None and date is not None:
        time, date = date, None
    return Columns(time, _first(names, _DEVICES), power, _watts(header[power], names[power], where), date)


def looks_like_a_header(cells: Sequence[str]) -> bool:
    """Whether a line names a column of power."""
    return _power_in([_name(cell) for cell in cells]) is not None


def _name(cell: str) -> str:
    bare = re.sub(r"[\[(].*?[\])]", "", cell).strip().strip("#").strip().lower().replace(" ", "_")
    return _KNOWN_AS.get(bare, bare)


def _power_in(names: Sequence[str]) -> int | None:
    """The column of power by a name that a tool gives it, else the only one that can be what is drawn."""
    bare = [name.rpartition("_")[0] if name.rpartition("_")[2] in UNITS else name for name in names]
    for wanted in _POWERS:
        for given in (names, bare):
            if wanted in given:
                return given.index(wanted)
    able = [place for place, name in enumerate(names) if _OF_POWER.search(name) and not _NO_DRAW.search(name)]
    return able[0] if len(able) == 1 else None


def _first(names: Sequence[str], wanted: Sequence[str]) -> int | None:
    return next((names.index(name) for name in wanted if name in names), None)


def _watts(cell: str, name: str, where: str) -> float:
    """What a number of the column is multiplied with, by the unit in its name, watts where that has none."""
    for unit in re.findall(r"[\[(]\s*(.*?)\s*[\])]", cell):
        plain = unit.lower().translate(_MICRO)
        if plain in UNITS:
            return UNITS[plain]
        if _OTHER_UNIT.fullmatch(plain):
            raise ImportedFileError(f"{where} has power in {unit}, which is not known here. Give watts.")
    return UNITS.get(name.rpartition("_")[2], 1.0)


_MICRO = {ord("µ"): "u", ord("μ"): "u"}
_OTHER_UNIT = re.compile(r"%|\w*(w|va|wh|j|hp)")
