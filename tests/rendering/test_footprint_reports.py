"""Grams and money in the reports that are files."""

import csv
import re
from dataclasses import replace

import pytest
from placed_run import A_WATT_HOUR, HOSTILE_PLACE, JAPAN, RUN, at

from pytest_whq.rendering import csvtable, markdown, openmetrics
from pytest_whq.rendering.places.words import LOCATION_BASED
from pytest_whq.rendering.webpage import page


def test_markdown_has_a_table_of_it_and_what_it_stands_on() -> None:
    lines = markdown.render(at("JPN", "31 JPY/kWh (contract, 2025)", "1.2")).splitlines()
    start = lines.index("| Footprint | Of a query | Of a million queries | Of a million output tokens |")
    amounts = "0.582 g CO2e, 0.0372 JPY | 582 kg CO2e, 37,200 JPY | 1.16 kg CO2e, 74.4 JPY"
    assert lines[start + 2] == f"| `test_chat.py::test_short` | {amounts} |"
    assert lines[start + 3 : start + 7] == ["", f"Footprint: {JAPAN}", "", LOCATION_BASED]
    assert "Footprint" not in markdown.render(RUN)


@pytest.mark.once
def test_the_footprint_of_ten_thousand_tests_fits() -> None:
    records = [replace(A_WATT_HOUR, test=f"tests/test_{number}.py::test") for number in range(10_000)]
    text = markdown.render(replace(at("JPN", "31 JPY/kWh"), records=tuple(records)))
    assert len(text.encode()) < 65_536
    assert re.search(r"^and 9,\d\d\d more$", text, re.MULTILINE)


def test_csv_has_grams_and_money_beside_what_they_stand_on() -> None:
    run = at("JPN", "31 JPY/kWh (contract, 2025)", "1.2")
    measured, nothing = csv.DictReader(csvtable.render(run).splitlines())
    amounts = ("per_query", "per_million_queries", "per_million_output_tokens")
    figures = [f"{what}_{amount}" for what in ("gco2e_g", "cost") for amount in amounts]
    assert [float(measured[name]) for name in figures] == pytest.approx(
        [0.58247, 582470, 1164.94, 0.0372, 37200, 74.4], rel=1e-5
    )
    assert [nothing[name] for name in figures] == [""] * 6
    assert {
        name: measured[name] for name in measured if name.startswith(("grid", "pue", "price", "curr"))
    } == {
        "grid": "JPN",
        "grid_g_per_kwh": "485.392",
        "grid_year": "2023",
        "grid_source": "Our World in Data, Ember",
        "grid_basis": "location-based",
        "pue": "1.2",
        "pue_year": "",
        "pue_source": "as given",
        "price_per_kwh": "31.0",
        "price_year": "2025",
        "price_source": "contract",
        "currency": "JPY",
    }


def test_openmetrics_has_a_gauge_for_each_amount() -> None:
    lines = openmetrics.render(at("JPN", "31 JPY/kWh", "1.2")).splitlines()
    (gauge,) = [line for line in lines if line.startswith("whq_gco2e_g_per_query{")]
    labels, value = gauge.split(" ")
    assert labels == 'whq_gco2e_g_per_query{test="tests/test_chat.py::test_short",grid="JPN"}'
    assert float(value) == pytest.approx(0.5824704)
    assert (
        "# HELP whq_cost_per_million_output_tokens price of the electricity per million output tokens."
        in lines
    )
    assert any(line.startswith("whq_cost_per_query{") and 'currency="JPY"} 0.0372' in line for line in lines)
    assert lines[-1] == "# EOF"
    assert "gco2e" not in openmetrics.render(at(None, "31 JPY/kWh"))


def test_the_page_has_a_part_for_it_and_what_it_stands_on() -> None:
    text = page.render(at("JPN", "31 JPY/kWh (contract, 2025)", "1.2"))
    part = text.split('<section class="footprint">')[1].split("</section>")[0]
    assert '<td class="number" data-label="Of a query">0.582 g CO2e, 0.0372 JPY</td>' in part
    assert 'data-label="Of a million output tokens">1.16 kg CO2e, 74.4 JPY</td>' in part
    assert part.count("<tr>") == 2
    assert f'<p class="legend">{JAPAN}</p>' in part
    assert f'<p class="legend">{LOCATION_BASED}</p>' in part
    assert '<section class="footprint">' not in page.render(RUN)


def test_a_page_of_many_tests_counts_those_without_a_line() -> None:
    records = [replace(A_WATT_HOUR, test=f"test_{number}.py::test") for number in range(203)]
    text = page.render(replace(at("JPN"), records=tuple(records)))
    assert '<p class="legend">and 3 more</p>' in text


def test_a_hostile_place_makes_no_element_of_the_page() -> None:
    text = page.render(replace(RUN, place=HOSTILE_PLACE))
    part = text.split('<section class="footprint">')[1].split("</section>")[0]
    assert "<b>" not in part
    assert "&lt;b&gt;" in part
