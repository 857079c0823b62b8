"""Joules, watt-hours, grams and money: the only code that converts or formats a quantity."""

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

JOULES_PER_WH = 3600.0


def wh(energy_j: float) -> float:
    """Watt-hours in ``energy_j`` joules."""
    return energy_j / JOULES_PER_WH


def per_million(value: float) -> float:
    """A quantity per item as the same quantity per million items."""
    return value * 1e6


def kwh(energy_wh: float) -> float:
    """Kilowatt-hours in ``energy_wh`` watt-hours: what grids and prices are told by."""
    return energy_wh / 1000.0


def joules(energy_kwh: float) -> float:
    """Joules in ``energy_kwh`` kilowatt-hours."""
    return energy_kwh * 1000.0 * JOULES_PER_WH


def minutes(energy_wh: float, power_w: float) -> float:
    """How many minutes ``energy_wh`` watt-hours last at ``power_w`` watts."""
    return energy_wh / power_w * 60.0


def joules_from_mj(energy_mj: float) -> float:
    """Joules in ``energy_mj`` millijoules, the unit of NVML's energy counter."""
    return energy_mj / 1000.0


def joules_from_megajoules(energy_megajoules: float) -> float:
    """Joules in megajoules, the unit of AIPerf's telemetry."""
    return energy_megajoules * 1e6


def watts_from_mw(power_mw: float) -> float:
    """Watts in ``power_mw`` milliwatts, the unit of NVML's power readings."""
    return power_mw / 1000.0


class Prefix(NamedTuple):
    """An SI prefix and what it multiplies a unit by."""

    factor: float
    letter: str


_PREFIXES = tuple(
    Prefix(factor, letter)
    for factor, letter in ((1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"))
)


def format_quantity(value: float, unit: str, prefix: Prefix | None = None) -> str:
    """Three significant digits with an SI prefix: ``0.00184, "Wh"`` gives ``1.84 mWh``.

    Where a ``prefix`` is given it stands, so that figures below one another have one unit: ``0.00184 Wh``.
    """
    if value == 0 or not math.isfinite(value):
        return f"{value:g} {unit}"
    # Rounded first, so that 0.0009996 becomes 1.00 m and not 1000 µ.
    rounded = float(f"{value:.3g}")
    factor, letter = prefix or _fitting(rounded)
    scaled = rounded / factor
    return f"{scaled:{',' if prefix else ''}.{_digits(scaled)}f} {letter}{unit}"


def prefix_for(values: Sequence[float]) -> Prefix:
    """The prefix that suits the one in the middle of ``values``."""
    known = sorted(abs(value) for value in values if math.isfinite(value))
    return _fitting(float(f"{known[len(known) // 2]:.3g}")) if known else Prefix(1.0, "")


def _fitting(rounded: float) -> Prefix:
    return next((prefix for prefix in _PREFIXES if abs(rounded) >= prefix.factor), _PREFIXES[-1])


def _digits(rounded: float) -> int:
    """How many digits after the point make three significant ones."""
    return max(0, 2 - math.floor(math.log10(abs(rounded))))


def format_number(value: float) -> str:
    """Three significant digits without an exponent: ``1370.4`` gives ``1,370``, ``0.06667`` ``0.0667``."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.{_digits(rounded)}f}"


def format_as_given(value: float) -> str:
    """A number as its source has it: ``485.392`` stays, ``31.0`` gives ``31``."""
    return f"{value:.12g}"


def number_of(number: int, one: str, several: str = "") -> str:
    """A number of things: ``1 test``, ``2,000 tests``; ``several`` where an s does not make it."""
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"


def format_length(tokens: float) -> str:
    """Tokens of a query as benchmarks write them: ``8k`` where they are a whole number of 1024s."""
    return f"{tokens / 1024:g}k" if tokens >= 1024 and tokens % 1024 == 0 else f"{tokens:.0f}"


def format_grams(mass_g: float) -> str:
    """A mass with three significant digits: ``0.582 g``, ``5.96 mg``, ``582 kg``, ``1.20 t``."""
    rounded = float(f"{mass_g:.3g}")
    if rounded >= 1e6:
        return f"{format_number(rounded / 1e6)} t"
    return f"{format_number(rounded)} g" if 0.1 <= rounded < 1000 else format_quantity(rounded, "g")


def format_money(amount: float, currency: str) -> str:
    """An amount with three significant digits: ``0.0372 JPY``, ``37,200 JPY``."""
    return f"{format_number(amount)} {currency}"


def format_percent(ratio: float, *, signed: bool = False) -> str:
    """A ratio as percent with one decimal: ``0.0283`` gives ``2.8 %``."""
    # Plus zero, so that what rounds to nothing has no minus sign.
    percent = round(ratio * 100, 1) + 0.0
    return f"{percent:{'+' if signed else ''}.1f} %"


def format_percents(*ratios: float) -> tuple[str, ...]:
    """Ratios to be compared, as percent: with one decimal, or with more by which different ones look so."""
    for digits in range(1, 4):
        texts = tuple(f"{ratio * 100:.{digits}f} %" for ratio in ratios)
        if len(set(texts)) == len(set(ratios)):
            break
    return texts


def format_percent_range(low: float, high: float) -> str:
    """Two ratios as signed percent with one decimal: ``0.341, 0.392`` gives ``+34.1 to +39.2 %``."""
    return f"{low * 100:+.1f} to {high * 100:+.1f} %"


def format_seconds(duration_s: float) -> str:
    """A duration in seconds: ``6.24`` gives ``6.2 s``, ``0.05`` gives ``50.0 ms``."""
    return f"{duration_s:.1f} s" if duration_s >= 1 else format_quantity(duration_s, "s")


def parse_ratio(text: str | float) -> float:
    """A ratio from ``"2%"``, ``"0.02"`` or ``0.02``; ValueError where it is not positive and finite."""
    if isinstance(text, str) and text.strip().endswith("%"):
        ratio = float(text.strip()[:-1]) / 100
    else:
        ratio = float(text)
    if not (math.isfinite(ratio) and ratio > 0):
        raise ValueError(text)
    return ratio


def format_moment(time_s: float) -> str:
    """Seconds of the Unix epoch as the day and time in UTC: ``2026-11-23T08:00:00Z``."""
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def grams_per_kwh(value: float, unit: str) -> float:
    """``value`` in ``unit`` as g/kWh, with or without CO2 in it; ValueError where it is no such unit."""
    plain = re.sub(r"\s*/\s*", "/", re.sub(r"[- ]?CO[2₂](e|eq)?(?=\s*/)", "", unit))
    if plain not in INTENSITY_UNITS:
        raise ValueError(unit)
    return value * INTENSITY_UNITS[plain]


INTENSITY_UNITS = {
    "g/kWh": 1.0,
    "kg/kWh": 1e3,
    "t/kWh": 1e6,
    "kg/MWh": 1.0,
    "t/MWh": 1e3,
    "lb/MWh": 0.45359237,
}
"""Unit of a grid's intensity -> g/kWh; a pound is 453.59237 g by definition."""


def price_per(value: float, unit: str) -> tuple[float, str, str]:
    """A price of one kWh or of one token, its currency, and which of ``kWh`` and ``token`` it is of.

    ``31, "JPY/kWh"`` gives ``31.0, "JPY", "kWh"`` and ``0.2, "USD/Mtok"`` gives ``2e-07, "USD", "token"``.
    ValueError where ``unit`` is no price.
    """
    currency, _, item = (part.strip() for part in unit.partition("/"))
    plain = re.sub(r"^1(?=[km ])|\s|(?<=tok)(ens?|s)$", "", item.lower())
    if not re.fullmatch("[A-Z]{3}", currency) or plain not in _PRICED:
        raise ValueError(unit)
    number, of = _PRICED[plain]
    return value / number, currency, of


_PRICED = {
    "kwh": (1.0, "kWh"),
    "mwh": (1e3, "kWh"),
    "tok": (1.0, "token"),
    "ktok": (1e3, "token"),
    "mtok": (1e6, "token"),
    "milliontok": (1e6, "token"),
}
"""What a price is of, in small letters and without blanks: nobody means thousandths by m."""
