"""Several runs side by side, in the terminal, in Markdown and on a page."""

import re
from dataclasses import replace
from html.parser import HTMLParser

from report_run import a_hostile_run, a_report_run, measured
from samples import NOTHING, a_run

from pytest_whq.model import Run
from pytest_whq.rendering.side_by_side import FORMATS, html, terminal


def three_runs() -> dict[str, Run]:
    """Runs of three machines, of which one lacks a test and one a figure."""
    dark = replace(NOTHING, test="tests/test_it.py::test_b")
    return {
        "h100.json": a_run(measured("test_it.py::test_a", 2.0), measured("test_it.py::test_b", 3.0)),
        "b200.json": a_run(measured("test_it.py::test_a", 1.0), dark),
        "old/mi300x.json": a_run(measured("test_it.py::test_a", 4.0)),
    }


class _Table(HTMLParser):
    """The texts of the cells of each row, what they sort by, how many bars are drawn, and all tags."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.keys: list[str | None] = []
        self.tags: list[str] = []
        self._in_cell = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self._in_cell = True
            self.keys += [value for name, value in attrs if name == "data-v"]

    def handle_endtag(self, tag: str) -> None:
        self._in_cell = self._in_cell and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self.rows[-1][-1] += data


def test_the_page_has_a_column_for_each_run() -> None:
    table = _Table(html(three_runs()))
    assert [[cell.strip() for cell in row] for row in table.rows] == [
        ["Test", "h100", "b200", "mi300x"],
        [
            *("test_it.py::test_a", "2.00 mWh ± 1.0 % 2.00 x"),
            *("1.00 mWh ± 1.0 % best", "4.00 mWh ± 1.0 % 4.00 x"),
        ],
        ["test_it.py::test_b", "3.00 mWh ± 1.0 %", "not measured", ""],
    ]
    assert [key and round(float(key) * 1000) for key in table.keys] == [2, 1, 4, 3, "", ""]
    assert table.tags.count("svg") == 3, "what is compared with nothing has no bar"


def test_the_page_loads_nothing_and_shows_hostile_text_as_text() -> None:
    page = html({"a.json": a_hostile_run(), "<img src=x>.json": a_hostile_run()})
    table = _Table(page)
    assert table.tags.count("script") == 1
    assert not {*table.tags} & {"img", "iframe", "link", "form"}
    assert not re.search(r"url\(|@import|\{\{|\{%", page)


def test_names_give_way_where_the_terminal_is_narrow() -> None:
    runs = {
        name: a_run(
            *(measured(f"test_serving.py::test_throughput[{n}-{'model-' * 6}]", 9 / n) for n in (1, 8))
        )
        for name in ("a.json", "b.json")
    }
    lines = terminal(runs, 80).splitlines()[:3]
    assert max(map(len, lines)) <= 80
    assert len({line.split("   ")[0] for line in lines}) == 3
    assert "test_serving.py::test_throughput[1-" in terminal(runs, 200)


def test_figures_stand_below_the_test_where_the_terminal_is_narrow() -> None:
    lines = terminal(three_runs(), 60).splitlines()
    assert lines[:6] == [
        "test_it.py::test_a",
        "    h100     2.00 mWh ± 1.0 %   2.00 x",
        "    b200     1.00 mWh ± 1.0 %     best",
        "    mi300x   4.00 mWh ± 1.0 %   4.00 x",
        "test_it.py::test_b",
        "    h100     3.00 mWh ± 1.0 %",
    ]
    long = {f"runner-{key}-with-a-long-name-{'x' * 60}.json": run for key, run in three_runs().items()}
    assert max(map(len, terminal(long, 80).splitlines()[:6])) <= 80


def test_runs_of_nothing_stand_side_by_side_in_every_format() -> None:
    for write in FORMATS.values():
        assert write({"a.json": a_run(), "b.json": a_report_run()})
        assert write({"a.json": a_run(), "b.json": a_run()})
        assert write({f"{'a' * 50}.json": a_run(), f"{'b' * 50}.json": a_run()})
