"""ROCm's library as its Python package amdsmi tells it: what is asked of it, in the units of this package."""

from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from importlib import import_module
from io import StringIO
from typing import Any

from pytest_whq.errors import SourceError, described

_NOTHING_THERE = frozenset({31, 34, 51})
"""NOT_FOUND, DRIVER_NOT_LOADED and NO_DRV: no AMD GPU is there, rather than one that refuses."""

_NO_POWER_W = 0xFFFF
"""What older versions show in place of N/A, or more."""

_NO_COUNT = 2**64 - 1

_MILLI = 1000
"""Versions tell degrees or thousandths of them; no GPU has so many degrees, or so few thousandths."""


def initialised() -> Any:
    """The package, ready to be asked; `SourceError` with the code ``no_source`` where nothing is there."""
    try:
        # It prints where it does not find its library, which would stand in what commands print.
        with redirect_stdout(StringIO()):
            smi: Any = import_module("amdsmi")
    except Exception as error:  # Without the library of ROCm it raises KeyErrors and others, too.
        raise SourceError(
            f"amdsmi: the Python package amdsmi cannot be imported: {described(error)}. It comes with ROCm "
            "(pip install /opt/rocm/share/amd_smi); without ROCm, choose --whq-source hwmon.",
            "no_source",
        ) from error
    try:
        smi.amdsmi_init()
    except smi.AmdSmiException as error:
        nothing = getattr(error, "err_code", None) in _NOTHING_THERE
        raise SourceError(
            f"amdsmi: ROCm's library cannot be opened: {said(error)}. "
            "Load the driver amdgpu until amd-smi works, or choose another --whq-source.",
            "no_source" if nothing else "source_error",
        ) from error
    return smi


def ask(smi: Any, function: Callable[..., Any], *args: object) -> Any:
    """What the function tells, None where the library refuses."""
    with suppress(smi.AmdSmiException):
        return function(*args)
    return None


def energy_of(smi: Any, handle: Any) -> float | None:
    """The energy counter in joules, None where it tells none."""
    told = smi.amdsmi_get_energy_count(handle)
    # The counter was called power until version 6.2.
    count = _number(told.get("energy_accumulator", told.get("power")))
    resolution_uj = _number(told.get("counter_resolution"))
    if count is None or resolution_uj is None or count >= _NO_COUNT:
        return None
    return count * resolution_uj / 1e6


def power_of(smi: Any, handle: Any, name: str) -> float | None:
    """The power in watts that amdsmi_get_power_info calls ``name``, None where it tells none."""
    power_w = _number(smi.amdsmi_get_power_info(handle).get(name))
    return power_w if power_w is not None and power_w < _NO_POWER_W else None


def cap_of(smi: Any, handle: Any) -> float | None:
    """The power limit in watts, None where there is none."""
    cap_uw = _number((ask(smi, smi.amdsmi_get_power_cap_info, handle) or {}).get("power_cap"))
    return None if cap_uw is None or cap_uw < 1e6 else cap_uw / 1e6


def name_of(smi: Any, handle: Any) -> str:
    """The name on the market."""
    name = (ask(smi, smi.amdsmi_get_gpu_asic_info, handle) or {}).get("market_name")
    return "AMD GPU" if name in (None, "", "N/A") else str(name)


def driver_of(smi: Any, handle: Any) -> str | None:
    """The version of the driver, None where it is not told."""
    version = (ask(smi, smi.amdsmi_get_gpu_driver_info, handle) or {}).get("driver_version")
    return None if version in (None, "", "N/A") else str(version)


def celsius_of(smi: Any, handle: Any) -> float | None:
    """The temperature at the hottest spot, None where it is not told."""
    kind, metric = smi.AmdSmiTemperatureType.HOTSPOT, smi.AmdSmiTemperatureMetric.CURRENT
    told = _number(ask(smi, smi.amdsmi_get_temp_metric, handle, kind, metric))
    return told / _MILLI if told is not None and told >= _MILLI else told


def _number(value: Any) -> float | None:
    """The value where it is a number; what is not told stands as ``N/A``."""
    return None if isinstance(value, bool) or not isinstance(value, int | float) else value


def said(error: Exception) -> str:
    """The error in its own words, which go over several lines."""
    return " ".join(str(error).split())
