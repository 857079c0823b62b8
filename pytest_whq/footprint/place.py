"""The place that settings describe: each a sentence to understand, or a `SettingError` that says what is."""

import math
from collections.abc import Callable

from pytest_whq.errors import SettingError, did_you_mean
from pytest_whq.footprint.stated import quoted, read_stated
from pytest_whq.footprint.tables import grids
from pytest_whq.model.place import Grid, Overhead, Place, Price
from pytest_whq.units import INTENSITY_UNITS, format_number, grams_per_kwh, price_per

_MOST_G_PER_KWH = 3000.0
"""Twice what the worst power plants emit: above it the unit is wrong."""

_MOST_PUE = 10.0


def read_place(
    grid: str | None, price: str | None, pue: str | None, called: Callable[[str], str]
) -> Place | None:
    """The place that the settings ``grid``, ``price`` and ``pue`` describe; None where all are None.

    ``called`` is what the user knows one of these names by, for messages.
    """
    if grid is None and price is None and pue is None:
        return None
    return Place(
        grid=None if grid is None else read_grid(grid, called("grid")),
        price=None if price is None else read_price(price, called("price")),
        overhead=None if pue is None else read_overhead(pue, called("pue")),
    )


def read_grid(text: str, where: str) -> Grid:
    """A grid from ``485 g/kWh``, ``JPN``, ``gcp:asia-northeast1`` or ``jp:shikoku-electric``."""
    stated = read_stated(text)
    if stated is None:
        return _known_grid(text, where)
    try:
        g_per_kwh = grams_per_kwh(stated.value, stated.unit)
    except ValueError:
        raise SettingError(
            f"{where} cannot be {quoted(text)}: a number needs its unit, one of "
            f"{', '.join(INTENSITY_UNITS)}, as in 485 g/kWh."
        ) from None
    if not 0 <= g_per_kwh <= _MOST_G_PER_KWH:
        raise SettingError(
            f"{where} cannot be {quoted(text)}: that is {format_number(g_per_kwh)} g/kWh, and grids have "
            f"0 to {format_number(_MOST_G_PER_KWH)}. Check the unit."
        )
    return Grid(None, None, None, g_per_kwh, stated.year, stated.source, "as given")


def _known_grid(text: str, where: str) -> Grid:
    known = grids()
    name = " ".join(text.split()).casefold()
    if name in known:
        return known[name]
    # Codes are so short that their first letter tells more than how many of the others agree.
    names = (one for grid in known.values() for one in (grid.name, grid.where) if one)
    hint = did_you_mean(text, (one for one in names if one[:1] == text[:1]))
    raise SettingError(
        f"{where} has no {quoted(text)}{hint}: give an ISO code of a country such as JPN, gcp: and a region, "
        "jp:shikoku-electric, or a number with its unit such as 485 g/kWh."
    )


def read_price(text: str, where: str) -> Price:
    """The price of electricity from ``31 JPY/kWh``."""
    return Price(*price_of("kWh", text, where))


def price_of(what: str, text: str, where: str) -> tuple[float, str, int | None, str]:
    """The price of one ``kWh`` or one ``token``, its currency, year and source."""
    stated = read_stated(text)
    try:
        price, currency, found = price_per(stated.value, stated.unit) if stated else (0.0, "", "")
    except ValueError:
        found = ""
    if stated is None or found != what:
        raise SettingError(
            f"{where} cannot be {quoted(text)}: it is a number and its unit, such as {_PRICES[what]}, "
            "with the currency by its ISO code."
        )
    if not (math.isfinite(price) and price > 0):
        raise SettingError(f"{where} cannot be {quoted(text)}: a price is above 0.")
    return price, currency, stated.year, stated.source


_PRICES = {"kWh": "31 JPY/kWh", "token": "0.20 USD/Mtok"}


def read_overhead(text: str, where: str) -> Overhead:
    """A power usage effectiveness from ``1.2`` or ``1.2 (operator, 2025)``."""
    stated = read_stated(text)
    if stated is None or stated.unit or not 1 <= stated.value <= _MOST_PUE:
        raise SettingError(
            f"{where} cannot be {quoted(text)}: it is the data centre's energy over that of its machines, "
            f"a number from 1 to {_MOST_PUE:g} such as 1.2."
        )
    return Overhead(stated.value, stated.year, stated.source)
