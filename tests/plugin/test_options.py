"""Every option and its ini setting by its effect; markers over options over ini in test_markers."""

import pytest
from measured_project import MeasuredProject, run_with

ONE_CALL = """
def test_chat(whq, client):
    whq(client.chat, "Say hi.")

def test_other():
    pass
"""

OVER = (
    "wh_per_query is 100 mWh, 11.1 % over its budget of 90.0 mWh ({}): 5 queries, "
    "500 input and 250 output tokens, Scripted H100, scripted counter."
)


def test_a_budget_fails_the_test_only_where_it_is_enforced(project: MeasuredProject, given: str) -> None:
    project.pytester.makepyprojecttoml("[[tool.whq.budgets]]\nwh_per_query = 0.09")
    project.tests(ONE_CALL)
    result = project.run()
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["test_it.py::test_chat   100 mWh ± ?.? %   111.1 % of 90.0 mWh, exceeded"])
    assert project.records["test_chat"]["budgets"][0]["outcome"] == "exceeded"

    result = run_with(project, given, whq_budget="true")
    result.assert_outcomes(passed=1, failed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([OVER.format("pyproject.toml, budgets[[]0]")])


def test_a_cap_holds_for_every_measured_test_beside_its_budgets(project: MeasuredProject, given: str) -> None:
    project.tests(
        """
        import pytest

        @pytest.mark.whq_budget(wh_per_query=1)
        def test_chat(whq, client):
            whq(client.chat, "Say hi.")
        """
    )
    if given == "option":
        result = project.run("--whq-max=wh_per_query=0.09", "--whq-max", "j_per_token=1")
    else:
        project.ini(whq_max="\n  wh_per_query=0.09\n  j_per_token=1")
        result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            OVER.format("--whq-max"),
            "j_per_token is 2.40 J, 140.0 % over its budget of 1.00 J (--whq-max): 5 queries, *",
        ],
        consecutive=True,
    )


def test_an_option_takes_the_place_of_its_ini_setting(project: MeasuredProject) -> None:
    project.ini(whq_max="wh_per_query=0.09", whq_warmup="3")
    project.tests(
        """
        def test_chat(whq, client):
            whq(client.chat, "Say hi.")
            assert client.calls == 7 + 2
        """
    )
    project.run("--whq-max=wh_per_query=0.11", "--whq-warmup=7", "--whq-rounds=2").assert_outcomes(passed=1)


def test_a_flag_of_the_ini_file_may_be_false(project: MeasuredProject) -> None:
    project.ini(whq_budget="no", whq_only="off", whq_skip="0", whq_disable="False")
    project.tests(ONE_CALL)
    project.run().assert_outcomes(passed=2)
    assert list(project.records) == ["test_chat"]


ESTIMATE = """
def pytest_whq_power_sources():
    SOURCE.estimated = True
    return {"scripted": lambda: SOURCE}
"""


def test_estimates_are_enforced_only_where_that_is_asked_for(project: MeasuredProject, given: str) -> None:
    project.conftest(ESTIMATE)
    project.tests(ONE_CALL)
    result = project.run("--whq-max=wh_per_query=0.09")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            (
                "wh_per_query has a budget of 90.0 mWh (--whq-max) but was not measured (5 "
                "queries, 500 input and "
                "250 output tokens, Scripted H100, scripted estimate): its figures are "
                "estimated, not sensed; to "
                "enforce the budget on estimates, set estimate = true on it, or whq_estimate "
                "(--whq-estimate) for "
                "all budgets."
            )
        ]
    )
    result = run_with(project, given, whq_estimate="true", whq_max="wh_per_query=0.09")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        ["wh_per_query is 100 mWh, 11.1 % over its budget of 90.0 mWh (--whq-max): *"]
    )


def test_the_source_is_chosen_by_name_or_as_a_sum(project: MeasuredProject, given: str) -> None:
    project.conftest(
        """
from pytest_whq.testing import ScriptedSource
CPU = ScriptedSource(CLOCK, watts=36.0, period_s=1e-6, device=Device(f"CPU-{__file__}", "Scripted CPU"))
CPU.scope = "cpu"

def pytest_whq_power_sources():
    return {"scripted": lambda: SOURCE, "package": lambda: CPU}
"""
    )
    project.tests(ONE_CALL)
    run_with(project, given, whq_source="package").assert_outcomes(passed=2)
    assert project.stored["rig"]["source"] == "package"
    assert project.records["test_chat"]["metrics"]["wh_per_query"] == pytest.approx(0.01, rel=2e-3)

    run_with(project, given, whq_source="scripted+package").assert_outcomes(passed=2)
    assert (project.stored["rig"]["source"], project.stored["rig"]["scope"]) == (
        "scripted+package",
        "gpu+cpu",
    )
    assert project.records["test_chat"]["metrics"]["wh_per_query"] == pytest.approx(0.11, rel=2e-3)


def test_the_choice_of_devices_reaches_the_source(project: MeasuredProject, given: str) -> None:
    project.conftest(
        """
def nvml(devices):
    SOURCE._device = Device(f"GPU-{__file__}", f"Board {devices}")
    return SOURCE

@pytest.fixture(autouse=True)
def scripted_sources():
    with sessions_measure(nvml=nvml):
        yield
"""
    )
    project.tests(ONE_CALL)
    result = run_with(project, given, whq_source="nvml", whq_devices="1,3")
    result.assert_outcomes(passed=2)
    assert [device["name"] for device in project.stored["rig"]["devices"]] == ["Board 1,3"]


def test_the_records_are_written_where_the_user_said(project: MeasuredProject, given: str) -> None:
    folder = project.path / "reports"
    folder.mkdir()
    project.tests(ONE_CALL)
    if given == "ini":
        project.ini(whq_json="reports/energy.json")
        project.pytester.mkdir("elsewhere")
        result = project.pytester.runpytest_inprocess("--rootdir=.", "-c", "pytest.ini")
    else:
        result = project.pytester.runpytest_inprocess("--whq-json=reports/energy.json")
    result.assert_outcomes(passed=2)
    assert [path.name for path in folder.iterdir()] == ["energy.json"]


def test_the_selector_of_series_reaches_prometheus(project: MeasuredProject, given: str) -> None:
    project.tests(ONE_CALL)
    result = run_with(
        project, given, whq_source="prometheus:http://127.0.0.1:9", whq_prometheus_query="rate(x_watts[1m])"
    )
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.errlines[0].startswith(
        "ERROR: --whq-prometheus-query must be one of dcgm, amd, kepler, platform, rapl"
    )


def test_the_table_is_arranged_as_asked_for(project: MeasuredProject, given: str) -> None:
    project.tests("""
        import pytest

        @pytest.mark.parametrize("seconds", [2.0, 1.0])
        def test_chat(whq, client, seconds):
            whq(client.chat, "Say hi.", seconds=seconds)
    """)
    asked = {"whq_group_by": "test", "whq_columns": "rounds", "whq_sort": "name"}
    result = run_with(project, given, **asked, whq_markdown="report.md", whq_html="report.html")
    result.stdout.fnmatch_lines(
        [
            "test * in its group *rounds",
            "test_it.py::test_chat[[]1.0] * best * 5",
            "test_it.py::test_chat[[]2.0] * 2.00 x * 5",
        ],
        consecutive=True,
    )
    assert "Side by side, by test" in (project.path / "report.md").read_text("utf-8")
    assert "Side by side, by test" in (project.path / "report.html").read_text("utf-8")


def test_tests_are_grouped_by_the_value_of_a_parameter(project: MeasuredProject, given: str) -> None:
    project.tests("""
        import pytest

        @pytest.mark.parametrize("prompt", ["Say hi. " * 20, print], ids=["long", "callable"])
        @pytest.mark.parametrize(("model", "options"), [("8b", {}), ("1b", object())])
        def test_chat(whq, client, model, options, prompt):
            whq(client.chat, "Say hi.", seconds=2.0 if model == "8b" else 1.0)
    """)
    result = run_with(project, given, whq_group_by="param:model")
    assert [line for line in result.outlines if line.startswith("model=")] == ["model=8b:", "model=1b:"]
    assert [record["params"] for record in project.records.values()] == [
        {"model": "8b"},
        {"model": "8b", "prompt": "print"},
        {"model": "1b"},
        {"model": "1b", "prompt": "print"},
    ]


def test_reports_call_a_run_by_its_name(project: MeasuredProject, given: str) -> None:
    project.tests(ONE_CALL)
    run_with(project, given, whq_name="h100", whq_markdown="report.md")
    assert project.stored["name"] == "h100"
    assert (project.path / "report.md").read_text("utf-8").startswith("<!-- pytest-whq report: h100 -->")
    result = project.run("--whq-name=a/b")
    result.stderr.fnmatch_lines(["ERROR: --whq-name cannot be 'a/b': it is letters, digits and . _ - only."])
