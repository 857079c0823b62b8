"""What reports say of loads, streams and phases."""

from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from report_run import a_report_run, loaded
from samples import a_record, a_run

from pytest_whq.model import Reason, Record
from pytest_whq.model.serving import Load, Phase, Phases
from pytest_whq.rendering import RENDERERS
from pytest_whq.rendering.served_words import load_phrase, phases_phrase, times_phrase
from pytest_whq.rendering.terminal import render
from pytest_whq.rendering.webpage.page import render as webpage
from pytest_whq.rendering.webpage.sweeps import sweeps_of

PHASES = Phases("first_token", Phase(12.0, 0.3, 1.5, 4096), Phase(90.0, 0.9, 8.0, 200))


def test_phases_are_told_per_token_with_their_95_percent() -> None:
    measurement = a_record(phases=PHASES).measurement
    assert (
        phases_phrase(measurement)
        == "prefill 2.93 mJ/input token ± 5.0 %, decode 450 mJ/output token ± 2.0 %"
    )


def test_phases_of_unknown_tokens_are_told_in_joules() -> None:
    untold = replace(PHASES, prefill=replace(PHASES.prefill, tokens=None))
    assert phases_phrase(a_record(phases=untold).measurement).startswith("prefill 12.0 J ± 5.0 %, ")
    assert phases_phrase(a_record().measurement) == ""


def test_of_an_estimate_nobody_says_how_sure_it_is() -> None:
    estimated = a_record(phases=PHASES, reasons=(Reason("estimated", "no sensor was read"),)).measurement
    assert phases_phrase(estimated) == "prefill 2.93 mJ/input token, decode 450 mJ/output token"


def test_rates_have_no_exponent() -> None:
    load = Load(64, 1500.0, 2345.6, None, 123456.0, 0.0, None, None)
    assert load_phrase(a_record(load=load).measurement) == (
        "1,500/s, 64 in flight at most, 2,350 queries/s, 123,000 output tokens/s"
    )


def test_the_terminal_tells_all_of_it_where_it_is_asked_for_more() -> None:
    record = loaded(1)
    for phrase in (load_phrase, times_phrase, phases_phrase):
        told = render(a_run(record), verbosity=1)
        assert max(map(len, told.splitlines())) <= 80
        assert phrase(record.measurement) in told.replace(",\n    ", ", ")
        assert phrase(record.measurement) not in render(a_run(record))


def test_notes_stand_in_every_report_that_people_read() -> None:
    note = loaded(8).measurement.notes[0]
    for name in ("markdown", "html"):
        assert note in RENDERERS[name](a_report_run())


def named(record: Record, test: str) -> Record:
    return replace(record, test=test)


@pytest.mark.parametrize(
    ("tests", "name"),
    [
        (("t.py::test[1]", "t.py::test[8]"), "t.py::test[*]"),
        (("t.py::test_1", "t.py::test_8"), "t.py::test_*"),
        (("t.py::test[c1-long]", "t.py::test[c8-long]"), "t.py::test[c*-long]"),
        (("t.py::test[1-llama-8b]", "t.py::test[8-llama-8b]"), "t.py::test[*-llama-8b]"),
    ],
)
def test_loads_that_differ_in_their_concurrency_are_one_sweep(tests: tuple[str, str], name: str) -> None:
    records = [named(loaded(concurrency), test) for concurrency, test in zip((1, 8), tests, strict=True)]
    (sweep,) = sweeps_of(a_run(*reversed(records)))
    assert sweep.name == name
    assert [line.records for line in sweep.lines] == [tuple(records)]


@pytest.mark.parametrize(
    "records",
    [
        [loaded(8)],
        [named(loaded(1), "t.py::test[1-short]"), named(loaded(8), "t.py::test[8-long]")],
        [named(loaded(1), "t.py::test[one]"), named(loaded(8), "t.py::test[eight]")],
        [named(loaded(8), "t.py::test[18]"), named(loaded(1), "t.py::test[81]")],
        [a_record("t.py::test[1]"), a_record("t.py::test[8]")],
    ],
    ids=["one", "other parameters", "no numbers", "other numbers", "no load"],
)
def test_other_tests_are_none(records: list[Record]) -> None:
    assert sweeps_of(a_run(*records)) == []


def test_what_was_not_measured_is_not_in_it() -> None:
    broken = loaded(64)
    why = (Reason("source_error", "it hangs"),)
    broken = replace(broken, measurement=replace(broken.measurement, reasons=why))
    (sweep,) = sweeps_of(a_run(loaded(1), loaded(8), broken))
    assert len(sweep.rows) == 2


def test_loads_of_several_models_are_lines_of_one_chart() -> None:
    tests = {(n, model): f"t.py::test[{n}-{model}]" for model in ("8b", "70b") for n in (1, 8)}
    records = [named(loaded(n), test) for (n, _), test in tests.items()]
    (sweep,) = sweeps_of(a_run(*records, named(loaded(64), "t.py::test[64-70b]")))
    assert sweep.name == "t.py::test[*]"
    assert [(line.name, len(line.records)) for line in sweep.lines] == [("8b", 2), ("70b", 3)]
    chart = sweep.chart
    assert chart.along == ("1", "8", "64")
    assert [key.text for key in chart.legend] == ["8b", "70b", "95 % interval"]
    assert [shape.kind for shape in chart.shapes if "series" in shape.kind] == [
        "series s0 d0",
        "series s1 d0",
    ]
    assert sweep.columns[0].title == "Load"
    assert [row.line for row in sweep.rows] == ["8b", "70b", "8b", "70b", "70b"]


class _Cells(HTMLParser):
    """The cells of the table of a sweep."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._inside = False
        self.feed(page[page.index('<section class="sweep">') : page.index('<section id="t0">')])

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag == "tr":
            self.rows.append([])
        self._inside = tag in ("td", "th")

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.rows[-1].append(data)


def test_the_page_has_it_as_a_chart_and_a_table() -> None:
    page = webpage(a_report_run())
    assert _Cells(page).rows == [
        [
            "In flight",
            "Per query",
            "Queries/s",
            "Output tokens/s",
            "First token",
            "Per output token",
            "Latency",
        ],
        ["1", "6.67 mWh", "1.33", "171", "53.1 ms", "8.25 ms", "1.10 s"],
        ["8", "1.81 mWh", "10.7", "1,370", "75.0 ms", "10.0 ms", "1.34 s"],
        ["64", "1.20 mWh", "85.3", "10,900", "250 ms", "24.0 ms", "3.30 s"],
    ]
    assert page.count('aria-label="Energy per query, by queries in flight"') == 1


def test_a_sweep_of_hostile_names_makes_no_element() -> None:
    records = [named(loaded(n), f"t.py::test[{n}-<img src=x onerror=1>]") for n in (1, 8)]
    page = webpage(a_run(*records)).replace("<wbr>", "")
    assert "<img" not in page
    assert "t.py::test[*-&lt;img src=x onerror=1&gt;]" in page
