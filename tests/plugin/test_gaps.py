"""What is missing of a session is said: in the terminal, in its reports, and told apart."""

from collections.abc import Callable
from typing import Any

import pytest
from measured_project import MeasuredProject

SUITE = """
import pytest

@pytest.fixture
def broken():
    raise RuntimeError("no server")

def test_chat(whq, client):
    whq(client.chat, "Say hi.")

def test_long(whq, client):
    whq(client.chat, "Tell me all.")

def test_last(whq, client):
    whq(client.chat, "Bye.")
"""


@pytest.fixture
def accepted(project: MeasuredProject) -> MeasuredProject:
    """A project with three tests, which its baseline has."""
    project.tests(SUITE)
    project.run("--whq-update-baseline").assert_outcomes(passed=3)
    return project


def gaps(project: MeasuredProject) -> Any:
    """What is missing of the run as it was stored: test or place, kind, why."""
    return [(gap["what"], gap["kind"], gap["why"]) for gap in project.stored.get("gaps", ())]


def change(project: MeasuredProject, old: str, new: str) -> None:
    """Write the tests anew with another text in them."""
    assert old in SUITE
    project.tests(SUITE.replace(old, new))


def test_a_whole_session_has_no_gap(accepted: MeasuredProject) -> None:
    accepted.run()
    assert "gaps" not in accepted.stored


def test_a_test_that_fails_before_it_measures_is_told_in_every_report(accepted: MeasuredProject) -> None:
    change(accepted, "def test_long(whq, client):", "def test_long(whq, client, broken):")
    result = accepted.run("--whq-markdown=report.md", "--whq-html=report.html")
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["1 test failed before it measured anything: test_it.py::test_long"])
    result.stdout.fnmatch_lines(["2 measured, 1 failed without a figure · *"])
    assert gaps(accepted) == [("test_it.py::test_long", "failed_before", None)]
    said = "1 test failed before it measured anything"
    assert f"- {said}: `test_it.py::test_long`" in (accepted.path / "report.md").read_text("utf-8")
    assert f"<li>{said}: test_<wbr>it.py::" in (accepted.path / "report.html").read_text("utf-8")


def test_where_nothing_was_measured_the_failures_are_told_all_the_same(project: MeasuredProject) -> None:
    project.tests("def test_chat(whq, client):\n    assert not client\n    whq(client.chat)\n")
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "-* energy, Wh per query -*",
            "1 test failed before it measured anything: test_it.py::test_chat",
        ],
        consecutive=True,
    )


def rename(project: MeasuredProject) -> list[str]:
    change(project, "def test_last", "def test_first")
    return []


def remove_file(project: MeasuredProject) -> list[str]:
    (project.path / "test_it.py").rename(project.path / "test_that.py")
    return []


def give_a_test(project: MeasuredProject) -> list[str]:
    return ["test_it.py::test_chat", "test_it.py::test_long"]


def give_a_keyword(project: MeasuredProject) -> list[str]:
    return ["-k", "not last"]


def skip(project: MeasuredProject) -> list[str]:
    change(project, "def test_last", "@pytest.mark.skip\ndef test_last")
    return []


def stop(project: MeasuredProject) -> list[str]:
    change(project, "def test_long(whq, client):", "def test_long(whq, client, broken):")
    return ["-x"]


@pytest.mark.parametrize(
    ("how", "kind", "said"),
    [
        (rename, "gone", "1 test of the baseline is gone, deleted or renamed: test_it.py::test_last"),
        (
            remove_file,
            "gone",
            "3 tests of the baseline are gone, deleted or renamed: test_it.py::test_chat, *",
        ),
        (give_a_test, "not_selected", "1 test of the baseline was not selected: test_it.py::test_last"),
        (give_a_keyword, "not_selected", "1 test of the baseline was not selected: test_it.py::test_last"),
        (skip, "was_skipped", "1 test of the baseline was skipped: test_it.py::test_last"),
        (stop, "not_reached", "1 test of the baseline did not run before the session ended: *::test_last"),
    ],
)
def test_tests_of_the_baseline_that_did_not_run_are_told_apart(
    accepted: MeasuredProject, how: Callable[[MeasuredProject], list[str]], kind: str, said: str
) -> None:
    result = accepted.run(*how(accepted))
    result.stdout.fnmatch_lines([said])
    assert ("test_it.py::test_last", kind, None) in gaps(accepted)


def test_the_controller_of_workers_tells_them_apart_too(accepted: MeasuredProject) -> None:
    pytest.importorskip("xdist")
    change(accepted, "def test_last", "def test_first")
    result = accepted.run("-n1", "-k", "not chat")
    result.stdout.fnmatch_lines(
        [
            "1 test of the baseline is gone, deleted or renamed: test_it.py::test_last",
            "1 test of the baseline was not selected: test_it.py::test_chat",
        ],
        consecutive=True,
    )


def test_a_quiet_session_does_not_tell_what_the_user_left_out(accepted: MeasuredProject) -> None:
    result = accepted.run("-q", "-k", "chat")
    result.stdout.no_fnmatch_line("*not selected*")


def test_a_budget_for_no_test_is_told(project: MeasuredProject) -> None:
    project.pytester.makefile(
        ".toml",
        whq="""
        [[budgets]]
        tests = "test_it.py::test_chta"
        wh_per_query = 1
        [[budgets]]
        tests = "elsewhere/*"
        wh_per_query = 1
        """,
    )
    project.tests(SUITE)
    result = project.run("test_it.py")
    said = "1 budget of a file is for no measured test: test_it.py::test_chta (whq.toml, budgets[0])"
    assert said in result.outlines
    # What was not collected may have the tests of the other.
    assert gaps(project) == [("whq.toml, budgets[0]", "unused_budget", "test_it.py::test_chta")]


def test_a_baseline_that_is_named_and_missing_is_told(project: MeasuredProject) -> None:
    project.tests(SUITE)
    result = project.run("--whq-baseline=base.json")
    said = "--whq-baseline names a baseline that does not exist, so nothing was compared: base.json"
    assert said in result.outlines
    assert "gaps" in project.stored
    assert said not in project.run("--whq-baseline=base.json", "--whq-when=no_baseline=pass").outlines
    assert said not in project.run().outlines


def test_a_row_that_a_policy_fails_is_marked(accepted: MeasuredProject) -> None:
    change(accepted, "def test_last", "def test_first")
    result = accepted.run("--whq-when=new=fail", "--whq-markdown=report.md")
    result.assert_outcomes(passed=3)
    assert accepted.records["test_first"]["comparison"]["fails_by_policy"]
    report = (accepted.path / "report.md").read_text("utf-8")
    assert "| ❌&nbsp;**new** | `test_it.py::test_first` | 100&nbsp;mWh" in report
    assert "### ❌ Energy: 1 failing by a policy" in report
    accepted.run("--whq-when=new=fail", "--whq-budget").assert_outcomes(passed=2, failed=1)


def test_the_last_session_is_shown_with_what_it_lacks(accepted: MeasuredProject) -> None:
    accepted.run("-k", "chat")
    shown = accepted.pytester.run("whq", "show")
    shown.stdout.fnmatch_lines(["2 tests of the baseline were not selected: *"])
