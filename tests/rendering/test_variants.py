"""Variants side by side in Markdown and on the page."""

import re
from dataclasses import replace
from html.parser import HTMLParser

from report_run import measured
from samples import NOTHING, a_run

from pytest_whq.model import Run
from pytest_whq.rendering import markdown
from pytest_whq.rendering.markdown_text import unbroken
from pytest_whq.rendering.rows import rows_of
from pytest_whq.rendering.variants import Variants, variants_of
from pytest_whq.rendering.webpage.page import render as webpage


def a_swept_run() -> Run:
    """Three models of one test, two of another, one that has no variant and one that measured nothing."""
    swept = (
        ("chat", "8b", 2.0),
        ("chat", "70b", 9.0),
        ("chat", "1b", 1.0),
        ("rag", "8b", 5.0),
        ("rag", "1b", 4.0),
    )
    return a_run(
        *(
            replace(measured(f"test_it.py::test_{test}[{model}]", mwh), params={"model": model})
            for test, model, mwh in swept
        ),
        measured("test_it.py::test_alone", 3.0),
        replace(NOTHING, test="tests/test_it.py::test_chat[dark]", params={"model": "dark"}),
    )


def beside(by: str, run: Run | None = None) -> Variants:
    found = variants_of(rows_of(run or a_swept_run()), by)
    assert found is not None
    return found


def told(by: str) -> dict[str, list[tuple[str, str]]]:
    """Group -> its members with how many times the best they take."""
    return {
        group.name: [(member.name, member.against_best) for member in group.members]
        for group in beside(by).groups
    }


def test_each_group_has_its_own_best_and_comes_in_its_order() -> None:
    assert told("test") == {
        "test_it.py::test_chat": [
            ("1b", "best"),
            ("8b", "2.00 x"),
            ("70b", "9.00 x"),
            ("dark", ""),
        ],
        "test_it.py::test_rag": [("1b", "best"), ("8b", "1.25 x")],
    }


def test_a_parameter_puts_the_tests_of_its_value_together() -> None:
    assert told("param:model") == {
        "model=8b": [("test_it.py::test_chat[8b]", "best"), ("test_it.py::test_rag[8b]", "2.50 x")],
        "model=1b": [("test_it.py::test_chat[1b]", "best"), ("test_it.py::test_rag[1b]", "4.00 x")],
    }


def test_those_of_a_file_are_named_by_their_functions_and_those_of_all_in_full() -> None:
    assert [name for name, _ in told("file")["tests/test_it.py"]][:2] == ["test_chat[1b]", "test_chat[8b]"]
    assert told("all")[""][0] == ("test_it.py::test_chat[1b]", "best")


def test_bars_are_as_long_as_the_worst_of_the_group_has_it() -> None:
    shares = [member.share for member in beside("test").groups[0].members]
    assert [share if share is None else round(share, 3) for share in shares] == [0.111, 0.222, 1.0, None]


def test_nothing_is_set_side_by_side_unasked() -> None:
    assert variants_of(rows_of(a_swept_run()), None) is None
    assert (
        "ide by side" not in markdown.render(a_swept_run()) + webpage(a_swept_run()).partition("</style>")[2]
    )


def test_groups_that_there_are_not_are_missed_aloud() -> None:
    alone = a_run(measured("test_it.py::test_alone", 3.0), measured("test_it.py::test_other", 3.0))
    for page in (markdown.render(alone, "test"), webpage(alone, "test")):
        assert "No two measured tests are of one group." in page
        assert "In its group" not in page
    assert beside("param:modle").why_not == (
        "None of these tests has the parameter 'modle' (did you mean model?): they have model."
    )


def test_markdown_has_a_table_for_each_group() -> None:
    lines = markdown.render(a_swept_run(), "test").splitlines()
    start = lines.index("Side by side, by test, each as so many times the best of its group:")
    header, _, best, second, _, dark = lines[start + 2 : start + 8]
    assert (
        header == "| `test_it.py::test_chat` | Energy per query | In its group | Per output token | Power |"
    )
    assert best.startswith(f"| `1b` | {unbroken('1.00 mWh ± 1.0 %')} | best |")
    assert "| 2.00&nbsp;x |" in second
    assert dark == "| `dark` | not measured |  |  |  |"
    assert lines[start + 9].startswith("| `test_it.py::test_rag` |")


def test_thousands_of_variants_fit_into_a_comment_and_each_group_has_its_share() -> None:
    like = measured("", 1.0)
    records = [
        replace(like, test=f"tests/test_it.py::test_{n % 7}[{'parameter-' * 8}{n}]") for n in range(7_000)
    ]
    text = markdown.render(a_run(*records), "test")
    assert len(text.encode()) < 65_536
    assert len(re.findall(r"^\| `test_it\.py::test_\d` \|", text, re.MULTILINE)) == 7
    one_each = [replace(like, test=f"tests/test_{n}.py::test[{m}]") for n in range(500) for m in (1, 2)]
    text = markdown.render(a_run(*one_each), "test")
    assert len(text.encode()) < 65_536
    assert re.search(r"^and \d+ more groups$", text, re.MULTILINE)


class _Rows(HTMLParser):
    """The texts of the cells of each row of the tables in the part with the groups, and its links."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.links: list[str] = []
        self._in_cell = False
        self.feed(page.partition('<section class="variants">')[2].partition("</section>")[0])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self._in_cell = True
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self.rows[-1][-1] += data.strip("\n")

    def handle_endtag(self, tag: str) -> None:
        self._in_cell = self._in_cell and tag not in ("td", "th")


def test_the_page_has_a_table_for_each_group_that_leads_to_each_test() -> None:
    page = webpage(a_swept_run(), "test")
    found = _Rows(page)
    assert found.rows[1][:3] == ["1b", "1.00 mWh ± 1.0 %", "best"]
    assert found.rows[2][2] == "2.00 x"
    assert found.rows[4] == ["dark", "not measured", "", "", ""]
    best = found.links[0].removeprefix("#")
    assert re.search(rf'<section id="{best}"><h2>.*?chat<wbr>\[1b\]</h2>', page)


def test_a_page_with_very_many_groups_counts_the_rest() -> None:
    like = measured("", 1.0)
    records = [replace(like, test=f"tests/test_{n}.py::test[{m}]") for n in range(300) for m in (1, 2)]
    assert "and 100 more groups" in webpage(a_run(*records), "test")
