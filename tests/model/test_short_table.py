"""A measurement as a script prints it and a notebook shows it."""

from dataclasses import replace

from samples import MEASUREMENT, NOTHING

from pytest_whq.model import Reason


def test_a_measurement_prints_as_a_short_table() -> None:
    assert str(MEASUREMENT).splitlines() == [
        "Wh/query           12.3 mWh ± 1.9 %",
        "per output token   345 mJ",
        "energy             884 J in 6.2 s",
        "queries            20",
        "method             counter",
    ]


def test_what_was_not_measured_says_why() -> None:
    assert str(NOTHING.measurement).splitlines() == [
        "Wh/query   not measured: nvml: driver not loaded",
        "queries    0",
        "method     unknown",
        "reasons    no_source",
    ]


def test_a_notebook_gets_it_escaped() -> None:
    hostile = replace(NOTHING.measurement, reasons=(Reason("no_source", "<script>\x1b[2J"),))
    shown = hostile._repr_html_()
    assert "not measured: &lt;script&gt;\\x1b[2J" in shown
    assert shown.startswith("<table><tr><th")
    assert "\x1b" not in str(hostile)
