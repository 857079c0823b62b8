"""Grams and money of what was measured."""

from dataclasses import replace
from typing import Any

import pytest
from samples import MEASUREMENT, NOTHING

from pytest_whq.footprint.footprint import Quantities, footprint_of
from pytest_whq.footprint.place import read_grid, read_overhead, read_price
from pytest_whq.model import REASONS, Measurement, Place, Reason, TokenCount

JAPAN = Place(read_grid("JPN", "--grid"), read_price("31 JPY/kWh", "--price"), read_overhead("1.2", "--pue"))
A_WATT_HOUR = replace(
    MEASUREMENT, energy_j=36_000.0, queries=10, tokens=TokenCount(input_tokens=1000, output_tokens=5000)
)
"""1 Wh per query, 500 output tokens each."""


def grams(measurement: Measurement, place: Place) -> Quantities:
    found = footprint_of(measurement, place).gco2e
    assert found is not None
    return found


def test_a_watt_hour_in_japan_is_so_many_grams_and_yen() -> None:
    found = footprint_of(A_WATT_HOUR, JAPAN)
    assert found.gco2e is not None
    assert found.cost is not None
    assert found.gco2e.per_query == pytest.approx(1.2 / 1000 * 485.392)
    assert found.cost.per_query == pytest.approx(0.0372)
    assert found.gco2e.per_million_queries == pytest.approx(582_470.4)
    assert found.cost.per_million_queries == pytest.approx(37_200)
    # A million output tokens are 2,000 such queries.
    assert found.gco2e.per_million_output_tokens == pytest.approx(2000 * 0.5824704)
    assert found.cost.per_million_output_tokens == pytest.approx(74.4)


def test_without_an_overhead_only_what_was_measured_counts() -> None:
    assert grams(A_WATT_HOUR, replace(JAPAN, overhead=None)).per_query == pytest.approx(0.485392)


def test_modelled_energy_has_its_overhead_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    codes: Any = REASONS
    code: Any = "modelled"
    monkeypatch.setitem(codes, code, frozenset())
    modelled = replace(A_WATT_HOUR, reasons=(Reason(code, "2100 W per GPU by a table"),))
    assert grams(modelled, JAPAN).per_query == pytest.approx(0.485392)


def test_what_the_place_lacks_has_no_figure() -> None:
    assert footprint_of(A_WATT_HOUR, replace(JAPAN, grid=None)).gco2e is None
    assert footprint_of(A_WATT_HOUR, replace(JAPAN, price=None)).cost is None


def test_figures_that_do_not_stand_have_no_footprint() -> None:
    failed = replace(A_WATT_HOUR, reasons=(Reason("failed_queries", "one failed"),))
    for measurement in (failed, NOTHING.measurement):
        assert grams(measurement, JAPAN) == Quantities(None, None)
    without_tokens = replace(
        A_WATT_HOUR, tokens=TokenCount(), reasons=(Reason("tokens_missing", "no reply told them"),)
    )
    found = grams(without_tokens, JAPAN)
    assert found.per_query == pytest.approx(0.5824704)
    assert found.per_million_output_tokens is None
    assert Quantities(None, None).per_million_queries is None
