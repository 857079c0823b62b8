"""A history as a table and as a page, and runs as other tools take them."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from samples import FULL, NOTHING, RIG, a_record, a_run

sys.path.insert(0, str(Path(__file__).parent.parent / "history"))

from kept_runs import CHAT, a_day, kept_runs

from pytest_whq.history.change_points import change_points
from pytest_whq.history.series import series_of
from pytest_whq.model.history import kept_of
from pytest_whq.rendering import EXPORTS
from pytest_whq.rendering.history import page, rows, table

RUNS = kept_runs([0.0100] * 5 + [0.0105] * 5)
FOUND = series_of(RUNS, detector=change_points(0.01))


def test_the_table_tells_where_a_test_changed() -> None:
    assert table.render(RUNS, FOUND, verbosity=1).splitlines() == [
        "test                       runs     latest   since first   last change",
        "test_chat.py::test_short     10   10.5 mWh        +5.0 %   +5.0 % at 06c0ffee on main, 2026-11-06",
        "   +5.0 % at 06c0ffee on main, 2026-11-06: 10.0 mWh to 10.5 mWh",
        "10 runs of 1 test, 2026-11-01 to 2026-11-10",
    ]


def test_a_test_on_two_rigs_says_which_is_which() -> None:
    runs = [kept_of(a_run(a_record(CHAT))), kept_of(a_run(a_record(CHAT, method="power")))]
    assert table.render(runs, series_of(runs)).splitlines()[1:] == [
        "test_chat.py::test_short      1   12.3 mWh",
        "   NVIDIA H200, 700 W limit · GPU-1 · nvml counter",
        "test_chat.py::test_short      1   12.3 mWh",
        "   NVIDIA H200, 700 W limit · GPU-1 · nvml power",
        "2 runs of 1 test, 2026-11-23",
    ]


def test_what_is_an_estimate_says_so_once() -> None:
    rig = replace(RIG, source="estimate")
    (series,) = series_of([kept_of(a_run(a_record(CHAT, method="estimate"), rig=rig))])
    assert rows.rig_phrase(series) == "NVIDIA H200, 700 W limit · GPU-1 · estimate"


def test_a_test_that_no_longer_measures_does_not_look_as_if_it_did() -> None:
    broken = [kept_of(a_run(replace(a_record(CHAT), outcome="failed"))) for _ in range(2)]
    runs = [kept_of(a_run(a_record(CHAT))), *broken]
    assert table.render(runs, series_of(runs)).splitlines()[:2] == [
        "test                       runs   without figure     latest",
        "test_chat.py::test_short      1                2   12.3 mWh",
    ]


def test_the_page_draws_points_levels_budget_and_the_change() -> None:
    runs = [kept_of(a_run(FULL)), *RUNS]
    shown = page.render(runs, series_of(runs, detector=change_points(0.01)), "ruptures is missing")
    for kind in ("dots", "mean", "shift"):
        assert f'<path class="{kind}" d="M' in shown
    assert "<li>+5.0 % at 06c0ffee on main, 2026-11-06: 10.0 mWh to 10.5 mWh</li>" in shown
    assert "ruptures is missing" in shown
    assert "11 runs of 2 tests, 2026-11-01 to 2026-11-23" in shown


def test_many_points_are_a_line() -> None:
    runs = kept_runs([0.01 + n * 1e-5 for n in range(1, 31)]) * 5
    shown = page.render(runs, series_of(runs))
    assert '<path class="watts" d="M' in shown
    assert '<path class="dots"' not in shown


def test_the_page_escapes_what_tests_are_called() -> None:
    runs = [kept_of(a_day(1, {"a.py::test[<script>alert(1)</script>]": 0.1}))]
    shown = page.render(runs, series_of(runs))
    assert "<script>alert" not in shown
    assert "&lt;script&gt;" in shown


def test_github_benchmark_gets_a_list_of_entries_in_units_that_stay() -> None:
    found = json.loads(EXPORTS["github-benchmark"](a_run(a_record(), NOTHING)))
    assert [(one["name"], one["unit"], one.get("range")) for one in found] == [
        ("tests/test_chat.py::test_short wh_per_query", "Wh", "± 1.9 %"),
        ("tests/test_chat.py::test_short j_per_output_token", "J", None),
    ]
    assert found[0]["value"] == pytest.approx(0.0122778, rel=1e-5)
    assert "NVIDIA H200" in found[0]["extra"]


def test_bencher_gets_measures_with_their_bounds() -> None:
    found = json.loads(EXPORTS["bencher"](a_run(a_record(), NOTHING)))
    assert list(found) == ["tests/test_chat.py::test_short"]
    measure = found["tests/test_chat.py::test_short"]["wh-per-query"]
    assert measure == {
        "value": pytest.approx(0.0122778, rel=1e-5),
        "lower_value": 0.01205,
        "upper_value": 0.01251,
    }
    assert "j-per-output-token" in found["tests/test_chat.py::test_short"]
