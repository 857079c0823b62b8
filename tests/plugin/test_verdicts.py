"""How verdicts on budgets show: exit code, failing test, summary."""

import pytest
from measured_project import MeasuredProject

OVER = "wh_per_query is 100 mWh, 11.1 % over its budget of 90.0 mWh (--whq-max): *"
CAP = "--whq-max=wh_per_query=0.09"


def test_over_budget_is_exit_1_with_the_test_failed_in_its_call_phase(project: MeasuredProject) -> None:
    project.tests(
        """
        import pytest

        @pytest.fixture
        def cleanup():
            yield
            print("cleaned up")

        @pytest.mark.whq_budget(wh_per_query=0.09)
        def test_chat(whq, client, cleanup):
            whq(client.chat, "Say hi.")
        """
    )
    result = project.run("--whq-budget", "-s", "--junitxml=junit.xml")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*cleaned up*"])
    result.stdout.fnmatch_lines(
        [
            "_* test_chat _*",
            (
                "wh_per_query is 100 mWh, 11.1 % over its budget of 90.0 mWh (marker): 5 queries, "
                "500 input and 250 output tokens, Scripted H100, scripted counter."
            ),
            "*generated xml file*",
            "-* energy, Wh per query -*",
            "test *Wh/query*",
            "test_it.py::test_chat   100 mWh ± ?.? %   111.1 % of 90.0 mWh, exceeded",
            "1 measured, 1 over budget · Scripted H100, 700 W limit · scripted counter · gross, GPU board",
            "No baseline whq-baseline.json: regressions are not judged (--whq-update-baseline makes one).",
            "Written: run.json",
            "=* short test summary info =*",
            "FAILED test_it.py::test_chat - Failed: wh_per_query is 100 mWh, 11.1 % over *",
        ],
        consecutive=True,
    )
    assert '<failure message="Failed: wh_per_query is 100 mWh' in (project.path / "junit.xml").read_text()
    assert {name: record["outcome"] for name, record in project.records.items()} == {"test_chat": "failed"}


def test_a_failing_budget_is_placed_at_its_test(project: MeasuredProject) -> None:
    project.tests(
        """
        def test_chat(whq, client):
            whq(client.chat, "Say hi.")
        """
    )
    result = project.run(CAP, "--tb=line")
    result.stdout.fnmatch_lines([f"{project.path}/test_it.py:1: Failed: {OVER}"])


def test_within_budget_is_exit_0(project: MeasuredProject) -> None:
    project.tests(
        """
        import pytest

        @pytest.mark.whq_budget(wh_per_query=0.11, j_per_token=2.5)
        def test_chat(whq, client):
            whq(client.chat, "Say hi.")
        """
    )
    result = project.run("--whq-budget")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        [
            "-* energy, Wh per query -*",
            "test *Wh/query*",
            "test_it.py::test_chat   100 mWh ± ?.? %   96.0 % of 2.50 J/token",
            "1 measured · Scripted H100, 700 W limit · scripted counter · gross, GPU board",
            "No baseline whq-baseline.json: regressions are not judged (--whq-update-baseline makes one).",
            "Written: run.json",
            "=* 1 passed in *",
        ],
        consecutive=True,
    )


def test_unmeasured_with_a_budget_is_exit_1(project: MeasuredProject) -> None:
    project.conftest(
        """
from pytest_whq import SourceError

def no_driver():
    raise SourceError("nvml: the driver is not loaded. Load it with modprobe nvidia.", "no_source")

def pytest_whq_power_sources():
    return {"scripted": no_driver}
"""
    )
    project.tests(
        """
        def test_chat(whq, client):
            whq(client.chat, "Say hi.")
        """
    )
    result = project.run()
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        [
            "-* energy, Wh per query -*",
            (
                "test_it.py::test_chat   not measured: nvml: the driver is not loaded. Load it with "
                "modprobe nvidia"
            ),
            "0 measured, 1 not measured · no device · no source · gross, scope not stated",
        ]
    )
    result = project.run(CAP)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            (
                "wh_per_query has a budget of 90.0 mWh (--whq-max) but was not measured (*): "
                "nvml: the driver is not loaded. Load it with modprobe nvidia."
            )
        ]
    )
    record = project.records["test_chat"]
    assert (record["valid"], record["reasons"], record["energy_j"]) == (False, ["no_source"], None)


def test_enforcing_nothing_is_said_in_yellow(project: MeasuredProject) -> None:
    project.tests(
        """
        import pytest

        def test_free(whq, client):
            whq(client.chat, "Say hi.")
        """
    )
    result = project.run("--whq-budget", "--color=yes")
    assert result.ret == pytest.ExitCode.OK
    sentence = "--whq-budget enforced nothing: no budget applies to what was measured."
    assert f"\x1b[33m{sentence}\x1b[0m" in result.outlines
    project.tests("def test_other(): pass")
    result = project.run("--whq-budget", "--whq-markdown=it.md", "--whq-html=it.html")
    said = "--whq-budget enforced nothing: nothing was measured"
    result.stdout.fnmatch_lines([f"{said}."])
    markdown = (project.path / "it.md").read_text("utf-8")
    assert "### ⚠️ Energy: nothing judged" in markdown
    assert f"- `{said}`" in markdown
    assert said in (project.path / "it.html").read_text("utf-8")
    assert project.stored["gaps"] == [
        {"kind": "unjudged", "what": "--whq-budget enforced nothing", "why": "nothing was measured"}
    ]


def test_hardware_that_no_budget_names_is_not_judged_and_said(project: MeasuredProject) -> None:
    project.tests(
        """
        import pytest

        @pytest.mark.whq_budget(wh_per_query=0.01, hardware="NVIDIA B200*")
        def test_chat(whq, client):
            whq(client.chat, "Say hi.")
        """
    )
    result = project.run("--whq-budget")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        [
            "test_it.py::test_chat   100 mWh ± ?.? %   not judged: 10.0 mWh",
            '1 test not judged: the budget is for hardware "NVIDIA B200[*]", and this is Scripted H100',
            "1 measured · Scripted H100, 700 W limit · scripted counter · gross, GPU board",
            "--whq-budget enforced nothing: no budget applies to what was measured.",
        ],
        consecutive=True,
    )


def test_quiet_shows_failing_tests_only_and_verbose_shows_all_there_is(project: MeasuredProject) -> None:
    project.tests(
        """
        def test_modest(whq, client):
            whq(client.chat, "Say hi.", seconds=0.5)

        def test_hungry(whq, client):
            whq(client.chat, "Say hi.")
        """
    )
    project.run(CAP, "-q", "--tb=no").stdout.fnmatch_lines(
        [
            "-* energy, Wh per query -*",
            "test                      Wh/query ± 95 %   budget used",
            "test_it.py::test_hungry   100 mWh ± ?.? %   111.1 % of 90.0 mWh, exceeded",
            "2 measured, 1 over budget · Scripted H100, 700 W limit · scripted counter · gross, GPU board",
        ],
        consecutive=True,
    )
    project.run(CAP, "-v", "--tb=no").stdout.fnmatch_lines(
        [
            "-* energy, Wh per query -*",
            "test *Wh/query*",
            "test_it.py::test_modest *",
            "    5 queries   500 in, 250 out   3.60 J/output token   360 W   5 rounds *",
            "test_it.py::test_hungry *",
            "    5 queries   500 in, 250 out   7.20 J/output token   360 W   5 rounds *",
        ],
        consecutive=True,
    )


@pytest.mark.parametrize(("arguments", "outcome"), [(["--whq-budget"], "failed"), ([], "passed")])
def test_a_test_whose_queries_all_failed_does_not_pass_where_budgets_are_enforced(
    project: MeasuredProject, arguments: list[str], outcome: str
) -> None:
    project.tests("""
        def test_load(whq, client):
            whq.load(client.fail, ["a", "b", "c"], concurrency=1)
    """)
    result = project.run(*arguments)
    result.assert_outcomes(**{outcome: 1})
    assert project.records["test_load"]["failed_queries"] == 3
    told = "*all 3 queries failed (3 ConnectionError): no energy per query was measured."
    if arguments:
        result.stdout.fnmatch_lines([told])
    else:
        result.stdout.no_fnmatch_line(told)


def test_replies_that_refuse_are_failed_queries_and_reach_the_test_as_they_are(
    project: MeasuredProject,
) -> None:
    project.tests("""
        from types import SimpleNamespace

        REFUSED = SimpleNamespace(status_code=429, headers={})

        def ask(client, item):
            client.chat(item)
            return REFUSED

        def test_call(whq, client):
            assert whq(lambda: ask(client, "a")) is REFUSED

        def test_load(whq, client):
            replies = whq.load(lambda item: ask(client, item), ["a", "b", "c"], concurrency=1)
            assert replies == [REFUSED] * 3

        def test_body(whq, client):
            body = {"error": {"message": "Slow down.", "type": "rate_limit_error"}}
            with whq.measure() as window:
                client.chat("a")
                assert window.record(body) is body
    """)
    project.run().assert_outcomes(passed=3)
    for test, failures in (
        ("test_load", {"HTTP 429": 3}),
        ("test_body", {"error rate_limit_error": 1}),
        ("test_call", {"HTTP 429": 5}),
    ):
        record = project.records[test]
        assert (record["valid"], record["queries"], record["failures"]) == (False, 0, failures)
        assert record["energy_j"] > 0


def test_a_test_of_which_some_queries_failed_passes_without_a_budget_on_it(project: MeasuredProject) -> None:
    project.tests("""
        def test_load(whq, client):
            whq.load(lambda item: client.fail(item) if item else client.chat("hi"), [0, 1], concurrency=1)
    """)
    project.run("--whq-budget").assert_outcomes(passed=1)
