"""Figures below one another have one unit, in every table."""

import re

from report_run import loaded, measured
from samples import NOTHING, a_run

from pytest_whq.rendering import RENDERERS, terminal
from pytest_whq.rendering.metric_columns import metric_column

# 30 mWh and 0.9 mWh a query: 844 mJ and 25 mJ for an output token, 1.73 kW and 52 W.
UNEVEN = [measured(f"test_it.py::test[{name}]", mwh) for name, mwh in (("a", 30.0), ("b", 0.9), ("c", 40.0))]


def test_the_unit_is_that_of_the_figure_in_the_middle_and_unknown_is_empty() -> None:
    column = metric_column("Power", "average_power_w", UNEVEN, lambda record: record.measurement)
    assert [column.cell(record) for record in UNEVEN] == ["1.73 kW", "0.0519 kW", "2.31 kW"]
    unknown = metric_column("Power", "average_power_w", [NOTHING], lambda record: record.measurement)
    assert unknown.cell(NOTHING) == ""
    assert metric_column("Power", "average_power_w", UNEVEN, lambda record: None).cell(UNEVEN[0]) == ""


def test_groups_and_details_of_markdown_have_one_unit_in_a_column() -> None:
    text = RENDERERS["markdown"](a_run(*UNEVEN), "test").replace("&nbsp;", " ")
    powers = re.findall(r"\| ([\d.]+ k?W) (?=\|)", text)
    assert sorted(powers) == sorted(2 * ["1.73 kW", "0.0519 kW", "2.31 kW"])


def test_the_groups_and_sweeps_of_the_page_have_one_unit_in_a_column() -> None:
    loads = [loaded(concurrency) for concurrency in (1, 8, 512)]
    page = RENDERERS["html"](a_run(*UNEVEN, *loads), "test")
    cells = re.findall(r'data-label="(Power|Per query)">([^<]+)<', page)
    units = {title: {said.split()[1] for label, said in cells if label == title} for title, _ in cells}
    assert units == {"Power": {"kW"}, "Per query": {"mWh"}}


def test_the_terminal_has_one_unit_in_a_column() -> None:
    header, *lines = terminal.render(a_run(*UNEVEN), verbosity=1, width=300).splitlines()
    assert "power" in header
    powers = [re.findall(r"[\d.]+ k?W\b", line) for line in lines[:3]]
    assert powers == [["1.73 kW"], ["0.0519 kW"], ["2.31 kW"]]
