import math

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
