"""The place as option and as ini setting, by its effect on what is reported and stored."""

import pytest
from measured_project import MeasuredProject, run_with

ONE_CALL = """
def test_chat(whq, client):
    whq(client.chat, "Say hi.")
"""
SETTINGS = {"whq_grid": "JPN", "whq_price": "31 JPY/kWh (contract, 2025)", "whq_pue": "1.2"}


def test_grams_and_money_are_reported_and_the_place_is_stored(project: MeasuredProject, given: str) -> None:
    project.tests(ONE_CALL)
    result = run_with(project, given, **SETTINGS)
    result.assert_outcomes(passed=1)
    # 0.1 Wh and 50 output tokens a query.
    result.stdout.fnmatch_lines(
        [
            "footprint * of a query * of a million queries * of a million output tokens",
            "test_it.py::test_chat   58.2 mg CO2e, 0.00372 JPY   58.2 kg CO2e, 3,720 JPY *",
            (
                "JPN (Japan) 485.392 g/kWh (Our World in Data, Ember, 2023), location-based · "
                "PUE 1.2 (as given, year not stated) · 31 JPY/kWh (contract, 2025)"
            ),
            "Location-based: *",
        ]
    )
    assert project.stored["place"]["grid"]["g_per_kwh"] == 485.392
    assert project.stored["place"]["price"]["currency"] == "JPY"
    assert project.stored["place"]["overhead"]["pue"] == 1.2


def test_a_number_in_a_toml_file_is_an_overhead(project: MeasuredProject) -> None:
    (project.path / "pytest.ini").unlink()
    project.pytester.makepyprojecttoml(
        """
        [tool.pytest.ini_options]
        whq_source = "scripted"
        whq_rounds = "5"
        whq_max_seconds = "1"
        asyncio_default_fixture_loop_scope = "function"
        whq_grid = "gcp:asia-northeast1"
        whq_pue = "1.1"
        """
    )
    project.tests(ONE_CALL)
    result = project.run()
    result.stdout.fnmatch_lines(["gcp:asia-northeast1 (Tokyo) 449.23 g/kWh (Google Cloud, 2025)*PUE 1.1 *"])


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("whq_grid", "JPM", "has no 'JPM' (did you mean JPN?): give an ISO code of a country such as JPN, *"),
        ("whq_grid", "485", "cannot be '485': a number needs its unit, one of g/kWh, *"),
        ("whq_price", "31", "cannot be '31': it is a number and its unit, such as 31 JPY/kWh, *"),
        ("whq_pue", "0.9", "cannot be '0.9': it is the data centre's energy over *"),
    ],
)
def test_a_place_that_cannot_be_is_refused_before_a_test_runs(
    project: MeasuredProject, given: str, name: str, value: str, sentence: str
) -> None:
    project.tests(ONE_CALL)
    result = run_with(project, given, **{name: value})
    where = f"{name} in pytest.ini" if given == "ini" else f"--{name.replace('_', '-')}"
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {where} {sentence}"])


def test_workers_report_the_place_once(project: MeasuredProject) -> None:
    project.tests(ONE_CALL)
    result = project.run_apart("-n1", "--whq-grid=JPN")
    result.assert_outcomes(passed=1)
    assert str(result.stdout).count("JPN (Japan)") == 1
    assert project.stored["place"]["grid"]["name"] == "JPN"
