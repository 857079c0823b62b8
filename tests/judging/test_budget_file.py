import re
from contextlib import AbstractContextManager

import pytest

from pytest_whq.errors import SettingError
from pytest_whq.judging.budget_file import (
    BudgetEntry,
    budget_from_cap,
    budgets_from_marker,
    parse_budgets,
)
from pytest_whq.judging.budgets import Budget
from pytest_whq.model import METRICS

PYPROJECT = """
[project]
name = "app"

[[tool.whq.budgets]]
tests = "tests/test_chat.py::*"
hardware = "NVIDIA H100*"
wh_per_query = 0.05
wh_total = 2
max_regression = "5%"

[[tool.whq.budgets]]
j_per_token = 0.5
estimate = true
"""

NAMES = ", ".join(METRICS)
MARKER_KEYS = f"{NAMES}, max_regression, max_failed, hardware, estimate"


def says(message: str) -> AbstractContextManager[object]:
    return pytest.raises(SettingError, match=f"^{re.escape(message)}$")


def entry(line: str) -> str:
    """A whq.toml whose second entry holds ``line`` alone."""
    return f"[[budgets]]\nwh_per_query = 1\n[[budgets]]\n{line}\n"


def test_pyproject_holds_budgets_under_tool_whq() -> None:
    first, second = parse_budgets(PYPROJECT, "app/pyproject.toml")
    assert first == BudgetEntry(
        limits={"wh_per_query": 0.05, "wh_total": 2.0},
        origin="app/pyproject.toml, budgets[0]",
        tests="tests/test_chat.py::*",
        hardware="NVIDIA H100*",
        estimate=False,
        max_regression=0.05,
    )
    assert second == BudgetEntry(
        limits={"j_per_token": 0.5}, origin="app/pyproject.toml, budgets[1]", estimate=True
    )


def test_an_entry_gives_one_budget_for_each_metric() -> None:
    first, _ = parse_budgets(PYPROJECT, "pyproject.toml")
    where = ("pyproject.toml, budgets[0]", "tests/test_chat.py::*", "NVIDIA H100*", False)
    assert first.budgets == (
        Budget("wh_per_query", 0.05, *where),
        Budget("wh_total", 2.0, *where),
    )


@pytest.mark.parametrize("name", ["whq.toml", "ci/budgets.toml"])
def test_a_file_of_another_name_holds_them_without_the_prefix(name: str) -> None:
    text = PYPROJECT.replace("tool.whq.", "").replace('[project]\nname = "app"', "")
    assert [len(entry.limits) for entry in parse_budgets(text, name)] == [2, 1]


@pytest.mark.parametrize(("text", "name"), [("", "whq.toml"), ("[tool.other]\na = 1", "pyproject.toml")])
def test_a_file_without_budgets_has_none(text: str, name: str) -> None:
    assert parse_budgets(text, name) == ()


def test_an_entry_may_hold_a_regression_limit_alone() -> None:
    (found,) = parse_budgets("[[budgets]]\nmax_regression = 0.1", "whq.toml")
    assert (found.limits, found.budgets, found.max_regression) == ({}, (), 0.1)


def test_a_misspelt_metric_is_refused_with_the_one_that_was_meant() -> None:
    message = (
        "whq.toml, budgets[1]: there is no 'wh_per_qery' (did you mean wh_per_query?), "
        f"only tests, {MARKER_KEYS}."
    )
    with says(message):
        parse_budgets(entry("wh_per_qery = 0.05"), "whq.toml")


def test_a_key_like_no_other_is_refused_without_a_guess() -> None:
    message = f"whq.toml, budgets[1]: there is no 'Q', only tests, {MARKER_KEYS}."
    with says(message):
        parse_budgets(entry("Q = 0.05"), "whq.toml")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("0", "0"),
        ("0.0", "0.0"),
        ("-1", "-1"),
        ("nan", "nan"),
        ("inf", "inf"),
        ("true", "True"),
        ('"0.05"', "'0.05'"),
        ("[1]", "[1]"),
        ("1" + 400 * "0", "1" + 39 * "0" + "..."),
    ],
)
def test_a_limit_is_a_number_above_zero(value: str, shown: str) -> None:
    with says(f"whq.toml, budgets[1]: wh_per_query must be a number of Wh above 0, not {shown}."):
        parse_budgets(entry(f"wh_per_query = {value}"), "whq.toml")


PATTERN = 'a pattern in quotes, such as "*"'
SHARE = 'a share above 0, such as "5%" or 0.05'


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('tests = ""', f"tests must be {PATTERN}, not ''."),
        ("tests = 1", f"tests must be {PATTERN}, not 1."),
        ('hardware = " "', f"hardware must be {PATTERN}, not ' '."),
        ('estimate = "yes"', "estimate must be true or false, not 'yes'."),
        ("estimate = 1", "estimate must be true or false, not 1."),
        ('max_regression = "much"', f"max_regression must be {SHARE}, not 'much'."),
        ("max_regression = 0", f"max_regression must be {SHARE}, not 0."),
        ("max_regression = true", f"max_regression must be {SHARE}, not True."),
        ("max_regression = nan", f"max_regression must be {SHARE}, not nan."),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(line: str, message: str) -> None:
    with says(f"whq.toml, budgets[1]: {message}"):
        parse_budgets(entry(f"wh_per_query = 1\n{line}"), "whq.toml")


def test_an_entry_without_a_limit_is_refused() -> None:
    with says(f"whq.toml, budgets[1] sets no limit: give it one of {NAMES}, max_regression."):
        parse_budgets(entry('tests = "*"'), "whq.toml")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[pytest]\nwhq_source = nvml\n", "is no file of budgets, which is in TOML:"),
        ("[pytest]\nwhq_rounds = 3\n", "is no file of budgets: it has no [[budgets]];"),
    ],
)
def test_another_file_of_settings_is_no_file_of_budgets(text: str, why: str) -> None:
    with says(f"pytest.ini {why} give pyproject.toml, or a file such as whq.toml."):
        parse_budgets(text, "pytest.ini")


def test_broken_toml_is_refused_with_the_line() -> None:
    message = (
        "whq.toml is not valid TOML: Expected '=' after a key in a key/value pair (at line 2, column 13)."
    )
    with says(message):
        parse_budgets("[[budgets]]\nwh_per_query\n", "whq.toml")


@pytest.mark.parametrize("text", ["budgets = 1", "[budgets]\nwh_per_query = 1", "budgets = [1]"])
def test_budgets_that_are_no_array_of_tables_are_refused(text: str) -> None:
    with says("whq.toml: budgets must be an array of tables, each under [[budgets]]."):
        parse_budgets(text, "whq.toml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[tool.whq.budgets]\nwh_per_query = 1",
            "pyproject.toml: budgets must be an array of tables, each under [[tool.whq.budgets]].",
        ),
        (
            "[[tool.whq.budget]]\nwh_per_query = 1",
            "pyproject.toml, tool.whq: there is no 'budget' (did you mean budgets?), only budgets.",
        ),
        (
            "[tool.whq]\nrounds = 5",
            "pyproject.toml, tool.whq: there is no 'rounds', only budgets.",
        ),
        ("[tool]\nwhq = 1", "pyproject.toml, tool.whq must be a table, not 1."),
        ("tool = 1", "pyproject.toml, tool.whq must be a table, not 1."),
    ],
)
def test_a_tool_whq_table_of_another_shape_is_refused(text: str, message: str) -> None:
    with says(message):
        parse_budgets(text, "pyproject.toml")


def test_the_prefix_of_pyproject_is_refused_elsewhere() -> None:
    with says("whq.toml: there is no 'tool', only budgets."):
        parse_budgets(PYPROJECT.replace("[project]", "").replace('name = "app"', ""), "whq.toml")


def test_a_marker_makes_an_entry_for_its_test() -> None:
    keywords = {"wh_per_query": 0.05, "hardware": "NVIDIA H100*", "estimate": True, "max_regression": "5%"}
    assert budgets_from_marker((), keywords, "test_a.py::test_x") == BudgetEntry(
        limits={"wh_per_query": 0.05},
        origin="marker",
        hardware="NVIDIA H100*",
        estimate=True,
        max_regression=0.05,
    )


def test_a_marker_takes_no_positional_arguments() -> None:
    message = (
        "test_a.py::test_x: the whq_budget marker takes keywords only, such as wh_per_query=0.05, not 0.05."
    )
    with says(message):
        budgets_from_marker((0.05,), {}, "test_a.py::test_x")


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({}, f" sets no limit: give it one of {NAMES}, max_regression."),
        ({"wh_per_query": "50 mWh"}, ": wh_per_query must be a number of Wh above 0, not '50 mWh'."),
        ({"average_power_w": None}, ": average_power_w must be a number of W above 0, not None."),
        (
            {"j_per_token": 1, "tests": "*"},
            f": there is no 'tests', only {MARKER_KEYS}.",
        ),
        (
            {"j_per_tokens": 1},
            f": there is no 'j_per_tokens' (did you mean j_per_token?), only {MARKER_KEYS}.",
        ),
    ],
)
def test_a_marker_is_held_to_the_rules_of_the_file(keywords: dict[str, object], message: str) -> None:
    with says(f"test_a.py::test_x: the whq_budget marker{message}"):
        budgets_from_marker((), keywords, "test_a.py::test_x")


@pytest.mark.parametrize("text", ["wh_per_query=0.05", " wh_per_query = 5e-2 "])
def test_a_cap_is_a_budget_for_every_test_and_all_hardware(text: str) -> None:
    assert budget_from_cap(text) == Budget("wh_per_query", 0.05, "--whq-max")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("wh_per_query", " must be METRIC=VALUE, such as wh_per_query=0.05."),
        ("0.05", " must be METRIC=VALUE, such as wh_per_query=0.05."),
        ("=0.05", f": there is no '', only {NAMES}."),
        ("wh_per_qury=1", f": there is no 'wh_per_qury' (did you mean wh_per_query?), only {NAMES}."),
        ("max_regression=1", f": there is no 'max_regression', only {NAMES}."),
        ("j_per_token=", ": j_per_token must be a number of J above 0, not ''."),
        ("j_per_token=5 J", ": j_per_token must be a number of J above 0, not '5 J'."),
        ("j_per_token=-1", ": j_per_token must be a number of J above 0, not -1.0."),
        ("j_per_token=nan", ": j_per_token must be a number of J above 0, not nan."),
        ("j_per_token=1e999", ": j_per_token must be a number of J above 0, not inf."),
    ],
)
def test_a_cap_that_means_no_budget_is_refused(text: str, message: str) -> None:
    with says(f"--whq-max {text}{message}"):
        budget_from_cap(text)
