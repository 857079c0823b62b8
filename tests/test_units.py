import math
import re

import pytest

from pytest_whq import units


def test_a_watt_hour_is_3600_joules() -> None:
    assert units.wh(3600.0) == 1.0
    assert units.wh(-1.8) == -0.0005


def test_millis_are_thousandths() -> None:
    assert units.joules_from_mj(123_456) == 123.456
    assert units.watts_from_mw(70_250) == 70.25


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.00184, "1.84 mWh"),
        (0.0097, "9.70 mWh"),
        (0.05, "50.0 mWh"),
        (0.123456, "123 mWh"),
        (0.9994, "999 mWh"),
        (0.9996, "1.00 Wh"),
        (0.0009994, "999 µWh"),
        (0.0009996, "1.00 mWh"),
        (1.0, "1.00 Wh"),
        (12.34, "12.3 Wh"),
        (999.4, "999 Wh"),
        (999.6, "1.00 kWh"),
        (12_345.0, "12.3 kWh"),
        (1_234_567.0, "1.23 MWh"),
        (5.5e9, "5500 MWh"),
        (3.21e-6, "3.21 µWh"),
        (3.21e-9, "3.21 nWh"),
        (3.21e-11, "0.0321 nWh"),
        (-0.00184, "-1.84 mWh"),
        (0.0, "0 Wh"),
        (math.inf, "inf Wh"),
        (math.nan, "nan Wh"),
    ],
)
def test_watt_hours_have_three_digits_and_the_prefix_that_fits(value: float, text: str) -> None:
    assert units.format_quantity(value, "Wh") == text


@pytest.mark.parametrize(
    ("ratio", "text", "signed"),
    [
        (0.0283, "2.8 %", "+2.8 %"),
        (-0.0283, "-2.8 %", "-2.8 %"),
        (0.0, "0.0 %", "+0.0 %"),
        (3.661, "366.1 %", "+366.1 %"),
    ],
)
def test_a_ratio_is_shown_in_percent(ratio: float, text: str, signed: str) -> None:
    assert units.format_percent(ratio) == text
    assert units.format_percent(ratio, signed=True) == signed


def test_ratios_that_differ_look_different() -> None:
    assert units.format_percents(0.06, 0.05) == ("6.0 %", "5.0 %")
    assert units.format_percents(0.02004, 0.02) == ("2.004 %", "2.000 %")
    assert units.format_percents(0.02, 0.02) == ("2.0 %", "2.0 %")
    assert units.format_percents(0.020000004, 0.02) == ("2.000 %", "2.000 %")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(6.24, "6.2 s"), (1.0, "1.0 s"), (86_400.0, "86400.0 s"), (0.05, "50.0 ms"), (0.0, "0 s")],
)
def test_a_duration_is_shown_in_seconds(seconds: float, text: str) -> None:
    assert units.format_seconds(seconds) == text


@pytest.mark.parametrize(
    ("text", "ratio"),
    [
        ("2%", 0.02),
        (" 2.5 % ", 0.025),
        ("0.02", 0.02),
        (0.02, 0.02),
        ("150%", 1.5),
        (1, 1.0),
        ("1e-3", 0.001),
    ],
)
def test_a_ratio_is_read_from_percent_or_a_number(text: str | float, ratio: float) -> None:
    assert units.parse_ratio(text) == pytest.approx(ratio)


@pytest.mark.parametrize(
    "text", ["", "%", "two", "2 percent", "0", "0%", "-1%", "nan", "inf", "inf%", 0, -0.1]
)
def test_what_is_no_positive_ratio_is_refused(text: str | float) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - float() words it as it likes
        units.parse_ratio(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.06667, "0.0667"),
        (1.0, "1.00"),
        (32.04, "32.0"),
        (12.34, "12.3"),
        (99.96, "100"),
        (1370.4, "1,370"),
        (1_234_567.0, "1,230,000"),
    ],
)
def test_numbers_have_three_digits_and_no_exponent(value: float, text: str) -> None:
    assert units.format_number(value) == text


def test_kilowatt_hours_joules_and_minutes() -> None:
    assert units.kwh(1.0) == 0.001
    assert units.joules(0.001) == 3600.0
    assert units.minutes(200.0, 200.0) == 60.0
    assert units.per_million(0.5) == 500_000


@pytest.mark.parametrize(
    ("mass_g", "text"),
    [
        (0.58247, "0.582 g"),
        (0.0999, "99.9 mg"),
        (0.09996, "0.100 g"),
        (0.00000123, "1.23 µg"),
        (999.96, "1.00 kg"),
        (582_470.4, "582 kg"),
        (5_824_704.0, "5.82 t"),
        (0.0, "0 g"),
    ],
)
def test_a_mass_has_three_digits_and_the_unit_that_fits(mass_g: float, text: str) -> None:
    assert units.format_grams(mass_g) == text


def test_money_has_three_digits_and_its_currency() -> None:
    assert units.format_money(0.0372, "JPY") == "0.0372 JPY"
    assert units.format_money(37_200.0, "JPY") == "37,200 JPY"


def test_a_number_of_a_source_stays_as_it_is() -> None:
    assert [units.format_as_given(value) for value in (485.392, 31.0, 1e-7)] == ["485.392", "31", "1e-07"]


@pytest.mark.parametrize("unit", ["g", "kWh", "g/kwh", "CO2/kWh", "mg/kWh"])
def test_what_is_no_unit_of_intensity_is_refused(unit: str) -> None:
    with pytest.raises(ValueError, match=re.escape(unit)):
        units.grams_per_kwh(1.0, unit)


@pytest.mark.parametrize("unit", ["USD/Mtok", "USD / 1M tokens", "USD/million tokens", "USD/Mtokens"])
def test_a_million_tokens_are_written_in_many_ways(unit: str) -> None:
    price, *of_what = units.price_per(0.2, unit)
    assert price == pytest.approx(2e-7)
    assert of_what == ["USD", "token"]


@pytest.mark.parametrize("unit", ["JPY", "yen/kWh", "JPY/h", "¥/kWh", "JPY/kWh/Mtok"])
def test_what_is_no_unit_of_a_price_is_refused(unit: str) -> None:
    with pytest.raises(ValueError, match=re.escape(unit)):
        units.price_per(1.0, unit)


@pytest.mark.parametrize(
    ("tokens", "text"), [(8192.0, "8k"), (1000.0, "1000"), (1024.0, "1k"), (513.6, "514")]
)
def test_lengths_are_written_as_benchmarks_do(tokens: float, text: str) -> None:
    assert units.format_length(tokens) == text
