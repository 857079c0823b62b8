"""Where a run was measured, as users say it."""

import pytest

from pytest_whq.errors import SettingError
from pytest_whq.footprint.place import read_grid, read_overhead, read_place, read_price
from pytest_whq.footprint.tables import grids
from pytest_whq.model import Grid, Overhead, Place, Price


def test_a_country_goes_by_its_codes_and_its_name() -> None:
    japan = Grid("JPN", "Japan", "JPN", 485.392, 2023, "Our World in Data, Ember", "location-based")
    for name in ("JPN", "jp", "Japan", " japan "):
        assert read_grid(name, "--grid") == japan
    assert read_grid("united  kingdom", "--grid").name == "GBR"


def test_a_region_of_google_has_the_figure_of_its_grid() -> None:
    tokyo, osaka = (read_grid(f"gcp:asia-northeast{n}", "--grid") for n in (1, 2))
    assert tokyo == Grid(
        "gcp:asia-northeast1", "Tokyo", "JPN", 449.23, 2025, "Google Cloud", "location-based"
    )
    assert (osaka.where, osaka.g_per_kwh, osaka.year) == ("Osaka", 298.92, 2025)


def test_a_japanese_utility_is_no_grid_and_says_what_its_figure_is() -> None:
    own, residual, before = (
        read_grid(f"jp:shikoku-electric{which}", "--grid") for which in ("", "-residual", "-2023")
    )
    assert (own.g_per_kwh, own.year, own.basis) == (376, 2024, "supplier's mix, unadjusted")
    assert (residual.g_per_kwh, residual.basis) == (457, "supplier's residual mix")
    assert (before.g_per_kwh, before.year, before.source) == (380, 2023, "Shikoku Electric Power, 2025-04-07")


def test_every_row_of_the_tables_has_a_year_a_source_and_a_figure_that_a_grid_can_have() -> None:
    rows = set(grids().values())
    assert len(rows) == 212 + 47 + 4
    for grid in rows:
        assert 5 < grid.g_per_kwh < 1400, grid
        assert grid.year is not None, grid
        assert 2009 <= grid.year <= 2025, grid
        assert grid.source, grid
        assert grid.basis, grid


@pytest.mark.parametrize(
    ("text", "g_per_kwh"),
    [
        ("485 g/kWh", 485),
        ("485.392g/kWh", 485.392),
        ("0.376 kg/kWh", 376),
        ("0.376 kg-CO2/kWh", 376),
        ("0.000376 t-CO2/kWh", 376),
        ("485 gCO2eq/kWh", 485),
        ("485 g CO₂e/kWh", 485),
        ("0.4 t/MWh", 400),
        ("1000 lb/MWh", 453.59237),
        ("0 g/kWh", 0),
    ],
)
def test_a_number_has_its_unit(text: str, g_per_kwh: float) -> None:
    grid = read_grid(text, "--grid")
    assert grid.g_per_kwh == pytest.approx(g_per_kwh)
    assert (grid.name, grid.year, grid.source, grid.basis) == (None, None, "as given", "as given")


def test_who_says_so_and_of_when_stands_in_parentheses() -> None:
    grid = read_grid("0.376 kg/kWh (Shikoku Electric, 2024)", "--grid")
    assert (grid.source, grid.year) == ("Shikoku Electric", 2024)
    assert read_price("31 JPY/kWh (2025)", "--price") == Price(31, "JPY", 2025, "as given")
    assert read_overhead("1.2 (operator)", "--pue") == Overhead(1.2, None, "operator")


def test_a_price_is_of_a_kwh_in_a_currency() -> None:
    assert read_price("31 JPY/kWh", "--price") == Price(31, "JPY", None, "as given")
    assert read_price("100 EUR/MWh", "--price").per_kwh == pytest.approx(0.1)


NAMES = (
    "give an ISO code of a country such as JPN, gcp: and a region, jp:shikoku-electric, "
    "or a number with its unit such as 485 g/kWh."
)
RANGE = "and grids have 0 to 3,000. Check the unit."
UNIT = "a number needs its unit, one of g/kWh, kg/kWh, t/kWh, kg/MWh, t/MWh, lb/MWh, as in 485 g/kWh."


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("JPM", f"--grid has no 'JPM' (did you mean JPN?): {NAMES}"),
        ("Germny", f"--grid has no 'Germny' (did you mean Germany?): {NAMES}"),
        (
            "gcp:asia-northeast4",
            f"--grid has no 'gcp:asia-northeast4' (did you mean gcp:asia-northeast3?): {NAMES}",
        ),
        ("\x1b[31m", f"--grid has no '\\x1b[31m': {NAMES}"),
        ("", f"--grid has no '': {NAMES}"),
        ("485", f"--grid cannot be '485': {UNIT}"),
        ("485 kWh", f"--grid cannot be '485 kWh': {UNIT}"),
        ("485,3 g/kWh", f"--grid cannot be '485,3 g/kWh': {UNIT}"),
        (
            "485 kg/kWh",
            f"--grid cannot be '485 kg/kWh': that is 485,000 g/kWh, {RANGE}",
        ),
        (
            "-1 g/kWh",
            f"--grid cannot be '-1 g/kWh': that is -1.00 g/kWh, {RANGE}",
        ),
    ],
)
def test_a_grid_that_is_none_is_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(SettingError) as error:
        read_grid(text, "--grid")
    assert str(error.value) == sentence


def test_what_is_too_long_to_be_a_grid_is_shortened() -> None:
    with pytest.raises(SettingError) as error:
        read_grid("1" * 5000, "--grid")
    assert str(error.value).startswith("--grid has no '" + "1" * 56 + "...:")


@pytest.mark.parametrize("text", ["31", "$31/kWh", "31 yen/kWh", "31 JPY/Mtok", "JPY/kWh", "nan JPY/kWh"])
def test_a_price_that_is_none_is_one_sentence(text: str) -> None:
    with pytest.raises(SettingError) as error:
        read_price(text, "whq_price in pytest.ini")
    assert str(error.value) == (
        f"whq_price in pytest.ini cannot be {text!r}: it is a number and its unit, such as 31 JPY/kWh, "
        "with the currency by its ISO code."
    )


def test_nothing_is_free() -> None:
    with pytest.raises(SettingError, match="cannot be '0 JPY/kWh': a price is above 0"):
        read_price("0 JPY/kWh", "--price")


@pytest.mark.parametrize("text", ["0.9", "120 %", "11", "1.2 kWh", "low", "-1.2"])
def test_an_overhead_is_at_least_the_machines_themselves(text: str) -> None:
    with pytest.raises(SettingError) as error:
        read_overhead(text, "--pue")
    assert str(error.value) == (
        f"--pue cannot be {text!r}: it is the data centre's energy over that of its machines, "
        "a number from 1 to 10 such as 1.2."
    )


def test_a_place_has_what_was_said_and_nothing_else() -> None:
    assert read_place(None, None, None, str) is None
    assert read_place(None, None, "1.2", str) == Place(overhead=Overhead(1.2, None, "as given"))
    with pytest.raises(SettingError, match=r"^--price cannot be 'x'"):
        read_place("JPN", "x", "1.2", lambda name: f"--{name}")
