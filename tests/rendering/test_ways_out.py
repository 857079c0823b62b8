"""Texts from outside reach terminals, logs and GitHub by one function, and are shown there, never obeyed."""

import ast
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from report_run import a_report_run

import pytest_whq
from pytest_whq.footprint.sheet import sheet_of
from pytest_whq.model import Run
from pytest_whq.model.baseline import Acceptance, Baseline
from pytest_whq.rendering import RENDERERS, acceptance, github, sheets, terminal
from pytest_whq.rendering.words import one_line, printable
from pytest_whq.rendering.workloads import FORMATS, Selection, workload_table

PACKAGE = Path(pytest_whq.__file__).parent

OUT = re.compile(r"print|.*\.write_(line|sep)|pytest\.(fail|skip|exit|UsageError)")
"""Functions that show text to people, of Python and of pytest."""

SAFE = {"one_line", "printable"}
EXEMPT = {
    ("cli/console.py", "print(document.removesuffix('\\n'))"),  # Of a renderer, which has its own escapes.
    ("plugin/collected.py", "reporter.write_line(command)"),  # GitHub's own, which the renderer escapes.
    ("cli/outputs.py", "print(command, file=commands)"),  # The same.
}


def calls_out(path: Path) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and OUT.fullmatch(ast.unparse(node.func)):
            yield str(path.relative_to(PACKAGE)), node


def is_safe(call: ast.Call) -> bool:
    """Whether all that it shows is a constant, or comes from the function that makes text printable."""
    return all(
        isinstance(argument, ast.Constant)
        or (isinstance(argument, ast.Call) and ast.unparse(argument.func) in SAFE)
        for argument in call.args
    )


def test_text_leaves_by_one_function_only() -> None:
    calls = [found for path in PACKAGE.rglob("*.py") for found in calls_out(path)]
    assert len(calls) > 10
    unsafe = {(path, ast.unparse(call)) for path, call in calls if not is_safe(call)}
    assert unsafe == EXEMPT


def test_streams_are_written_to_in_one_place_only() -> None:
    writing = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if re.search(r"sys\.(stdout|stderr)\.(write|buffer)", path.read_text("utf-8"))
    }
    assert writing == {"plugin/progress.py"}  # Its line is by one_line, between escapes of its own.


HOSTILE = (
    "::error::x",
    "  ::set-output name=a::b",
    "##[error]x",
    "a\n::error file=a.py::x",
    "a\r::error::x",
    "\x1b]0;title\x07",
    "\x1b]8;;http://x\x1b\\link",
    "\x1b[2J\x1b[31m",
    "\x9b31m\x90q\x9c",
    "\u202egnp.exe\u2066\u2069\u200e",
    "\u2028::error::x\u2029\x85\x0b\x0c\x1c",
    "\ud800\udcff",
    "\x00\x08\x7f\ufeff\U000e0041",
)


def poisoned(value: Any, poison: str) -> Any:
    """``value`` with ``poison`` before and in every text in it that may come from outside."""
    if isinstance(value, tuple):
        return tuple(poisoned(item, poison) for item in value)
    if not is_dataclass(value) or isinstance(value, type):
        return value
    texts = {
        "test",
        "tool",
        "id",
        "branch",
        "source",
        "scope",
        "driver",
        "host",
        "python",
        "platform",
        "name",
    }
    texts |= {"role", "sentence", "why", "origin", "likely_cause", "tokenizer"}
    changes: dict[str, Any] = {}
    for field in fields(value):
        item = getattr(value, field.name)
        several = field.name in ("notes", "differences")
        if isinstance(item, str) and field.name in texts:
            changes[field.name] = f"{poison}{item}{poison}"
        elif several and item:
            changes[field.name] = tuple(f"{poison}{text}" for text in item)
        elif is_dataclass(item) or isinstance(item, tuple):
            changes[field.name] = poisoned(item, poison)
    return replace(value, **changes)


def assert_nothing_is_obeyed(text: str) -> None:
    for line in text.split("\n"):
        assert line.isprintable(), line
        assert not line.lstrip().startswith("::"), line
        assert "##[" not in line, line


@pytest.fixture(params=HOSTILE, ids=ascii)
def hostile(request: pytest.FixtureRequest) -> Run:
    """A run of all kinds of records, in which every text from outside is hostile."""
    run: Run = poisoned(a_report_run(), request.param)
    return run


@pytest.mark.parametrize("name", RENDERERS)
def test_no_report_steers_what_shows_it(hostile: Run, name: str) -> None:
    text = RENDERERS[name](hostile, "file")
    text.encode("utf-8")
    assert_nothing_is_obeyed(text)


@pytest.mark.parametrize("verbosity", [-1, 0, 1])
def test_no_table_steers_the_terminal(hostile: Run, verbosity: int) -> None:
    assert_nothing_is_obeyed(terminal.render(hostile, verbosity=verbosity, width=100))


@pytest.mark.parametrize("form", FORMATS)
def test_no_table_of_workloads_steers_what_shows_it(hostile: Run, form: str) -> None:
    assert_nothing_is_obeyed(workload_table(hostile, Selection(), form))


def test_no_sheet_steers_what_shows_it(hostile: Run) -> None:
    assert_nothing_is_obeyed(sheets.render("json", sheet_of(hostile)))


def test_nothing_that_is_accepted_steers_the_terminal(hostile: Run) -> None:
    test = hostile.records[0].test
    assert_nothing_is_obeyed(acceptance.render(Acceptance(Baseline({}), (), {test: test}), test))


def test_commands_for_github_are_its_own_alone(hostile: Run) -> None:
    lines = github.render(hostile).splitlines()
    assert lines
    for line in lines:
        assert re.match(r"::error (file=[^:,]*,)?title=[^:]*::", line)
        assert line.isprintable()


@pytest.mark.parametrize("poison", HOSTILE, ids=ascii)
def test_what_is_printable_stays_so(poison: str) -> None:
    assert_nothing_is_obeyed(one_line(poison))
    assert_nothing_is_obeyed(printable(poison))
    assert one_line(one_line(poison)) == one_line(poison)
    assert one_line("tests/test_é.py::test[日本 ::x]") == "tests/test_é.py::test[日本 ::x]"
