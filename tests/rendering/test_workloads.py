"""The table of workloads: selected, sorted, and told in each of its forms."""

import csv
import json
from dataclasses import replace
from html.parser import HTMLParser
from io import StringIO

import pytest
from samples import FULL, a_run

from pytest_whq.errors import SettingError
from pytest_whq.importing.figures.all_in_power import published_table
from pytest_whq.importing.figures.run_making import Importing, run_of
from pytest_whq.importing.result import Result, Throughput
from pytest_whq.model import Record, Run
from pytest_whq.model.imported import Means, Setup
from pytest_whq.rendering.workloads import Selection, workload_table


def a_sweep() -> Run:
    """Three rows of a model, and one of another with a name to be escaped."""
    results = [
        Result(
            name=f"{model}[conc={concurrency}]",
            setup=Setup(
                model=model,
                precision="fp8",
                hardware="B200",
                gpus=8,
                concurrency=concurrency,
                input_length=8192,
                output_length=1024,
            ),
            throughput=Throughput(throughput),
            means=Means(latency_s=10.0, interactivity=interactivity),
            modelled=True,
        )
        for model, concurrency, throughput, interactivity in (
            ("lab/R1", 16, 1000.0, 90.0),
            ("lab/R1", 64, 3000.0, 50.0),
            ("lab/R1", 256, 4000.0, None),
            ("=<b>&|", 4, 500.0, 100.0),
        )
    ]
    return run_of(results, Importing("inferencemax", "a tool", "2026-01-01T00:00:00Z", published_table()))


def table(selection: Selection, form: str = "terminal") -> str:
    return workload_table(a_sweep(), selection, form)


ALL = Selection.of("wh", [], None)


def noticed(record: Record, *notes: str) -> Record:
    measurement = record.measurement
    return replace(record, measurement=replace(measurement, notes=(*measurement.notes, *notes)))


ARTICLE = """
Workload           Tokens/s/user   Latency, s   Details              Wh/query, modelled   PS5 minutes   Doubts
R1 fp8 8k/1k                90.0         10.0   8 x B200, conc 16                  5.56          1.67        1
R1 fp8 8k/1k                50.0         10.0   8 x B200, conc 64                  1.85          0.56        1
R1 fp8 8k/1k                             10.0   8 x B200, conc 256                 1.39          0.42        1
=<b>&| fp8 8k/1k             100         10.0   8 x B200, conc 4                  11.11          3.33        1
4 rows · B200 · inferencemax modelled · gross, all-in: GPU, server, hall
"""


def test_the_article_s_columns_stand_where_none_are_asked_for() -> None:
    heading, *rows, last = ARTICLE.strip().splitlines()
    found = table(Selection()).splitlines()
    assert [*found[:5], found[-1]] == [heading, *rows, last]


def test_notes_stand_below_the_table_where_they_are_few() -> None:
    (one, other) = table(Selection.of("wh", ["conc=16"], None)).splitlines()[2:-1]
    assert one.startswith("failed requests are not told")
    assert other.startswith("the result has no date")
    several = table(Selection.of("wh", ["model=r1"], None)).splitlines()
    assert several[4].startswith("failed requests are not told")
    first, *others = a_sweep().records
    noted = noticed(first, "warm", *(f"note {number}" for number in range(9)))
    shown = workload_table(replace(a_sweep(), records=(noted, *others)), ALL, "terminal").splitlines()
    assert "lab/R1[conc=16]: warm" in shown
    many = replace(a_sweep(), records=(noticed(noted, "one too many"), *others))
    assert workload_table(many, ALL, "terminal").splitlines()[-2] == (
        "13 notes on these figures: --format json, or whq show -v RUN"
    )


@pytest.mark.parametrize(
    ("sort", "concurrencies"),
    [
        ("conc", [4, 16, 64, 256]),
        ("-wh", [4, 16, 64, 256]),
        ("interactivity", [64, 16, 4, 256]),
        ("model", [4, 16, 64, 256]),
    ],
)
def test_rows_are_sorted_and_those_without_a_value_come_last(sort: str, concurrencies: list[int]) -> None:
    rows = json.loads(table(Selection.of("conc", [], sort), "json"))["rows"]
    assert [row["conc"] for row in rows] == concurrencies


@pytest.mark.parametrize(
    ("where", "number"),
    [
        (["model=r1"], 3),
        (["model=LAB/*"], 3),
        (["model=lab"], 0),
        (["conc=16"], 1),
        (["conc=*6"], 2),
        (["model=r1", "conc=64"], 1),
        (["interactivity="], 1),
        (["precision=fp[48]"], 0),
    ],
)
def test_rows_are_those_in_which_every_condition_holds(where: list[str], number: int) -> None:
    rows = json.loads(table(Selection.of(None, where, None), "json"))["rows"]
    assert len(rows) == number


def test_a_column_that_is_not_there_is_refused() -> None:
    with pytest.raises(
        SettingError, match="The table has no column 'colour': it knows workload, interactivity"
    ):
        Selection.of("conc,colour", [], None)


def test_markdown_escapes_what_it_would_act_on() -> None:
    lines = table(Selection.of("model,wh", [], None), "markdown").splitlines()
    assert lines[:3] == ["| Model | Wh/query |", "| :-- | --: |", "| lab/R1 | 5.56 |"]
    assert lines[5] == "| <code>&#61;&#60;b&#62;&#38;&#124;</code> | 11.1 |"


def test_whole_numbers_are_whole() -> None:
    rows = table(Selection.of("gpus,conc,isl,osl", ["conc=256"], None)).splitlines()
    assert rows[1].split() == ["8", "256", "8,192", "1,024"]


def test_csv_has_full_figures_and_no_formulas() -> None:
    rows = list(csv.reader(StringIO(table(Selection.of("model,wh,ps5,measured", [], None), "csv"))))
    assert rows[0] == ["model", "wh", "ps5", "measured"]
    # 2170 W / 1000 tokens/s x 9216 / 3600
    assert float(rows[1][1]) == pytest.approx(5.5552)
    assert float(rows[1][2]) == pytest.approx(1.66656)
    assert rows[1][3] == ""
    assert rows[4][0] == "'=<b>&|"


class _Texts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.titles: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        if self.tags[-1:] == ["title"] and data.strip():
            self.titles.append(data)


def test_the_page_plots_each_row_that_tells_both_and_loads_nothing() -> None:
    page = table(Selection(), "html")
    found = _Texts()
    found.feed(page)
    assert found.tags.count("circle") == 3 + 2
    assert "b" not in found.tags
    assert "script" not in found.tags
    assert "://" not in page
    assert "prefers-color-scheme: dark" in page
    assert "default-src &#39;none&#39;" in page
    assert found.titles[1].split(" · ") == [
        *("lab/R1[conc=16]", "Details: 8 x B200, conc 16", "Tokens/s/user: 90.0", "Latency, s: 10.0"),
        *("Wh/query, modelled: 5.56", "PS5 minutes: 1.67", "Doubts: 1"),
    ]
    # The best of R1 are joined: 50 tokens/s at less energy, 90 at more.
    assert page.count('class="front s0 d0"') == 1 + len(["its key"])


def test_a_page_without_interactivity_says_so() -> None:
    page = table(Selection.of(None, ["conc=256"], None), "html")
    assert "there is nothing to plot" in page


def test_measured_tests_have_their_row_too() -> None:
    run = a_run(FULL)
    rows = json.loads(workload_table(run, Selection.of("workload,measured,latency", [], None), "json"))[
        "rows"
    ]
    assert rows[0]["workload"] == FULL.test
    assert rows[0]["measured"] == pytest.approx(FULL.measurement.wh_per_query)


def test_no_row_is_a_sentence() -> None:
    assert table(Selection.of(None, ["model=nothing"], None)) == "No row to show."
