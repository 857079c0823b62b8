"""Reports that a session writes: files, JUnit properties, and what GitHub shows."""

import os
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import cast

import pytest
from measured_project import MeasuredProject

from pytest_whq.plugin.options import OPTIONS
from pytest_whq.rendering import RENDERERS

TESTS = """
def test_chat(whq, client):
    with whq.measure() as window:
        window.record(client.chat("hi"))
"""

SIGNS = {
    "markdown": "<!-- pytest-whq report -->",
    "html": "<!DOCTYPE html>",
    "csv": '"test","outcome"',
    "openmetrics": "# TYPE whq_run info",
    "json": "{",
}


def properties(path: Path) -> list[tuple[str, str]]:
    found = ElementTree.parse(path).iter("property")
    return [(one.get("name", ""), one.get("value", "")) for one in found]


def test_each_renderer_has_an_option() -> None:
    assert {f"--whq-{name}" for name in RENDERERS} <= {option for option, *_ in OPTIONS}


@pytest.mark.parametrize("name", RENDERERS)
def test_an_option_writes_its_report(project: MeasuredProject, name: str) -> None:
    project.tests(TESTS)
    project.pytester.runpytest_inprocess(f"--whq-{name}=report.out").assert_outcomes(passed=1)
    report = (project.path / "report.out").read_text("utf-8")
    assert report.startswith(SIGNS[name])
    assert "test_it.py::test_chat" in report


@pytest.mark.parametrize("name", RENDERERS)
def test_an_ini_setting_writes_its_report(project: MeasuredProject, name: str) -> None:
    project.ini(**{f"whq_{name}": "report.out"})
    project.tests(TESTS)
    project.pytester.runpytest_inprocess().assert_outcomes(passed=1)
    assert (project.path / "report.out").read_text("utf-8").startswith(SIGNS[name])


def test_the_terminal_names_what_was_written(project: MeasuredProject) -> None:
    project.tests(TESTS)
    options = [f"--whq-{name}={name}.out" for name in ("csv", "html")]
    project.pytester.runpytest_inprocess(*options).stdout.fnmatch_lines(["Written: html.out, csv.out"])
    project.pytester.runpytest_inprocess(*options, "-q").stdout.no_fnmatch_line("Written*")


def test_reports_are_written_once_for_all_workers(project: MeasuredProject) -> None:
    project.tests(TESTS + TESTS.replace("test_chat", "test_other"))
    project.run_apart("-n2", "--whq-csv=report.csv", "--junitxml=junit.xml").assert_outcomes(passed=2)
    assert len((project.path / "report.csv").read_text("utf-8").splitlines()) == 3
    assert [name for name, _ in properties(project.path / "junit.xml")].count("whq.wh_per_query") == 2


def test_the_folder_of_a_report_is_made(project: MeasuredProject) -> None:
    project.tests(TESTS)
    assert project.run("--whq-html=new/folder/report.html").ret == 0
    assert (project.path / "new" / "folder" / "report.html").is_file()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_read_only_is_refused_at_the_start(project: MeasuredProject) -> None:
    project.tests(TESTS)
    (project.path / "locked").mkdir(mode=0o500)
    result = project.run("--whq-html=locked/report.html")
    result.stderr.fnmatch_lines(["ERROR: --whq-html cannot be *: its folder is read-only."])


def test_two_reports_cannot_have_one_path(project: MeasuredProject) -> None:
    project.tests(TESTS)
    result = project.run("--whq-html=run.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --whq-html cannot be '*run.json': another report is."])


def test_a_report_that_fails_does_not_cost_the_others(
    project: MeasuredProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(run: object, group_by: str | None) -> str:
        raise ZeroDivisionError("no luck")

    monkeypatch.setitem(cast("dict[str, object]", RENDERERS), "html", fail)
    project.tests(TESTS)
    result = project.run("--whq-html=report.html", "--whq-csv=report.csv")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    sentence = "*report.html is not written: the html report failed (ZeroDivisionError('no luck'))."
    result.stdout.fnmatch_lines([f"{sentence} The records are kept: see whq show."])
    assert not (project.path / "report.html").exists()
    assert "test_chat" in (project.path / "report.csv").read_text("utf-8")


def test_the_html_report_shows_power_over_time(project: MeasuredProject) -> None:
    project.tests(TESTS)
    project.run("--whq-html=report.html")
    assert "Power over time" in (project.path / "report.html").read_text("utf-8")
    (record,) = project.records.values()
    ((begin_s, end_s),) = record["power"]["windows_s"]
    assert end_s - begin_s == pytest.approx(1.0)
    assert max(filter(None, record["power"]["power_w"])) == pytest.approx(360.0, rel=0.01)


def test_the_junit_file_has_the_figures_as_properties(project: MeasuredProject) -> None:
    project.tests(TESTS)
    project.run("--junitxml=junit.xml", "--whq-max=wh_per_query=1")
    found = dict(properties(project.path / "junit.xml"))
    assert float(found["whq.wh_per_query"]) == pytest.approx(0.1, rel=1e-3)
    assert (found["whq.method"], found["whq.estimated"]) == ("counter", "false")
    assert (found["whq.budget.wh_per_query"], found["whq.budget.wh_per_query.limit"]) == ("within", "1.0")


def test_each_attempt_of_a_test_that_is_run_again_tells_its_own_figures_once(
    project: MeasuredProject,
) -> None:
    project.tests("""
        runs = []

        def test_flaky(whq, client):
            runs.append(1)
            with whq.measure() as window:
                window.record(client.chat("hi", seconds=len(runs)))
            assert len(runs) == 2
    """)
    project.run("--reruns=1", "--junitxml=junit.xml")
    values = [value for name, value in properties(project.path / "junit.xml") if name == "whq.wh_per_query"]
    assert [float(value) for value in values] == pytest.approx([0.1, 0.2], rel=1e-3)


@pytest.fixture
def on_github(project: MeasuredProject, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A job of GitHub, whose repository the project is a folder of; the path of its summary."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(project.path.parent))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project.path / "summary.md"))
    return project.path / "summary.md"


def test_a_job_of_github_marks_the_file_and_has_a_summary(project: MeasuredProject, on_github: Path) -> None:
    on_github.write_text("before\n")
    project.tests(TESTS)
    result = project.run("--whq-max=wh_per_query=0.05")
    place = f"{project.path.name}/test_it.py"
    command = f"::error file={place},line=1,title=Energy%3A over budget::test_it.py::test_chat%0A"
    result.stdout.fnmatch_lines([f"{command}wh_per_query is*"])
    summary = on_github.read_text("utf-8")
    assert summary.startswith(
        "before\n<!-- pytest-whq report -->\n### ❌ Energy: 1 over budget\n\n1 measured\n"
    )


def test_verdicts_that_are_not_enforced_are_warnings(project: MeasuredProject, on_github: Path) -> None:
    project.tests(f"import pytest\n\n@pytest.mark.whq_budget(wh_per_query=0.05){TESTS}")
    project.run().stdout.fnmatch_lines(["::warning file=*"])


def test_a_summary_that_cannot_be_written_is_said_and_fails_nothing(
    project: MeasuredProject, on_github: Path
) -> None:
    on_github.mkdir()
    project.tests(TESTS)
    result = project.run()
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["The job's summary cannot be written (Is a directory)."])


def test_elsewhere_there_are_neither_commands_nor_a_summary(
    project: MeasuredProject, on_github: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS")
    project.tests(TESTS)
    result = project.run("--whq-max=wh_per_query=0.05")
    result.stdout.no_fnmatch_line("::*")
    assert not on_github.exists()
