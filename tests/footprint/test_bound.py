"""What the price of a token leaves for its energy."""

from dataclasses import replace

import pytest
from samples import MEASUREMENT

from pytest_whq.errors import SettingError
from pytest_whq.footprint.bound import Bound, TokenPrice, read_token_price
from pytest_whq.footprint.place import read_place, read_price
from pytest_whq.footprint.published import ps5_minutes, published
from pytest_whq.model import TokenCount
from pytest_whq.model.imported import Imported, Setup

OUTPUT = read_token_price("0.20 USD/Mtok", "--price")
ELECTRICITY = read_price("0.10 USD/kWh", "--electricity")


def test_a_price_of_tokens_buys_so_many_joules() -> None:
    # 0.20 USD buy 2 kWh, which are 7.2 MJ, for a million tokens.
    bound = Bound(OUTPUT, ELECTRICITY)
    assert (bound.j_per_output_token, bound.j_per_input_token) == pytest.approx((7.2, 7.2))


def test_a_measured_run_lies_below_the_bound_by_its_tokens() -> None:
    # 884 J for 7,680 tokens.
    assert Bound(OUTPUT, ELECTRICITY).share_of(MEASUREMENT, None) == pytest.approx(884 / 7680 / 7.2)


def test_the_bound_holds_for_what_the_seller_buys_so_overhead_counts() -> None:
    place = read_place(None, None, "1.5", str)
    assert Bound(OUTPUT, ELECTRICITY).share_of(MEASUREMENT, place) == pytest.approx(1.5 * 884 / 7680 / 7.2)


def test_input_and_output_tokens_each_have_their_price() -> None:
    bound = Bound(OUTPUT, ELECTRICITY, read_token_price("0.05 USD/Mtok", "--input-price"))
    assert bound.j_per_input_token == pytest.approx(1.8)
    bought_j = 5120 * 1.8 + 2560 * 7.2
    assert bound.share_of(MEASUREMENT, None) == pytest.approx(884 / bought_j)


def test_an_imported_result_has_the_lengths_of_its_set_up() -> None:
    setup = Setup(input_length=512.0, output_length=256.0)
    imported = replace(
        MEASUREMENT, tokens=TokenCount(), imported=Imported("inferencemax", "query", setup), energy_j=None
    )
    bound = Bound(OUTPUT, ELECTRICITY, read_token_price("0.05 USD/Mtok", "--input-price"))
    assert bound.j_per_token_of(imported) == pytest.approx((2 * 1.8 + 7.2) / 3)


def test_without_tokens_a_run_lies_nowhere() -> None:
    unknown = replace(MEASUREMENT, tokens=TokenCount(output_tokens=10))
    bound = Bound(OUTPUT, ELECTRICITY)
    assert bound.share_of(unknown, None) is None
    assert replace(bound, input=OUTPUT).j_per_token_of(unknown) is None


def test_prices_in_two_currencies_are_refused() -> None:
    with pytest.raises(SettingError) as error:
        Bound(OUTPUT, read_price("31 JPY/kWh", "--electricity"))
    assert str(error.value) == (
        "The prices are in USD and JPY: give all of them in one currency, since no rate is assumed."
    )


def test_a_price_of_tokens_is_not_one_of_electricity() -> None:
    assert read_token_price("200 USD/Mtok (list, 2026)", "--price") == TokenPrice(2e-4, "USD", 2026, "list")
    with pytest.raises(SettingError, match=r"--price cannot be '0.2 USD/kWh': .* such as 0.20 USD/Mtok"):
        read_token_price("0.2 USD/kWh", "--price")


def test_a_console_plays_for_so_long() -> None:
    assert ps5_minutes(0.96) == pytest.approx(0.288)


def test_every_published_figure_has_its_scope_year_and_source() -> None:
    found = {(one.what, one.wh_per_query) for one in published() if one.scope and one.year and one.source}
    assert found == {
        ("Gemini Apps, median text prompt", 0.24),
        ("Gemini Apps, median text prompt", 0.10),
        ("ML.ENERGY, text conversation", 0.051),
        ("ML.ENERGY, problem solving", 1.28),
    }
