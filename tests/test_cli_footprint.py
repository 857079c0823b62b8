"""The commands that tell what energy means where it was drawn."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from samples import NOTHING, a_record, a_run

from pytest_whq.cli import main
from pytest_whq.footprint.place import read_place
from pytest_whq.model import TokenCount
from pytest_whq.storing.runfile import read_run, write_run

Whq = Callable[..., tuple[int, str, str]]

A_WATT_HOUR = a_record(energy_j=36_000.0, queries=10, tokens=TokenCount(1000, 5000), interval95={})


@pytest.fixture
def whq(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Whq:
    """Run a command where ``run.json`` has a test of 1 Wh: its exit status, output and complaint."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    write_run(a_run(A_WATT_HOUR), "run.json")

    def run(*arguments: str) -> tuple[int, str, str]:
        status = main(arguments)
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def test_show_tells_grams_and_money_where_the_flags_say(whq: Whq) -> None:
    status, shown, _ = whq("show", "run.json", "--grid", "JPN", "--price", "31 JPY/kWh", "--pue", "1.2")
    assert status == 0
    assert "0.582 g CO2e, 0.0372 JPY" in shown
    assert "JPN (Japan) 485.392 g/kWh (Our World in Data, Ember, 2023), location-based" in shown
    assert "31 JPY/kWh (as given, year not stated)" in shown


def test_a_flag_goes_before_what_the_run_says_and_leaves_the_rest(whq: Whq) -> None:
    place = read_place("JPN", "31 JPY/kWh", "1.2", str)
    write_run(replace(a_run(A_WATT_HOUR), place=place), "placed.json")
    _, shown, _ = whq("show", "placed.json", "--grid", "gcp:asia-northeast2")
    assert "0.359 g CO2e, 0.0372 JPY" in shown
    assert "Osaka" in shown
    assert "Japan" not in shown


def test_show_as_json_is_a_run_file_with_its_place(whq: Whq) -> None:
    _, shown, _ = whq("show", "run.json", "--format", "json", "--grid", "JPN")
    Path("again.json").write_text(shown, "utf-8")
    assert read_run("again.json").place == read_place("JPN", None, None, str)


def test_regions_compare_places_and_some_of_google_where_none_is_named(whq: Whq) -> None:
    _, shown, _ = whq("regions", "run.json", "--grid", "gcp:asia-northeast1", "--grid", "gcp:asia-northeast2")
    first, second = shown.splitlines()[2:4]
    assert ("Osaka" in first, "298.92" in first, "0.299 g CO2e" in first) == (True, True, True)
    assert ("Tokyo" in second, "449.23" in second, "0.449 g CO2e" in second) == (True, True, True)
    status, shown, _ = whq("regions", "run.json")
    assert (status, shown.count("Google Cloud, 2025")) == (0, 15)


def test_regions_have_the_place_of_the_run_among_those_that_nobody_named(whq: Whq) -> None:
    for grid, number in (("JPN", 16), ("gcp:us-west1", 15)):
        write_run(replace(a_run(A_WATT_HOUR), place=read_place(grid, None, None, str)), "placed.json")
        _, shown, _ = whq("regions", "placed.json")
        assert sum(" CO2e" in line for line in shown.splitlines()) == number
    _, shown, _ = whq("regions", "placed.json", "--grid", "FRA")
    assert ("FRA" in shown, "gcp:us-west1" in shown) == (True, False)


def test_bound_needs_no_run(whq: Whq) -> None:
    prices = ("--price", "0.20 USD/Mtok", "--electricity", "0.10 USD/kWh")
    status, shown, _ = whq("bound", *prices)
    assert (status, len(shown.splitlines())) == (0, 2)
    assert "a token can take at most 7.20 J" in shown
    _, shown, _ = whq("bound", *prices, "run.json", "--pue", "1.1")
    assert "1.09 times below" in shown


def test_equivalents_are_shown_only_where_asked_for(whq: Whq) -> None:
    _, shown, _ = whq("show", "run.json")
    assert "PlayStation" not in shown
    _, shown, _ = whq("show", "run.json", "--equivalents")
    assert "PlayStation 5 at 200 W" in shown
    assert shown.endswith("For an order of magnitude only.\n")


def test_disclose_prints_a_sheet_and_checks_it(whq: Whq) -> None:
    _, page, _ = whq("disclose", "run.json", "--grid", "JPN", "--supplier", "A provider")
    assert page.startswith("# Energy of inference: what is disclosed\n")
    for name in ("json", "spdx", "boamps"):
        status, sheet, _ = whq("disclose", "run.json", "--format", name, "--model", "gpt-oss-20b")
        assert status == 0
        Path("sheet.json").write_text(sheet, "utf-8")
        status, said, _ = whq("disclose", "--check", "sheet.json")
        assert status == 1
        assert "left out: the data centre's overhead (PUE), and who says so (pue)\n" in said
        assert "(model)" not in said
    assert said.endswith("7 of 16 answered\n")


def test_a_sheet_that_answers_all_passes_its_check(whq: Whq) -> None:
    spread = {"mean": 1, "p50": 1, "p99": 2}
    load = {"requests": 1, "failed_requests": 0, "input_tokens": spread, "output_tokens": spread}
    load |= {"energy_wh": 1, "method": "power", "wh_per_query": 1, "wh_per_1k_tokens": 1, "uncertainty": 0.1}
    grid = {"name": "JPN", "g_per_kwh": 485, "year": 2023, "source": "Ember"}
    sheet = {
        "sheet": 1,
        "model": "m",
        "period": {"start": "2026-11-23T08:00:00Z", "measured_s": 1},
        "meter": {"source": "wattmeter", "scope": "wall"},
        "hardware": [{"name": "B200"}],
        "place": {"grid": grid, "overhead": {"pue": 1.1, "source": "operator"}},
        "workloads": [load],
    }
    Path("sheet.json").write_text(json.dumps(sheet), "utf-8")
    assert whq("disclose", "--check", "sheet.json") == (0, "16 of 16 answered\n", "")


def test_boamps_of_several_tests_needs_one_named(whq: Whq) -> None:
    write_run(a_run(A_WATT_HOUR, NOTHING), "two.json")
    assert whq("disclose", "two.json", "--format", "boamps")[0] == 2
    status, report, _ = whq("disclose", "two.json", "--format", "boamps", "--test", "*short")
    assert (status, json.loads(report)["task"]["nbRequest"]) == (0, 10)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("show", "run.json", "--pue", "0.5"), "--pue cannot be '0.5': "),
        (("show", "run.json", "--grid", "JPM"), "--grid has no 'JPM' (did you mean JPN?): "),
        (("regions", "run.json", "--grid", "485"), "--grid cannot be '485': a number needs its unit, "),
        (
            ("show", "run.json", "--equivalents", "--format", "csv"),
            "--equivalents are for the terminal: leave --format out.",
        ),
        (("bound", "--price", "1 USD/Mtok"), "the following arguments are required: --electricity "),
        (
            ("bound", "--price", "1 USD/Mtok", "--electricity", "1 JPY/kWh"),
            "The prices are in USD and JPY: ",
        ),
        (("bound", "--price", "1 USD/kWh", "--electricity", "1 USD/kWh"), "--price cannot be '1 USD/kWh': "),
        (("disclose", "run.json", "--test", "x"), "No test of the run matches --test 'x'."),
        (("disclose", "--check", "run.json"), "run.json is no sheet that is known here: "),
        (("disclose", "--check", "nope.json"), "nope.json cannot be read "),
    ],
)
def test_what_cannot_be_done_is_one_sentence(whq: Whq, arguments: tuple[str, ...], sentence: str) -> None:
    status, shown, complaint = whq(*arguments)
    assert (status, shown) == (2, "")
    assert complaint.startswith(f"whq: {sentence}")
    assert complaint.count("\n") == 1
