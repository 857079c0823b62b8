import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt
from report_run import HOSTILE, a_hostile_run, a_report_run, against, measured
from samples import a_run

from pytest_whq.model import BudgetVerdict, Comparison, Reason
from pytest_whq.model.verdicts import ComparisonOutcome
from pytest_whq.rendering import markdown
from pytest_whq.rendering.markdown_text import escaped, unbroken
from pytest_whq.rendering.names import fitted, short_names, shortened
from pytest_whq.rendering.words import one_line

LIMIT = 65_536

GFM = MarkdownIt("gfm-like", {"html": True, "linkify": True})


class _Text(HTMLParser):
    """What a reader of a page sees, and the elements that it is made of."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.tags: set[str] = set()
        self.cells: list[str] = []
        self._in_cell = False
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "td":
            self.cells.append("")
            self._in_cell = True

    def handle_endtag(self, tag: str) -> None:
        self._in_cell = self._in_cell and tag != "td"

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._in_cell:
            self.cells[-1] += data


@pytest.mark.parametrize("text", HOSTILE)
def test_text_from_outside_is_shown_as_it_is(text: str) -> None:
    shown = one_line(text)
    page = _Text(GFM.render(f"| a |\n|---|\n| {escaped(shown)} |\n"))
    assert page.cells == [shown]
    assert page.tags <= {"table", "thead", "tbody", "tr", "th", "td", "code"}
    page = _Text(GFM.render(f"- {escaped(shown)}: and {escaped(shown)}\n"))
    assert page.text.strip() == f"{shown}: and {shown}".strip()
    assert page.tags <= {"ul", "li", "code"}


@pytest.mark.parametrize(
    "text",
    [
        "NVIDIA H200, 700 W limit · nvml counter · gross, GPU board",
        "wh_per_query is 48.3 mWh, 20.7 % over its budget of 40.0 mWh (whq.toml, budgets[0]): 100 queries",
        "measured 2026-11-23 08:00 UTC at c0ffee on main, pytest-whq 0.1.0",
    ],
)
def test_plain_sentences_stay_as_they_are(text: str) -> None:
    assert escaped(text) == text
    assert _Text(GFM.render(text)).tags == {"p"}


def test_hostile_names_stand_in_their_cells_and_make_no_elements() -> None:
    run = a_hostile_run()
    page = _Text(GFM.render(markdown.render(run, "file")))
    assert page.tags <= {
        *("h3", "p", "table", "thead", "tbody", "tr", "th", "td", "strong", "code", "ul", "li"),
        *("details", "summary"),
    }
    names = fitted(short_names([record.test for record in run.records]), 48)
    assert {shortened(name, 90).strip() for name in names} <= {cell.strip() for cell in page.cells}


def test_the_first_line_is_what_a_workflow_looks_for() -> None:
    assert markdown.render(a_report_run()).startswith("<!-- pytest-whq report -->\n")


@pytest.mark.once
def test_ten_thousand_tests_fit_and_those_that_fail_come_first() -> None:
    fine = measured("", 1.0, comparison=against(1.0, 0.0, "unchanged"))
    bad = measured("", 1.0, comparison=against(0.5, 1.0, "regressed"))
    records = [replace(fine, test=f"test_{number}.py::test") for number in range(9_990)]
    records += [replace(bad, test=f"test_bad_{number}.py::test") for number in range(10)]
    text = markdown.render(a_run(*records))
    table = text[text.index("| Verdict |") :].split("\n\n")[0]
    rows = table.splitlines()[2:]
    assert len(text.encode()) < LIMIT
    assert ["bad" in row for row in rows[:11]] == [True] * 10 + [False]
    left = re.search(r"^and ([\d,]+) more, none of which fails$", text, re.MULTILINE)
    assert left is not None
    assert int(left[1].replace(",", "")) == 10_000 - len(rows)
    assert text.rstrip().endswith("</details>")


def test_failures_that_do_not_fit_are_counted() -> None:
    bad = measured("", 1.0, comparison=against(0.5, 1.0, "regressed"))
    records = [replace(bad, test=f"test_{number}.py::test[{'`' * 100}]") for number in range(1_000)]
    text = markdown.render(a_run(*records))
    assert len(text.encode()) < LIMIT
    assert re.search(r"^and \d+ more, \d+ of them failing$", text, re.MULTILINE)


def test_the_longest_names_and_sentences_fit() -> None:
    assert len(markdown.render(a_hostile_run()).encode()) < LIMIT


def test_a_run_without_records_says_so() -> None:
    assert "No test was measured." in markdown.render(a_run())


def test_a_reason_of_several_tests_is_told_once() -> None:
    hot, slow = Reason("throttled", "it was hot."), Reason("imprecise", "it was noisy.")
    records = [
        measured("a.py::test_1", 1.0, reasons=(hot,)),
        measured("a.py::test_2", 1.0, reasons=(hot, slow)),
    ]
    text = markdown.render(a_run(*records))
    assert "- `a.py::test_1`, `a.py::test_2`: it was hot\n- `a.py::test_2`: it was noisy\n" in text


def test_a_verdict_that_lacks_its_figure_does_not_repeat_why() -> None:
    why = "the counter stood still"
    unmeasured = BudgetVerdict("wh_per_query", 0.001, None, "unmeasured", "marker", why)
    compared = Comparison("wh_per_query", None, None, None, "inconclusive", why=f"not measured: {why}")
    reasons = (Reason("counter_stuck", f"{why}."),)
    record = replace(
        measured("a.py::test_1", 1.0, reasons=reasons), budgets=(unmeasured,), comparison=compared
    )
    assert f"- `a.py::test_1`: {why}\n" in markdown.render(a_run(record))
    other = replace(record, comparison=replace(compared, why="too noisy"))
    assert f"- `a.py::test_1`: too noisy; {why}\n" in markdown.render(a_run(other))


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        ("regressed", "### ❌ Energy: 1 regressed\n\n1 measured\n"),
        ("inconclusive", "### ⚠️ Energy: 1 inconclusive\n\n1 measured\n"),
        ("improved", "### ✅ Energy: 1 improved, 1 measured\n\n| Verdict"),
        ("unchanged", "### ✅ Energy: 1 measured\n\n| Verdict"),
        ("new", "### Energy: 1 measured\n\n| Verdict"),
    ],
)
def test_the_verdict_is_the_first_thing_to_read(outcome: ComparisonOutcome, said: str) -> None:
    run = a_run(measured("a.py::test", 1.0, comparison=against(1.0, 0.0, outcome)))
    assert said in markdown.render(run)


def test_no_line_ends_between_a_number_and_its_unit() -> None:
    text = "9.70 mWh ± 1.0 %, 97.0 % of 10.0 J/token, 0 Wh, 5 tests"
    spaced = "9.70_mWh ±_1.0_%, 97.0_% of 10.0_J/token, 0_Wh, 5 tests"
    assert unbroken(text) == spaced.replace("_", "&nbsp;")


def test_a_run_with_a_name_has_a_marker_and_a_heading_of_its_own() -> None:
    run = replace(a_run(measured("a.py::test", 1.0)), name="h100 -->")
    assert markdown.render(run).splitlines()[:2] == [
        "<!-- pytest-whq report: h100 -- -->",
        "### Energy of `h100 -->`: 1 measured",
    ]
