import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from jinja2 import UndefinedError
from patience import PATIENT_S
from report_run import HOSTILE, a_hostile_run, a_report_run, against, budget, measured
from samples import FULL, a_run

from pytest_whq.model import PowerCurve
from pytest_whq.rendering import webpage as page_package
from pytest_whq.rendering.webpage.environment import environment
from pytest_whq.rendering.webpage.page import render as webpage
from pytest_whq.rendering.words import one_line

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

PAGE = Path(page_package.__file__).parent

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


class _Elements(HTMLParser):
    """The elements of a page with their attributes, and the text of each kind of element."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._inside = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag == "wbr":
            return
        self._inside = tag
        self.texts.setdefault(tag, []).append("")

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.texts[self._inside][-1] += data


def test_text_from_outside_makes_no_element_and_no_attribute() -> None:
    page = _Elements(webpage(a_hostile_run(), "test"))
    assert [tag for tag, _ in page.found].count("script") == 1
    assert not {tag for tag, _ in page.found} & {"img", "iframe", "object", "link", "base", "form"}
    for _, attributes in page.found:
        assert not any(name.startswith("on") or name in ("style", "src") for name in attributes)
        assert (attributes.get("href") or "#").startswith("#")
    beside, *titles = [text.strip() for text in page.texts["h2"]]
    assert beside == "Side by side, by test"
    assert [title.removeprefix("tests/") for title in titles[: len(HOSTILE)]] == [
        f"test_it.py::test[{one_line(text)}]" for text in HOSTILE
    ]


def text_fields(value: object, way: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The way to each text in a value made of dataclasses and tuples."""
    if isinstance(value, str):
        yield way
    elif isinstance(value, tuple):
        for number, one in enumerate(value):
            yield from text_fields(one, (*way, number))
    elif is_dataclass(value):
        for field in fields(value):
            yield from text_fields(getattr(value, field.name), (*way, field.name))


def with_text(value: Any, way: tuple[str | int, ...], text: str) -> Any:
    """``value`` with ``text`` at the end of the way."""
    if not way:
        return text
    first, *rest = way
    if isinstance(first, int):
        return (*value[:first], with_text(value[first], tuple(rest), text), *value[first + 1 :])
    return replace(value, **{first: with_text(getattr(value, first), tuple(rest), text)})


CHOSEN = ("metric", "code", "outcome", "method", "separated_by")
"""Fields whose words come from a table, which reading a file holds them to."""


@pytest.mark.once
def test_hostile_text_in_any_field_of_a_run_makes_no_element() -> None:
    whole = a_report_run()
    whole = replace(whole, records=(*whole.records, FULL))
    known = {tag for tag, _ in _Elements(webpage(whole, "file")).found}
    ways = [way for way in text_fields(whole) if way[-1] not in CHOSEN]
    assert {("tool",), ("rig", "host"), ("rig", "devices", 0, "name"), ("records", 0, "test")} <= {*ways}
    for way in ways:
        page = webpage(with_text(whole, way, "\x1b\"'><img src=x onerror=alert()>"), "file")
        assert {tag for tag, _ in _Elements(page).found} <= known, way
        assert "\x1b" not in page, way


def test_a_value_put_on_the_page_without_thought_comes_out_escaped() -> None:
    hostile = "\"'><script>&\x1b\udcff"
    written = environment().from_string('<p title="{{ value }}">{{ value }}</p>').render(value=hostile)
    shown = r"&#34;&#39;&gt;&lt;script&gt;&amp;\x1b\udcff"
    assert written == f'<p title="{shown}">{shown}</p>'


def test_a_name_that_nobody_gave_to_a_template_fails() -> None:
    with pytest.raises(UndefinedError, match="'valeu' is undefined"):
        environment().from_string("<p>{{ valeu }}</p>").render(value=1)


def test_nothing_but_the_pages_own_files_goes_in_as_it_is() -> None:
    around = re.compile(r"Markup\(|\|\s*safe|autoescape|=\s*\{\{|__html__")
    found = [
        (path.name, line.strip())
        for path in sorted(PAGE.rglob("*"))
        if path.suffix in (".py", ".html")
        for line in path.read_text("utf-8").splitlines()
        if around.search(line)
    ]
    assert found == [
        ("environment.py", "autoescape=True,"),
        (
            "environment.py",
            'return Markup("".join((files(_PACKAGE) / name).read_text("utf-8") for name in names))',
        ),
    ]


def test_the_page_is_whole_and_loads_nothing() -> None:
    page = webpage(a_report_run())
    assert not re.search(r"https?:|url\(|@import|\{\{|\{%", page)
    assert page.count("default-src &#39;none&#39;") == 1
    assert page.isascii() or '<meta charset="utf-8">' in page


def test_columns_that_say_nothing_are_left_out() -> None:
    assert "Baseline" not in webpage(a_run(measured("test_it.py::test", 1.0)))
    assert "No test was measured." in webpage(a_run())


def test_a_test_of_one_round_without_a_power_curve_has_no_charts() -> None:
    page = webpage(a_run(measured("test_it.py::test", 1.0, rounds=1, power=None)))
    assert "<figure>" not in page


def in_browser(page: Path, profile: Path, *options: str) -> str:
    """The page's elements as text once it has been opened, and its script has run."""
    assert BROWSER is not None
    command = [BROWSER, *FLAGS, f"--user-data-dir={profile}", *options, "--dump-dom", page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENT_S, check=True).stdout


@pytest.mark.skipif(BROWSER is None, reason="no Chromium here")
def test_a_browser_runs_nothing_of_what_tests_are_called(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(webpage(a_hostile_run()), "utf-8")
    opened = in_browser(page, tmp_path / "profile")
    counted = (
        "measured",
        "not measured",
        "failed without a figure",
        "interrupted",
        "over budget",
        "regressed",
    )
    counts = ", ".join(f"21 {what}" for what in counted)
    assert f"<title>Energy: {counts}</title>" in opened
    # The page's own script did run: a table of so many rows gets its filter from it.
    assert 'placeholder="Filter tests"' in opened


@pytest.mark.skipif(BROWSER is None, reason="no Chromium here")
def test_a_browser_would_run_it_on_a_page_that_does_not_escape(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(f"<title>safe</title><p>{HOSTILE[0]}{HOSTILE[1]}", "utf-8")
    assert "<title>owned</title>" in in_browser(page, tmp_path / "profile")


@pytest.mark.skipif(BROWSER is None, reason="no Chromium here")
def test_the_policy_stops_a_script_even_if_one_got_in(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    whole = webpage(a_report_run())
    page.write_text(whole.replace("<footer>", f"{HOSTILE[0]}{HOSTILE[1]}<footer>"), "utf-8")
    opened = in_browser(page, tmp_path / "profile")
    assert "<script>document.title" in opened
    assert "<title>owned</title>" not in opened


@pytest.mark.skipif(BROWSER is None, reason="no Chromium here")
def test_the_table_sorts_by_a_column_and_back(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    # The policy lets no script run but the page's own, and so not the test's clicks.
    whole = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", webpage(a_report_run()))
    click = "<script>document.querySelectorAll('th button')[1].click();</script>"
    for clicks, first, last in ((1, "test_batch", "test_nothing"), (2, "test_answer", "test_nothing")):
        page.write_text(whole.replace("</body>", f"{click * clicks}</body>"), "utf-8")
        opened = in_browser(page, tmp_path / f"profile-{clicks}")
        names = re.findall(r'<td class="name" title="([^"]*)"', opened)
        assert first in names[0]
        assert last in names[-1]


@pytest.mark.once
@pytest.mark.untraced
def test_ten_thousand_tests_make_a_page_that_a_browser_still_opens() -> None:
    like = measured("", 1.84, comparison=against(1.79, 0.028, "unchanged"), budgets=(budget(5.0, 1.84),))
    records = [replace(like, test=f"tests/test_{n % 100}.py::test_{n}[param-{n}]") for n in range(10_000)]
    assert len(webpage(a_run(*records))) < 20e6


@pytest.mark.parametrize(
    "curve", [PowerCurve(0.0, 0.1, (), ((0.0, 1.0),)), PowerCurve(1e17, 0.1, (5.0,), ((1e17, 1e18),))]
)
def test_a_curve_without_length_has_a_page(curve: PowerCurve) -> None:
    assert "Power over time" in webpage(a_run(measured("test_it.py::test", 1.0, power=curve)))
